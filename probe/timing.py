"""When a run was made, how long it took, how large the model is: in a file of its own, for times are never the same."""

from __future__ import annotations

import shlex
import sys
import time
from datetime import UTC, datetime

from data_builders.folder import write_json
from probe.store import Store


class Timing:
    """A clock that starts with the command."""

    def __init__(self):
        self.started, self.began = datetime.now(UTC), time.monotonic()

    def write(self, store: Store, device: str, parameters: int) -> None:
        """``timing.json`` of the run."""
        import torch

        write_json(
            store.folder / "timing.json",
            {
                "command": shlex.join(["probe", *sys.argv[1:]]),
                "started": self.started.isoformat(timespec="seconds"),
                "seconds": round(time.monotonic() - self.began, 3),
                "parameters": parameters,
                "device": device,
                "threads": torch.get_num_threads(),
            },
        )

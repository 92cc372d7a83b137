"""The model whose neurons are looked at: what it is, and itself once it has to run."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from data_builders.errors import FactrootsError
from probe.tracing.neurons.asked import able

if TYPE_CHECKING:  # at run time it would load torch, which a finished tracing has no need of
    from fine_tuning.models import Loaded
    from probe.tracing.neurons.reading import Reader


class Model:
    """What decides a model's neurons, and ``loaded`` and ``reader``, which load it when they are first asked for.

    Raises FactrootsError for a model that is neither masked nor causal.
    """

    def __init__(self, spec: str, family: str, about: dict[str, str], load: Callable[[], Loaded]):
        self.spec, self.family, self.about, self._load = spec, family, about, load
        able(self)

    @classmethod
    def of(cls, loaded: Loaded) -> Model:
        """One that is loaded."""
        about = {"id": str(loaded.id), "sha256": loaded.sha256, "dtype": loaded.dtype}
        return cls(str(loaded.spec), loaded.family, about, lambda: loaded)

    @classmethod
    def of_run(cls, run: dict, device: str) -> Model:
        """A run's, by what its record says of it; in float32 whatever the run was in.

        Loading it raises FactrootsError if it is another by now.
        """
        about = {"id": run["id"], "sha256": run["sha256"], "dtype": "float32"}
        return cls(run["spec"], run["family"], about, lambda: _load(run, device))

    @cached_property
    def loaded(self) -> Loaded:
        return self._load()

    @cached_property
    def reader(self) -> Reader:
        from probe.tracing.neurons.reading import Reader

        return Reader(self.loaded)


def _load(run: dict, device: str) -> Loaded:
    from fine_tuning.models import load

    loaded = load(run["spec"], "float32", device)
    if loaded.sha256 != run["sha256"]:
        raise FactrootsError(f"{run['spec']} has changed since the run was made; run it anew, or pass --neurons none")
    return loaded

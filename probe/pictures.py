"""Pictures of a record as PNG files, the same bytes of the same record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from data_builders.folder import write_atomically

#: Draws a record into a matplotlib figure; False where the record has nothing for it.
Picture = Callable[[dict, object], bool]


def draw(pictures: Mapping[str, Picture], record: dict, folder: Path) -> list[Path]:
    """Write every picture that the record has something for, as ``NAME.png``, and return their paths."""
    from matplotlib.figure import Figure

    made = []
    for name, picture in pictures.items():
        figure = Figure(layout="constrained", dpi=120)
        if picture(record, figure):
            path = folder / f"{name}.png"
            write_atomically(
                path, lambda part, figure=figure: figure.savefig(part, format="png", metadata={"Software": ""})
            )
            made.append(path)
    return made

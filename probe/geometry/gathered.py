"""All that was made of fits, in one: what pictures and the page are drawn from."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from data_builders.errors import FactrootsError
from data_builders.folder import read_json
from data_builders.schema import Record
from probe.geometry.axes_record import Axes
from probe.geometry.distance_record import Distances
from probe.geometry.fits import Fits
from probe.geometry.fits_report import record
from probe.geometry.parts import fits_sha256
from probe.geometry.ratio_record import Ratios

#: What may have been made of fits, by the name of its folder and file.
PARTS: dict[str, type[Record]] = {"ratio": Ratios, "distance": Distances, "axes": Axes}


def gather(fits: Fits, variance: float, folders: dict[str, Path | None]) -> dict:
    """``fits`` (:func:`probe.geometry.fits_report.record`) and each of :data:`PARTS` that there is, as plain data.

    `folders` name them; where one is None, what was made last in the fits' folder is taken, and there may be none.
    Raises FactrootsError for a record that is broken, or of other fits.
    """
    found = {name: folders.get(name) or _newest(fits, name) for name in PARTS}
    parts = {name: folder and _read(fits, folder / f"{name}.json", PARTS[name]) for name, folder in found.items()}
    return {"fits": record(fits, variance), **parts}


def _newest(fits: Fits, name: str) -> Path | None:
    made = sorted(fits.folder.glob(f"{name}-*/{name}.json"), key=lambda path: (path.stat().st_mtime, path))
    return made[-1].parent if made else None


def _read(fits: Fits, path: Path, schema: type[Record]) -> dict:
    if not path.is_file():
        raise FactrootsError(f"{path.parent} holds no {path.name}; make it with `probe geometry {path.stem}`")
    try:
        made = schema.model_validate(read_json(path))
    except ValidationError as error:
        raise FactrootsError(f"{path} is broken or of another version of factroots; make it anew") from error
    if made.fits != (own := fits_sha256(fits)):
        raise FactrootsError(
            f"{path} was made of other fits ({made.fits[:8]}) than those in {fits.folder} ({own[:8]}); name those"
        )
    return made.model_dump(mode="json")

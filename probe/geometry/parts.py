"""Works on fits: where they are kept, a layer at a time so that an interrupted one goes on, and how they end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from data_builders.errors import FactrootsError
from data_builders.folder import read_json, write_atomically, write_json
from data_builders.schema import Record
from probe.geometry.fits import Fits
from probe.geometry.fits_record import FILE
from probe.signature import version

Part = TypeVar("Part", bound=Record)


def fits_sha256(fits: Fits) -> str:
    """Over ``fits.json``, which has the hashes of the model and of all text."""
    return hashlib.sha256((fits.folder / FILE).read_bytes()).hexdigest()


def signature(fits: Fits, parts: dict) -> str:
    """``key:value`` pairs that say what decided the numbers, hashes by their first eight digits."""
    model = fits.about.model
    about = {
        "model": model.name,
        "weights": model.sha256[:8],
        "fits": fits_sha256(fits)[:8],
        **parts,
    }
    return "|".join(f"{key}:{value}" for key, value in {**about, "version": version()}.items())


def default_folder(fits: Fits, name: str, decides: str) -> Path:
    """A folder in the fits' own, by a hash over all that decides the numbers."""
    return fits.folder / f"{name}-{hashlib.sha256(decides.encode()).hexdigest()[:10]}"


def by_layer(folder: Path, name: str, layers: Iterable[int], schema: type[Part], make: Callable[[int], Part]) -> list:
    """What `make` gives for each layer, read from `folder` (``.<name>-<layer>.json``) where it is there already.

    Raises FactrootsError for a file that is broken.
    """
    found = []
    for layer in layers:
        path = folder / f".{name}-{layer:02}.json"
        if not path.exists():
            write_json(path, make(layer).model_dump(mode="json"))
        try:
            found.append(schema.model_validate(read_json(path)))
        except (FactrootsError, ValidationError) as error:
            raise FactrootsError(f"{path} is broken; delete it, and the same command makes it anew") from error
    return found


def keep(folder: Path, name: str, record: Record, rows: Sequence[dict]) -> None:
    """``<name>.parquet`` of the rows and, last, ``<name>.json``."""
    table = pa.Table.from_pylist(list(rows))
    write_atomically(folder / f"{name}.parquet", lambda part: pq.write_table(table, part, compression="zstd"))
    write_json(folder / f"{name}.json", record.model_dump(mode="json"))

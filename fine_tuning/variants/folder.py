"""A variant on disk: a folder with ``variant.json`` and its weights, whole or not there."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from data_builders.errors import FactrootsError
from data_builders.folder import read_json, write_json
from fine_tuning.variants.about import About
from fine_tuning.variants.hashing import file_sha256

#: How a variant came about in this run of the program: times and memory, which another run has others of.
TIMING = "training.json"


class Variant(NamedTuple):
    """A variant's folder, and its ``variant.json``."""

    folder: Path
    about: About

    @property
    def bytes(self) -> int:
        """What its weights take on disk."""
        return sum((self.folder / name).stat().st_size for name in self.about.files)


def is_variant(folder: Path) -> bool:
    return (folder / "variant.json").is_file()


def read_about(folder: Path) -> About:
    """Read a variant's ``variant.json`` alone. Raises FactrootsError where there is none, or it is not one."""
    if not is_variant(folder):
        raise FactrootsError(f"{folder} is no variant (it has no variant.json); make one with `probe tune`")
    try:
        return About.model_validate(read_json(folder / "variant.json"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise FactrootsError(f"{folder}/variant.json: {where}: {first['msg']}") from error


def read_variant(folder: Path) -> Variant:
    """Read a variant and check its files against their hashes.

    Raises FactrootsError in one line where there is none, or where a file is missing or is another by now.
    """
    folder = Path(folder)
    about = read_about(folder)
    for name, sha256 in about.files.items():
        if not (folder / name).is_file() or Path(name).is_absolute() or ".." in Path(name).parts:
            raise FactrootsError(f"{folder} lacks {name}, which its variant.json names; copy the variant anew")
        if file_sha256(folder / name) != sha256:
            raise FactrootsError(f"{folder}/{name} is not the file that its variant.json names; copy the variant anew")
    return Variant(folder, about)


def check_one_base(variants: Sequence[Variant]) -> None:
    """Raises FactrootsError, with both hashes, where two variants were made for different models."""
    first = variants[0]
    for other in variants[1:]:
        one, two = first.about.base, other.about.base
        if one.sha256 != two.sha256:
            raise FactrootsError(
                f"{first.folder} was made for {one.spec}, whose tensors have SHA-256 {one.sha256}, and {other.folder} "
                f"for {two.spec}, whose have {two.sha256}; name variants of one model"
            )


def write_variant(folder: Path, write: Callable[[Path], None], timing: dict | None = None, **about) -> Variant:
    """Have `write` put the weights into a folder beside `folder`, add ``variant.json``, and move it there whole.

    `about` are the fields of :class:`~fine_tuning.variants.about.About` but ``files``. Raises FactrootsError where
    `folder` is there already; a failure leaves nothing.
    """
    made = []

    def fill(part: Path) -> None:
        write(part)
        files = {str(p.relative_to(part)): file_sha256(p) for p in sorted(part.rglob("*")) if p.is_file()}
        made.append(About(files=files, **about))
        write_json(part / "variant.json", made[0].model_dump(mode="json"))
        if timing is not None:
            write_json(part / TIMING, timing)

    write_whole(folder, fill)
    return Variant(Path(folder), made[0])


def write_whole(folder: Path, write: Callable[[Path], object]) -> None:
    """Have `write` fill a folder beside `folder`, and move it there whole.

    Raises FactrootsError where `folder` is there already; a failure leaves nothing.
    """
    folder = Path(folder)
    refuse_existing(folder)
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        write(part)
        if folder.is_dir():
            folder.rmdir()  # empty, as refuse_existing saw
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def refuse_existing(folder: Path) -> None:
    """Raises FactrootsError where something is in the way of a new variant."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise FactrootsError(f"{folder} is there already; remove it, or choose another --output")

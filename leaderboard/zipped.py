"""A zip file of submissions, unpacked only when nothing at all is wrong with it."""

from __future__ import annotations

import shutil
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from data_builders.archive import BROKEN, fault_of
from data_builders.errors import FactrootsError
from leaderboard.files import ANSWERS, ARCHIVE, RECORD, open_plain
from leaderboard.text import shown

#: The most members, and how many times larger than the archive they may be together.
MEMBERS, RATIO = 10_000, 200
_LIMITS = {".json": RECORD, ".parquet": ANSWERS}


def unpacked(archive: Path, folder: Path) -> Path:
    """Write an archive's members into the new folder `folder`, which is returned.

    Raises FactrootsError, a line for each thing that is wrong, before anything is written.
    """
    folder.mkdir(parents=True)
    try:
        with open_plain(archive, ARCHIVE) as file, zipfile.ZipFile(file) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            size = archive.stat().st_size
            if faults := [*_faults(opened.infolist(), members, size)]:
                raise FactrootsError("\n".join(faults))
            for member in members:
                target = folder / member.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                # Reading ends at the size that a member declares, so the sum of these bounds what is written.
                with opened.open(member) as source, open(target, "xb") as out:
                    shutil.copyfileobj(source, out)
    except (*BROKEN, OSError, ValueError) as error:
        raise FactrootsError(f"{archive.name}: is no whole zip file: {shown(error, 200)}") from error
    return folder


def _faults(everything: list[zipfile.ZipInfo], members: list[zipfile.ZipInfo], size: int) -> Iterator[str]:
    if len(everything) > MEMBERS:
        yield f"holds {len(everything):,} members, and {MEMBERS:,} are allowed"
        return
    for member in everything:
        if fault := fault_of(member):
            yield f"member {shown(member.filename)!r} {fault}"
        if member.flag_bits & 1:
            yield f"member {shown(member.filename)!r} is encrypted"
        if member.file_size > _LIMITS.get(Path(member.filename).suffix, RECORD):
            yield f"member {shown(member.filename)!r} unpacks to {member.file_size:,} bytes, which is too much"
    total = sum(member.file_size for member in members)
    if total > ARCHIVE or total > RATIO * max(size, 1):
        yield f"unpacks from {size:,} to {total:,} bytes; nothing was unpacked"
    for name, count in Counter(member.filename.lower() for member in everything).items():
        if count > 1:
            yield f"member {shown(name)!r} is there {count} times, capital letters aside"

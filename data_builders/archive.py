"""Unpacking a zip file that someone else made."""

from __future__ import annotations

import re
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from data_builders.errors import FactrootsError

#: What reading a broken archive raises.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)  # the last two: encrypted, odd


def unpack(archive: Path, folder: Path, top: str, limit: int) -> None:
    """Write what `archive` holds below its folder `top` into `folder`; hidden files stay out.

    Everything is checked before anything is written. Raises FactrootsError on a broken archive, on a member that
    would leave the folder or is no plain file, and on more than `limit` bytes in all.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [m for m in opened.infolist() if not m.is_dir()]
            for member in members:
                _check(archive, member)
            # Reading a member ends at the size it declares, so the sum of these bounds what is written.
            if sum(m.file_size for m in members) > limit:
                raise FactrootsError(
                    f"{archive}: unpacks to more than the {limit:,} bytes expected; nothing was written"
                )
            wanted = [m for m in members if _inside(m, top)]
            if not wanted:
                raise FactrootsError(f"{archive}: has no folder {top}/")
            for member in wanted:
                target = folder.joinpath(*PurePosixPath(member.filename).parts[1:])
                target.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(member) as source, open(target, "xb") as out:
                    shutil.copyfileobj(source, out)
    except BROKEN as error:
        raise FactrootsError(f"{archive}: is no whole zip file: {error}") from error


def _check(archive: Path, member: zipfile.ZipInfo) -> None:
    if fault := fault_of(member):
        raise FactrootsError(f"{archive}: member {member.filename!r} {fault}; nothing was written")


def fault_of(member: zipfile.ZipInfo) -> str | None:
    """Why a member may not be unpacked; None where it may."""
    name, kind = member.filename, stat.S_IFMT(member.external_attr >> 16)
    if name.startswith("/") or "\\" in name or re.match("[A-Za-z]:", name) or ".." in PurePosixPath(name).parts:
        return "would leave the folder"
    return None if kind in (0, stat.S_IFREG) or member.is_dir() else "is a link or a device"


def _inside(member: zipfile.ZipInfo, top: str) -> bool:
    first, *rest = PurePosixPath(member.filename).parts
    return first == top and bool(rest) and not any(part.startswith(".") for part in rest)

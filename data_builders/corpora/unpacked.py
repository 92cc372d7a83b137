"""Reading files that may be packed with bzip2 or gzip, in pieces, up to where they break."""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Iterator
from pathlib import Path

from data_builders.corpora.faults import Faults

_READ = 1 << 18  # bytes of the file at a time
_GIVE = 1 << 20  # bytes of content at a time, however well they were packed


class _Gzip:
    """zlib's decompressor, spoken to as bz2's is."""

    def __init__(self):
        self._inner, self._rest, self._full = zlib.decompressobj(31), b"", False

    def decompress(self, data: bytes, limit: int) -> bytes:
        found = self._inner.decompress(self._rest + data, limit)
        self._rest, self._full = self._inner.unconsumed_tail, len(found) == limit
        return found

    @property
    def needs_input(self) -> bool:
        return not self._rest and not self._full

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data


_PACKINGS = {b"BZh": bz2.BZ2Decompressor, b"\x1f\x8b": _Gzip}


def pieces(path: Path, faults: Faults) -> Iterator[bytes]:
    """The content of a file in pieces of at most a megabyte; what packs it is told from its first bytes.

    Several packed streams, one after the other, are one content (multistream dumps). A file that ends too early or is
    damaged gives what comes before, and a fault.
    """
    with open(path, "rb") as file:
        begins = file.read(3)
        file.seek(0)
        make = next((make for magic, make in _PACKINGS.items() if begins.startswith(magic)), None)
        if make is None:
            yield from iter(lambda: file.read(_GIVE), b"")
            return
        try:
            ended = yield from _unpacked(file, make)
        except (OSError, zlib.error) as error:
            if getattr(error, "errno", None):
                raise  # the disk, not the content
            faults.add("truncated", path.name, f"is damaged near byte {file.tell():,}: {error}")
        else:
            if not ended:
                faults.add("truncated", path.name, f"ends in the middle of its packed data, at byte {file.tell():,}")


def _unpacked(file, make) -> Iterator[bytes]:
    """The content; returns whether its last stream came to an end."""
    unpacker, data = make(), file.read(_READ)
    while data:
        yield unpacker.decompress(data, _GIVE)
        while not (unpacker.eof or unpacker.needs_input):
            yield unpacker.decompress(b"", _GIVE)
        data = (unpacker.unused_data if unpacker.eof else b"") or file.read(_READ)
        if data and unpacker.eof:
            unpacker = make()
    return unpacker.eof


def lines(path: Path, faults: Faults) -> Iterator[bytes]:
    """The lines of a file that may be packed, without their line feeds."""
    rest = b""
    for piece in pieces(path, faults):
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    if rest:
        yield rest

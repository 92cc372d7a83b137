"""What a GGUF file says of itself before its tensors: read at once, and enough to see that the file is whole.

The format: docs/gguf.md of ggml-org/ggml, versions 2 and 3.
"""

from __future__ import annotations

import math
import mmap
import struct
from pathlib import Path
from typing import NamedTuple

from data_builders.errors import FactrootsError

#: Value types of the metadata that have one size, as `struct` names them; 8 is a string and 9 an array.
_SIMPLE = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


class Tensor(NamedTuple):
    """A tensor's name, its number of weights, its type by ggml's number, and where it begins."""

    name: str
    weights: int
    kind: int
    offset: int

    @property
    def end(self) -> int:
        from gguf import GGML_QUANT_SIZES

        weights, nbytes = GGML_QUANT_SIZES[self.kind]
        return self.offset + self.weights // weights * nbytes


class Header(NamedTuple):
    """Metadata by key (of an array its length), the tensors, and the size in bytes that the file must have."""

    about: dict
    tensors: list[Tensor]
    size: int

    @property
    def architecture(self) -> str:
        return self.about["general.architecture"]

    @property
    def quantization(self) -> str | None:
        """As llama.cpp names it, Q4_K_M for one; the types of the tensors where the file has no name for its kind;
        None for plain float32."""
        from gguf import GGMLQuantizationType, LlamaFileType

        try:
            name = LlamaFileType(self.about["general.file_type"]).name.removeprefix("MOSTLY_").removeprefix("ALL_")
        except (KeyError, ValueError):
            name = "+".join(sorted({GGMLQuantizationType(tensor.kind).name for tensor in self.tensors}))
        return None if name == "F32" else name


def read_header(path: Path, name: str) -> Header:
    """The header of a GGUF file, which messages call `name`.

    Raises FactrootsError when it is no such file, is cut off, or is of a version or type that is not known.
    """
    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            header, size = _Reader(data).header(), len(data)
    except (KeyError, OverflowError, RecursionError, ValueError, struct.error) as error:
        raise FactrootsError(f"{name} is no GGUF file that can be read: {error}; fetch or make it again") from error
    if size < header.size:
        raise FactrootsError(f"{name} is cut off: it has {size:,} of {header.size:,} bytes; fetch it again")
    return header


class _Reader:
    """Walks through the bytes; what leads past their end is a struct.error."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def header(self) -> Header:
        if self.data[:4] != b"GGUF":
            raise ValueError("it does not begin with GGUF")
        self.at = 4
        if (version := self.one("I")) not in (2, 3):
            raise ValueError(f"it is of version {version}, expected 2 or 3")
        count, keys = self.one("Q"), self.one("Q")
        about = {self.text(): self.value(self.one("I")) for _ in range(keys)}
        if "general.architecture" not in about:
            raise ValueError("it names no general.architecture")
        tensors = [Tensor(self.text(), self.weights(), self.one("I"), self.one("Q")) for _ in range(count)]
        align = about.get("general.alignment", 32)
        begin = -(-self.at // align) * align
        return Header(about, tensors, begin + max((tensor.end for tensor in tensors), default=0))

    def one(self, kind: str):
        (value,) = struct.unpack_from(f"<{kind}", self.data, self.at)
        self.at += struct.calcsize(f"<{kind}")
        return value

    def text(self) -> str:
        return self.one(f"{self.one('Q')}s").decode(errors="replace")

    def weights(self) -> int:
        return math.prod(self.one("Q") for _ in range(self.one("I")))

    def value(self, kind: int):
        if kind in _SIMPLE:
            return self.one(_SIMPLE[kind])
        if kind == _STRING:
            return self.text()
        if kind != _ARRAY:
            raise ValueError(f"its metadata hold a value of unknown type {kind}")
        kind, count = self.one("I"), self.one("Q")
        if kind in _SIMPLE:
            self.at += count * struct.calcsize(f"<{_SIMPLE[kind]}")
        for _ in range(0 if kind in _SIMPLE else count):
            if kind == _STRING:  # passed over, not read: a vocabulary and its merges are a million of them
                self.at += 8 + struct.unpack_from("<Q", self.data, self.at)[0]
            else:
                self.value(kind)
        return count

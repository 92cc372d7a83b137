"""The one text grammar of every value: ``name``, ``name:path`` or ``name:path(key=a;b,flag)``.

>>> str(Spec.parse("mlama:data(relations=P36;P37,no_leaks)"))
'mlama:data(relations=P36;P37,no_leaks)'
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from data_builders.errors import FactrootsError

_SHAPE = re.compile(r"\s*(?P<name>[A-Za-z][\w.-]*)(?::(?P<path>[^()]+))?(?:\((?P<args>.*)\))?\s*", re.DOTALL)
_IN_PATH, _IN_VALUE = "%()", "%(),;="  # what would be read as grammar, and so is percent-encoded


def _encode(text: str, chars: str) -> str:
    return "".join(f"%{ord(c):02X}" if c in chars else c for c in text)


def _decode(text: str) -> str:
    return re.sub("%(25|28|29|2C|3B|3D)", lambda m: chr(int(m[1], 16)), text)


@dataclass(frozen=True)
class Spec:
    """A parsed value: a name, perhaps a path, and named parameters, each a tuple of strings (empty for a flag)."""

    name: str
    path: str | None = None
    args: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Spec:
        match = _SHAPE.fullmatch(text)
        if not match:
            raise FactrootsError(f"cannot read {text!r}; expected name, name:path or name:path(key=a;b,flag)")
        args = {}
        for part in filter(str.strip, (match["args"] or "").split(",")):
            key, _, value = part.partition("=")
            if key.strip() in args:
                raise FactrootsError(f"{key.strip()} is given twice in {text!r}")
            args[key.strip()] = tuple(_decode(v.strip()) for v in value.split(";") if v.strip())
        path = match["path"]
        return cls(match["name"], None if path is None else _decode(path), tuple(args.items()))

    def __str__(self) -> str:
        path = "" if self.path is None else ":" + _encode(self.path, _IN_PATH)
        args = ",".join(f"{k}={';'.join(_encode(x, _IN_VALUE) for x in v)}" if v else k for k, v in self.args)
        return f"{self.name}{path}({args})" if args else f"{self.name}{path}"

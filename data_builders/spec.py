"""The one text grammar of every value: ``name``, ``name:path`` or ``name:path(key=a;b,flag)``.

>>> str(Spec.parse("mlama:data(relations=P36;P37,no_leaks)"))
'mlama:data(relations=P36;P37,no_leaks)'
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from data_builders.errors import FactrootsError

_SHAPE = re.compile(r"(?P<name>[A-Za-z][\w.-]*)(?::(?P<path>[^()]+))?(?:\((?P<args>.*)\))?", re.DOTALL)
_ESCAPES = {"%": "%25", "(": "%28", ")": "%29"}


@dataclass(frozen=True)
class Spec:
    """A parsed value: a name, perhaps a path, and named parameters, each a tuple of strings (empty for a flag)."""

    name: str
    path: str | None = None
    args: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Spec:
        match = _SHAPE.fullmatch(text.strip())
        if not match:
            raise FactrootsError(f"cannot read {text!r}; expected name, name:path or name:path(key=a;b,flag)")
        args = {}
        for part in filter(None, (match["args"] or "").split(",")):
            key, _, value = part.partition("=")
            if key.strip() in args:
                raise FactrootsError(f"{key.strip()} is given twice in {text!r}")
            args[key.strip()] = tuple(v.strip() for v in value.split(";") if v.strip())
        path = match["path"]
        for char, code in reversed(_ESCAPES.items()):
            path = path and path.replace(code, char)
        return cls(match["name"], path, tuple(args.items()))

    def __str__(self) -> str:
        path = "" if self.path is None else ":" + "".join(_ESCAPES.get(c, c) for c in self.path)
        args = ",".join(f"{k}={';'.join(v)}" if v else k for k, v in self.args)
        return f"{self.name}{path}({args})" if args else f"{self.name}{path}"

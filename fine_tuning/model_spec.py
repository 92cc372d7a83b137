"""The Model value: one string that says which model, everywhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite, nan
from pathlib import Path
from typing import NamedTuple

from data_builders.errors import FactrootsError, unknown
from fine_tuning.packages import PACKAGED

DEMO = Path(__file__).parent / "demo"

#: Short names. Adding one is a line; models out of installed packages are in :mod:`fine_tuning.packages`.
ALIASES = {
    "demo": str(DEMO),
    "xlmr": "FacebookAI/xlm-roberta-base",
    "xlmr-large": "FacebookAI/xlm-roberta-large",
    "mbert": "google-bert/bert-base-multilingual-cased",
}


class Scaled(NamedTuple):
    """A variant's folder, and how many times it is applied; ``str`` is ``folder``, ``folder*0.8`` or ``-folder``."""

    folder: str
    scale: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Scaled:
        """Read ``runs/it``, ``runs/it*0.8`` or ``-runs/it*0.8``; raises FactrootsError where the scale is no number."""
        sign, name = (-1.0, text.strip()[1:]) if text.strip().startswith("-") else (1.0, text.strip())
        folder, factor = name.rsplit("*", 1) if "*" in name else (name, "1")
        try:
            scale = sign * float(factor)
        except ValueError:
            scale = nan
        if not folder or not isfinite(scale):
            raise FactrootsError(f"variant {text!r}: expected a folder, perhaps times a number: runs/it*0.8, -runs/it")
        return cls(folder.strip(), scale)

    def __str__(self) -> str:
        factor = "" if abs(self.scale) == 1 else f"*{abs(self.scale)!r}"
        return f"{'-' if self.scale < 0 else ''}{self.folder}{factor}"


@dataclass(frozen=True)
class ModelSpec:
    """Which model: an alias, a folder, a GGUF file or a hub id, perhaps ``@revision``, perhaps with variants applied in
    order: ``xlmr+runs/it+runs/capital*0.8+-runs/toxic``. ``str`` parses back to an equal value."""

    name: str
    revision: str | None = None
    variants: tuple[Scaled, ...] = ()

    @classmethod
    def parse(cls, text: str) -> ModelSpec:
        """Read a spec; raises FactrootsError for anything else."""
        if "+" not in text or Path(text).exists():
            return cls._parse_base(text)
        base, *variants = text.split("+")
        return replace(cls._parse_base(base.strip()), variants=tuple(map(Scaled.parse, variants)))

    @classmethod
    def _parse_base(cls, text: str) -> ModelSpec:
        """Read ``xlmr``, ``./dir``, ``file.gguf`` or ``org/name@revision``."""
        if Path(text).is_dir() or _is_gguf(text):
            return cls(text)
        if Path(text).is_file():
            raise FactrootsError(f"model {text} is a file, but no *.gguf; a model is that, or a folder")
        name, _, revision = text.strip().partition("@")
        if name.startswith((".", "/", "~")) or name.endswith(".gguf") or name.count("/") > 1:
            raise FactrootsError(f"model {text}: no such {'file' if name.endswith('.gguf') else 'folder'}")
        if name not in {**ALIASES, **PACKAGED} and "/" not in name:
            raise FactrootsError(
                f"{unknown('model', name, {**ALIASES, **PACKAGED})}; or a folder (./dir), a GGUF file (x.gguf), "
                "or a hub id (org/name)"
            )
        if name in PACKAGED and revision:
            raise FactrootsError(f"model {text}: {name} is one file and has no revisions; leave @{revision} out")
        return cls(name, revision or None)

    def __str__(self) -> str:
        base = f"{self.name}@{self.revision}" if self.revision else self.name
        return "+".join([base, *map(str, self.variants)])

    @property
    def base(self) -> ModelSpec:
        """The same without its variants."""
        return replace(self, variants=())

    @property
    def location(self) -> str:
        """The folder, file or hub id behind the name."""
        return ALIASES.get(self.name, self.name)

    @property
    def is_gguf(self) -> bool:
        return _is_gguf(self.name)

    @property
    def is_local(self) -> bool:
        """Whether it is a path here."""
        return Path(self.location).is_dir() or self.is_gguf


def _is_gguf(text: str) -> bool:
    return text.endswith(".gguf") and Path(text).is_file()

"""The Model value: one string that says which model, everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class ModelSpec:
    """Which model: an alias, a folder, a GGUF file or a hub id, perhaps ``@revision``. ``str`` parses back to an equal
    value."""

    name: str
    revision: str | None = None

    @classmethod
    def parse(cls, text: str) -> ModelSpec:
        """Read ``xlmr``, ``./dir``, ``file.gguf`` or ``org/name@revision``; raises FactrootsError for anything else."""
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
        return f"{self.name}@{self.revision}" if self.revision else self.name

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

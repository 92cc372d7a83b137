"""The Model value: one string that says which model, everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from data_builders.errors import FactrootsError, unknown

DEMO = Path(__file__).parent / "demo"

#: Short names. Adding one is a line.
ALIASES = {
    "demo": str(DEMO),
    "xlmr": "FacebookAI/xlm-roberta-base",
    "xlmr-large": "FacebookAI/xlm-roberta-large",
    "mbert": "google-bert/bert-base-multilingual-cased",
}


@dataclass(frozen=True)
class ModelSpec:
    """Which model: an alias, a folder or a hub id, perhaps ``@revision``. ``str`` parses back to an equal value."""

    name: str
    revision: str | None = None

    @classmethod
    def parse(cls, text: str) -> ModelSpec:
        """Read ``xlmr``, ``./dir`` or ``org/name@revision``; raises FactrootsError for what can be none of these."""
        if Path(text).is_dir():
            return cls(text)
        name, _, revision = text.strip().partition("@")
        if name not in ALIASES and "/" not in name:
            raise FactrootsError(f"{unknown('model', name, ALIASES)}; or a folder (./dir), or a hub id (org/name)")
        if name.startswith((".", "/", "~")) or name.count("/") > 1:
            raise FactrootsError(f"model {text}: no such folder")
        return cls(name, revision or None)

    def __str__(self) -> str:
        return f"{self.name}@{self.revision}" if self.revision else self.name

    @property
    def location(self) -> str:
        """The folder or hub id behind the name."""
        return ALIASES.get(self.name, self.name)

    @property
    def is_local(self) -> bool:
        return Path(self.location).is_dir()

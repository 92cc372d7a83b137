"""What is swept, and the folder that it is kept in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from data_builders.errors import FactrootsError
from data_builders.folder import read_json, write_json
from fine_tuning.models import Loaded
from probe.geometry.conditions import Condition, expanded
from probe.geometry.fits import Fits
from probe.geometry.masks import Words, askings, digest
from probe.geometry.measures import Measure
from probe.signature import version

SCHEMA_VERSION = 1
FILE = "asked.json"


@dataclass(frozen=True)
class Plan:
    """Languages A, languages B, layers, conditions by name, and what the numbers are made with.

    variance : the share of it that subspaces hold. seed : of masks and of random axes. specials : whether
    the states of special tokens are moved too.
    """

    langs: tuple[str, ...]
    others: tuple[str, ...]
    layers: tuple[int, ...]
    conditions: tuple[str, ...]
    measure: Measure
    variance: float
    seed: int = 0
    specials: bool = True

    def of(self, lang: str, fits: Fits) -> list[Condition]:
        """The conditions of a language."""
        return expanded(self.conditions, lang, self.others, fits)


def describe(plan: Plan, fits: Fits, loaded: Loaded) -> dict:
    """Everything that decides the rows; ``masks`` are hashes of all that is read and asked of each language."""
    words = Words.of(loaded.tokenizer)
    asked = {lang: askings(plan.measure, fits.sequences(lang).test, lang, words, plan.seed) for lang in plan.langs}
    return {
        "schema_version": SCHEMA_VERSION,
        "version": version(),
        "fits": fits.about.model_dump(mode="json"),
        "device": loaded.model.device.type,
        "measure": str(plan.measure),
        "variance": plan.variance,
        "seed": plan.seed,
        "specials": plan.specials,
        "layers": list(plan.layers),
        "conditions": {lang: [str(one) for one in plan.of(lang, fits)] for lang in plan.langs},
        "masks": {lang: digest(own) for lang, own in asked.items()},
    }


class Swept:
    """The folder of a sweep: ``asked.json``, and ``rows-<lang>.parquet`` for each language."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)

    def rows(self, lang: str) -> Path:
        return self.folder / f"rows-{lang}.parquet"

    def asked(self) -> dict:
        """What was claimed."""
        return read_json(self.folder / FILE)

    def claim(self, asked: dict) -> None:
        """Make the folder this sweep's, or find that it is already; raises FactrootsError where it is another's."""
        path = self.folder / FILE
        if not path.exists():
            if any(p for p in self.folder.iterdir() if p.name[0] != "."):
                raise FactrootsError(f"{self.folder} is not empty and holds no sweep; choose another --output")
            write_json(path, asked)
        held = self.asked()
        if differ := sorted(key for key in held.keys() | asked.keys() if held.get(key) != asked.get(key)):
            raise FactrootsError(
                f"{self.folder} holds another sweep (its {', '.join(differ)} differ); choose another --output"
            )

"""A folder of neurons, filled language by language; the same command goes on after a kill and ends with the same."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data_builders.errors import FactrootsError
from data_builders.factset import OpenFactSet
from data_builders.folder import lock, write_json
from probe.signature import version
from probe.tracing.neurons.asked import SCORING, questions
from probe.tracing.neurons.find import NEURONS, find, keep
from probe.tracing.neurons.model import Model
from probe.tracing.neurons.seeking import Seeking

SCHEMA_VERSION = 1


class Kept:
    """The folder: ``neurons.json``, and for each language ``neurons-<lang>.parquet`` and ``<lang>.json``."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)

    def read(self) -> dict:
        """What was looked for (``neurons.json``). Raises FactrootsError where there is none."""
        path = self.folder / "neurons.json"
        if not path.exists():
            raise FactrootsError(f"{self.folder} holds no neurons; make them with `probe trace-roots`")
        return _json(path)

    def table(self) -> pa.Table:
        """All languages' rows (:data:`probe.tracing.neurons.find.NEURONS`)."""
        paths = [self.folder / f"neurons-{lang}.parquet" for lang in self.read()["data"]["langs"]]
        if missing := [path.name for path in paths if not path.exists()]:
            raise FactrootsError(f"{self.folder} is not finished ({missing[0]} missing); repeat its command")
        return pa.concat_tables(pq.read_table(path) for path in paths)

    def unasked(self) -> dict[str, Counter[str]]:
        """By language, how many right facts have no neurons, by the reason."""
        return {lang: Counter(_json(self.folder / f"{lang}.json")) for lang in self.read()["data"]["langs"]}

    def claim(self, about: dict) -> None:
        """Make the folder that of these neurons, or find that it is already."""
        path = self.folder / "neurons.json"
        if not path.exists():
            write_json(path, about)
        elif (held := _json(path)) != about:
            differ = ", ".join(sorted(k for k in about.keys() | held.keys() if held.get(k) != about.get(k)))
            raise FactrootsError(f"{self.folder} holds other neurons (their {differ} differ); choose another --output")


def _json(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise FactrootsError(f"{path} is not readable JSON: {error}; remove its folder") from error


def describe(
    data: OpenFactSet,
    model: Model,
    right: Mapping[str, Collection[str]],
    seeking: Seeking,
    scoring: str | None = None,
) -> dict:
    """Everything that decides which neurons are found; `right` are the keys of each language's right facts."""
    facts = json.dumps({lang: sorted(right[lang]) for lang in data.langs}, ensure_ascii=False)
    return {
        "schema_version": SCHEMA_VERSION,
        "version": version(),
        "facts": data.spec.portable,
        "data": {"sha256": data.sha256, "langs": list(data.langs)},
        "right": hashlib.sha256(facts.encode()).hexdigest(),
        "model": model.about,
        "scoring": scoring or SCORING[model.family],
        "neurons": str(seeking),
    }


def carry_out(
    data: OpenFactSet,
    model: Model,
    right: Mapping[str, Collection[str]],
    seeking: Seeking,
    folder: Path,
    bar,
    scoring: str | None = None,
) -> Kept:
    """Find the neurons of every language's right facts, those of finished languages excepted, and keep them."""
    about, made = describe(data, model, right, seeking, scoring), Kept(folder)
    with lock(made.folder):
        made.claim(about)
        for lang in data.langs:
            bar.start(lang, len(right[lang]))
            path = made.folder / f"neurons-{lang}.parquet"
            if path.exists():
                bar.advance(len(right[lang]), before=True)
                continue
            unasked: Counter[str] = Counter()
            asked = questions(data, model.loaded, lang, right[lang], scoring, unasked)
            rows = find(asked, model.reader, lang, seeking, unasked, bar)
            keep(path, NEURONS, _then(rows, made.folder / f"{lang}.json", unasked))
    return made


def _then(rows: Iterator[pa.RecordBatch], path: Path, unasked: Counter[str]) -> Iterator[pa.RecordBatch]:
    """The rows; at their end, before the table is there, what has none is written down."""
    yield from rows
    write_json(path, dict(sorted(unasked.items())))

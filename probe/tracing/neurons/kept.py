"""A folder of neurons, filled language by language; the same command goes on after a kill and ends with the same."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data_builders.errors import FactrootsError
from data_builders.factset import OpenFactSet
from fine_tuning.models import Loaded
from probe.signature import version
from probe.store import lock, write_json
from probe.tracing.neurons.asked import SCORING, questions
from probe.tracing.neurons.find import find, keep
from probe.tracing.neurons.reading import Reader
from probe.tracing.neurons.seeking import Seeking

SCHEMA_VERSION = 1


class Kept:
    """The folder: ``neurons.json``, and for each language ``neurons-<lang>.parquet`` and ``<lang>.json``."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)

    def read(self) -> dict:
        """What was looked for (``neurons.json``). Raises FactrootsError where there is none."""
        path = self.folder / "neurons.json"
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise FactrootsError(f"{self.folder} holds no neurons; make them with `probe trace-roots`") from error
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise FactrootsError(f"{path} is not readable JSON: {error}; remove the folder") from error

    def table(self) -> pa.Table:
        """All languages' rows (:data:`probe.tracing.neurons.find.NEURONS`)."""
        paths = [self.folder / f"neurons-{lang}.parquet" for lang in self.read()["data"]["langs"]]
        if missing := [path.name for path in paths if not path.exists()]:
            raise FactrootsError(f"{self.folder} is not finished ({missing[0]} missing); repeat its command")
        return pa.concat_tables(pq.read_table(path) for path in paths)

    def unasked(self) -> dict[str, Counter[str]]:
        """By language, how many right facts have no neurons, by the reason."""
        langs = self.read()["data"]["langs"]
        return {lang: Counter(json.loads((self.folder / f"{lang}.json").read_text(encoding="utf-8"))) for lang in langs}


def describe(
    data: OpenFactSet,
    loaded: Loaded,
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
        "model": {"id": str(loaded.id), "sha256": loaded.sha256, "dtype": loaded.dtype},
        "scoring": scoring or SCORING.get(loaded.family, loaded.family),
        "neurons": str(seeking),
    }


def carry_out(
    data: OpenFactSet,
    loaded: Loaded,
    right: Mapping[str, Collection[str]],
    seeking: Seeking,
    folder: Path,
    bar,
    scoring: str | None = None,
) -> Kept:
    """Find the neurons of every language's right facts, those of finished languages excepted, and keep them."""
    about, made = describe(data, loaded, right, seeking, scoring), Kept(folder)
    with lock(made.folder):
        if (made.folder / "neurons.json").exists():
            if (held := made.read()) != about:
                differ = ", ".join(sorted(k for k in about.keys() | held.keys() if held.get(k) != about.get(k)))
                raise FactrootsError(f"{folder} holds other neurons (their {differ} differ); choose another --output")
        else:
            write_json(made.folder / "neurons.json", about)
        reader = Reader(loaded)
        for lang in data.langs:
            bar.start(lang, len(right[lang]))
            path = made.folder / f"neurons-{lang}.parquet"
            if path.exists():
                bar.advance(len(right[lang]))
                continue
            unasked: Counter[str] = Counter()
            asked = questions(data, loaded, lang, right[lang], scoring, unasked)
            rows = _then(find(asked, reader, lang, seeking, unasked, bar), made.folder / f"{lang}.json", unasked)
            keep(path, rows)
    return made


def _then(rows, path: Path, unasked: Counter[str]):
    """The rows; at their end, before the table is there, what has none is written down."""
    yield from rows
    write_json(path, dict(sorted(unasked.items())))

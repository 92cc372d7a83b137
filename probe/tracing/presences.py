"""Presence over a whole corpus: a folder that is filled language by language, and goes on after a kill."""

from __future__ import annotations

import hashlib
import json
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_builders.corpora.built import Built
from data_builders.corpora.recognise import stop_words
from data_builders.errors import FactrootsError
from data_builders.factset import OpenFactSet
from data_builders.folder import lock, read_json, write_atomically, write_json
from probe.signature import version
from probe.tracing import presence
from probe.tracing.counting import Counts
from probe.tracing.grouping import COLUMNS
from probe.tracing.matching import Matching
from probe.tracing.unit import Unit

SCHEMA_VERSION = 1
_SAVED = 10.0  # seconds between two notes of what has been counted


@dataclass(frozen=True)
class Asking:
    """What is asked of a corpus: units, all told by one reading, what a name's occurrence is, the shuffling's seed."""

    units: tuple[Unit, ...]
    matching: Matching
    seed: int = 0

    def __post_init__(self):
        if len({unit.pieces for unit in self.units}) > 1:
            raise FactrootsError("units of characters and of word-pieces need two readings; ask for them apart")

    @property
    def pieces(self) -> str | None:
        """The model whose word-pieces are read, if any."""
        return self.units[0].pieces


class Presences:
    """The folder: ``presence.json``, and ``presence-``, ``shuffled-<lang>.parquet`` and ``<lang>.json``."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)

    def read(self) -> dict:
        """What was asked (``presence.json``). Raises FactrootsError where there is none, or not the whole of it."""
        if not (self.folder / "presence.json").exists():
            raise FactrootsError(f"{self.folder} holds no presence; make one with `probe presence`")
        about = read_json(self.folder / "presence.json")
        if about.get("schema_version") != SCHEMA_VERSION:
            raise FactrootsError(f"{self.folder} was made by another version of factroots; choose another --output")
        return about

    def table(self, lang: str, unit: Unit) -> pa.Table:
        """The facts of a language (:data:`probe.tracing.presence.PRESENCE`)."""
        return self._of(self.folder / f"presence-{lang}.parquet", unit)

    def shuffled(self, lang: str, unit: Unit) -> pa.Table:
        """The shuffled facts of a language (:data:`probe.tracing.presence.SHUFFLED`)."""
        return self._of(self.folder / f"shuffled-{lang}.parquet", unit)

    def totals(self, lang: str) -> dict:
        """Of a language: units by kind, things that are named somewhere, of how many, and names that are stop-words."""
        return read_json(self.folder / f"{lang}.json")

    def _of(self, path: Path, unit: Unit) -> pa.Table:
        if not path.exists():
            raise FactrootsError(f"{self.folder} is not finished ({path.name} missing); repeat its command")
        table = pq.read_table(path)
        found = table.filter(pc.equal(table["unit"], str(unit)))
        if not len(found) and len(table):
            raise FactrootsError(f"{self.folder} has no unit {unit}; it has: {', '.join(self.read()['units'])}")
        return found.drop_columns("unit")


def describe(data: OpenFactSet, corpus: Built, asking: Asking, tokenizer=None) -> dict:
    """Everything that decides a presence: its ``presence.json``, from which its folder's default name is derived."""
    absent = [lang for lang in data.langs if lang not in corpus.langs]
    if absent:
        raise FactrootsError(f"the corpus has no {', '.join(absent)}; it has: {' '.join(corpus.langs)}")
    return {
        "schema_version": SCHEMA_VERSION,
        "version": version(),
        "facts": data.spec.portable,
        "data": {"sha256": data.sha256, "langs": list(data.langs)},
        "corpus": {lang: corpus.sha256(lang) for lang in data.langs},
        "units": [str(unit) for unit in asking.units],
        "names": str(asking.matching),
        "tokenizer": None if tokenizer is None else _sha256(tokenizer),
        "seed": asking.seed,
    }


def _sha256(tokenizer) -> str:
    """Of everything that decides how a tokenizer spells."""
    return hashlib.sha256(tokenizer.backend_tokenizer.to_str().encode()).hexdigest()


def default_folder(about: dict) -> Path:
    """``runs/presence-<facts>-<hash>``, the hash over all that decides the numbers."""
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:10]
    return Path("runs") / f"presence-{about['facts'].partition('(')[0]}-{digest}"


def carry_out(data: OpenFactSet, corpus: Built, asking: Asking, folder: Path, bar, tokenizer=None) -> Presences:
    """Make or finish the presence of every language in `folder`; `bar` is told of passages."""
    about, made = describe(data, corpus, asking, tokenizer), Presences(folder)
    with lock(folder):
        if (folder / "presence.json").exists():
            held = made.read()
            if held != about:
                differ = ", ".join(sorted(k for k in about.keys() | held.keys() if held.get(k) != about.get(k)))
                raise FactrootsError(f"{folder} holds another presence (its {differ} differ); choose another --output")
        else:
            write_json(folder / "presence.json", about)
        for lang in data.langs:
            rows = corpus.about["languages"][lang]["sentences"]
            bar.start(lang, rows)
            if (folder / f"{lang}.json").exists():
                bar.advance(rows, before=True)
            else:
                _language(data, corpus, asking, folder, lang, bar, tokenizer)
    return made


def _language(data, corpus: Built, asking: Asking, folder: Path, lang: str, bar, tokenizer) -> None:
    asked = presence.wanted(data.table(lang), asking.matching, asking.seed, tokenizer)
    counts = {unit: presence.fresh(asked) for unit in asking.units}
    note = folder / f".{lang}.npz"
    done, saved = _resume(note, counts), time.monotonic()
    for number, (first, batch) in enumerate(presence.blocks(corpus.blocks(lang, COLUMNS, presence.ROWS))):
        if number >= done:
            presence.add(batch, first, asked, asking.matching.overlap, counts)
            if time.monotonic() - saved > _SAVED:
                _save(note, counts, number + 1)
                saved = time.monotonic()
        bar.advance(len(batch), before=number < done)
    found = {unit: presence.found(asked, sums) for unit, sums in counts.items()}
    for name in ("table", "shuffled"):
        parts = [_with_unit(getattr(one, name), unit) for unit, one in found.items()]
        path = folder / f"{'presence' if name == 'table' else name}-{lang}.parquet"
        write_atomically(path, lambda part, parts=parts: pq.write_table(pa.concat_tables(parts), part))
    named, looked = next(iter(found.values())).named
    common = sorted(stop_words(lang) & set(asked.names.names))
    totals = {
        "units": {str(unit): one.units for unit, one in found.items()},
        "named": named,
        "looked_for": looked,
        "stop_words": common,
    }
    write_json(folder / f"{lang}.json", totals)
    note.unlink(missing_ok=True)


def _with_unit(table: pa.Table, unit: Unit) -> pa.Table:
    return table.add_column(0, "unit", pa.array([str(unit)] * len(table), pa.string()))


def _save(path: Path, counts: dict[Unit, Counts], done: int) -> None:
    arrays = {f"{unit}|{name}": part for unit, sums in counts.items() for name, part in sums._asdict().items()}

    def write(part: Path) -> None:
        with open(part, "wb") as file:
            np.savez(file, done=done, **arrays)

    write_atomically(path, write)


def _resume(path: Path, counts: dict[Unit, Counts]) -> int:
    """Fill `counts` with what a stopped run had noted; the number of blocks that it had counted."""
    if not path.exists():
        return 0
    try:
        with np.load(path, allow_pickle=False) as file:
            noted = {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile):  # a machine that went down may leave half of it
        return 0
    for unit, sums in counts.items():
        for name, part in sums._asdict().items():
            part[...] = noted[f"{unit}|{name}"]
    return int(noted["done"])

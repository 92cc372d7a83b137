"""How fast presence is read, as ratios taken in one run; `python tests/benchmarks/presence_speed.py --help`.

A corpus is grown from real sentences (DIR/<lang>.txt, in a new order each time), and all names of mLAMA looked for:

1. MB of text a second of processor time, and peak memory, over the whole corpus, Parquet included; then over half of
   it, and with half of the facts.
2. On a part of it: against the bare scan of an Aho-Corasick automaton (ahocorasick-rs, one call a sentence, nothing
   done with what it finds); against `grep -F -f` for the names alone; and against Lucene, which indexes the part and is
   asked for the number of passages of every pair (an AND of two phrases of our tokens).

Times are processor time, so that what else a machine does counts little.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data_builders.corpora.built import Built
from data_builders.corpora.passages import DOCUMENTS, PASSAGES
from data_builders.factset import FactSet
from data_builders.progress import Quiet
from probe.tracing import presence
from probe.tracing.characters import fold
from probe.tracing.grouping import COLUMNS
from probe.tracing.matching import Matching
from probe.tracing.unit import Unit

SENTENCE = Unit("sentence")
_ROWS = 65536  # of a row group


def grow(source: Path, megabytes: float, folder: Path, lang: str, seed: int) -> Built:
    """A built corpus of so much text, a document twenty sentences."""
    lines = [line for line in source.read_text(encoding="utf-8").split("\n") if line]
    size = sum(len(line.encode()) for line in lines)
    turns = max(1, round(megabytes * 1e6 / size))
    draw, rows = np.random.default_rng(seed), 0
    folder.mkdir(parents=True)
    with pq.ParquetWriter(folder / f"passages-{lang}.parquet", PASSAGES, compression="zstd") as writer:
        for _ in range(turns):
            number = np.arange(rows, rows + len(lines))
            sentence = number % 20
            columns = [
                number // 20,
                sentence // 5,
                sentence % 5,
                sentence < 5,
                [lines[i] for i in draw.permutation(len(lines))],
            ]
            arrays = [pa.array(column, kind) for column, kind in zip(columns, PASSAGES.types, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=PASSAGES), row_group_size=_ROWS)
            rows += len(lines)
    documents = rows // 20 + 1
    columns = [
        [f"{i}" for i in range(documents)],
        [""] * documents,
        [None] * documents,
        [0] * documents,
        [0] * documents,
    ]
    pq.write_table(pa.table(columns, schema=DOCUMENTS), folder / f"documents-{lang}.parquet")
    about = {"documents": documents, "sentences": rows, "bytes": size * turns, "sha256": f"{lang}{turns}"}
    return Built(folder, (lang,), {"languages": {lang: about}})


def read(corpus: Built, lang: str, asked) -> presence.Found:
    """What `probe presence` does with a language's text."""
    sums = {SENTENCE: presence.fresh(asked)}
    for first, batch in presence.blocks(corpus.blocks(lang, COLUMNS, presence.ROWS)):
        presence.add(batch, first, asked, "longest", sums)
    return presence.found(asked, sums[SENTENCE])


def timed(call, *arguments):
    """What a call gives, and its processor time in seconds."""
    began = time.process_time()
    found = call(*arguments)
    return found, time.process_time() - began


def texts(corpus: Built, lang: str) -> list[str]:
    return [text for batch in corpus.blocks(lang, ("text",)) for text in batch["text"].to_pylist()]


def bare(names: list[str], rows: list[str]) -> float:
    """Seconds of an automaton's scan alone; folding costs it nothing."""
    import ahocorasick_rs

    automaton = ahocorasick_rs.AhoCorasick(names)
    began = time.process_time()
    for row in rows:
        automaton.find_matches_as_indexes(row, overlapping=True)
    return time.process_time() - began


def grep(names: list[str], rows: list[str]) -> float:
    """Seconds of `grep -F -f NAMES -c`."""
    with tempfile.TemporaryDirectory() as scratch:
        for name, lines in (("names", names), ("text", rows)):
            (Path(scratch) / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        words = ["grep", "-F", "-c", "-f", f"{scratch}/names", f"{scratch}/text"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(words, check=False, stdout=subprocess.DEVNULL, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def lucene(corpus: Built, lang: str, asked) -> tuple[float, float]:
    """Seconds of indexing, and of counting every pair's passages by its first names."""
    from data_builders.folder import read_json
    from probe.tracing.evidence import lucene as engine
    from probe.tracing.evidence.index import FILE, Kind, ensure, exact_field
    from probe.tracing.evidence.tokens import phrase

    folder, indexing = timed(ensure, corpus, Kind(lang), Quiet())
    opened, field = engine.searcher(folder), exact_field(read_json(folder / FILE))
    known, name_of = asked.names, {}
    for i, name in enumerate(known.names):
        for thing in known.owners[known.starts[i] : known.starts[i + 1]].tolist():
            name_of.setdefault(thing, name)
    pairs = {tuple(pair) for pair, fault in zip(known.pairs.tolist(), known.faults, strict=True) if fault is None}

    def count() -> None:
        for pair in pairs:
            sides = (engine.tokens_query(opened, field, phrase(name_of[side])) for side in pair)
            opened.count(engine.all_of(sides))

    return indexing, timed(count)[1]


def peak(lang: str, corpus: Path, mlama: str) -> float:
    """MB at most that a process of its own takes to read a corpus."""
    words = [sys.executable, __file__, "--peak", str(corpus), "--langs", lang, "--mlama", mlama]
    pool = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system"}  # as the command line has it
    return float(subprocess.run(words, check=True, capture_output=True, text=True, env=pool).stdout)


def measure(lang: str, options) -> None:
    """Print a language's figures."""
    facts = FactSet.parse(f"mlama:{options.mlama}").open([lang]).table(lang)
    asked, making = timed(presence.wanted, facts, Matching(), 0)
    half = presence.wanted(facts.slice(0, len(facts) // 2), Matching(), 0)
    with tempfile.TemporaryDirectory() as scratch:
        place, file = Path(scratch), options.sentences / f"{lang}.txt"
        whole = grow(file, options.megabytes, place / "whole", lang, 0)
        less = grow(file, options.megabytes / 2, place / "half", lang, 1)
        part = grow(file, options.part, place / "part", lang, 2)
        read(part, lang, asked)  # compiles
        print(f"{lang}: {len(facts):,} facts, {len(asked.names.names):,} names; made ready in {making:.1f} s")
        size, seconds = whole.about["languages"][lang]["bytes"] / 1e6, timed(read, whole, lang, asked)[1]
        peaks = [peak(lang, place / name, options.mlama) for name in ("whole", "half")]
        print(f"   {size:,.0f} MB in {seconds:.1f} s: {size / seconds:.0f} MB/s; peak {peaks[0]:,.0f} MB")
        print(
            f"   half the text: {seconds / timed(read, less, lang, asked)[1]:.2f} times less; peak {peaks[1]:,.0f} MB"
        )
        print(f"   half the facts: {seconds / timed(read, whole, lang, half)[1]:.2f} times less")
        own = timed(read, part, lang, asked)[1]
        rows = [fold(text, "exact") for text in texts(part, lang)]
        print(f"   {options.part:g} MB: {own:.2f} s; {own / bare(asked.names.names, rows):.2f} times the bare scan, "
              f"{own / grep(asked.names.names, rows):.2f} times grep's search for the names alone")  # fmt: skip
        if not options.no_lucene:
            indexing, counting = lucene(part, lang, asked)
            print(f"   Lucene: {(indexing + counting) / (own + making):.1f} times as long ({indexing:.1f} s to index, "
                  f"{counting:.1f} s to ask), ours made ready included")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=Path, help="a folder of <lang>.txt")
    parser.add_argument("--mlama", required=True, help="mLAMA's folder")
    parser.add_argument("--langs", default="en,it,ja")
    parser.add_argument("--megabytes", type=float, default=340, help="of text, each language")
    parser.add_argument("--part", type=float, default=30, help="MB that the others are compared on")
    parser.add_argument("--no-lucene", action="store_true")
    parser.add_argument("--peak", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    for lang in options.langs.split(","):
        if options.peak:
            facts = FactSet.parse(f"mlama:{options.mlama}").open([lang]).table(lang)
            corpus = Built(options.peak, (lang,), {"languages": {lang: {}}})
            read(corpus, lang, presence.wanted(facts, Matching(), 0))
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
        else:
            measure(lang, options)


if __name__ == "__main__":
    main()

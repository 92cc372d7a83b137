"""How fast a board is ranked, against a plain loop over its pairs; `--help`.

The loop does of each pair what `probe compare` does: both submissions' answers lined up, then a bootstrap of their
difference. It is timed on some pairs, and all would take as many times longer as there are more.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from itertools import combinations, islice
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from leaderboard.answers import NAMES, SCHEMA, read
from leaderboard.drawn import draw
from leaderboard.letters import letters
from leaderboard.matrix import COLUMNS, matrix
from leaderboard.told_apart import told_apart
from probe.judging import hashes
from probe.pairs import paired


def write(folder: Path, models: int, langs: int, facts: int) -> list[Path]:
    """Per-item files as a board has them, of models whose skills differ."""
    draw_ = np.random.default_rng(0)
    relations = 40
    each = facts // relations
    relation = np.tile(np.repeat([f"P{i}" for i in range(relations)], each), langs)
    subject = np.tile([f"Q{i}" for i in range(each * relations)], langs)
    lang = np.repeat([f"l{i:02}" for i in range(langs)], each * relations)
    item = [f"{r}|{s}" for r, s in zip(relation, subject, strict=True)]
    hard = draw_.random(each * relations)[np.tile(np.arange(each * relations), langs)]
    rest = {name: np.zeros(len(item)) for name in ("template", "p5", "p10", "rr", "chance", "pieces")}
    columns = {"lang": lang, "relation": relation, "item": item, "subject_uri": subject, **rest}
    columns["golds"] = [[0]] * len(item)
    arrays = {name: pa.array(values, SCHEMA.field(name).type) for name, values in columns.items()}
    paths = []
    for number in range(models):
        right = 0.4 * hard + 0.6 * draw_.random(len(item)) < 0.2 + 0.5 * number / models
        arrays["p1"] = pa.array(right.astype(float))
        paths.append(folder / f"{number}.parquet")
        table = pa.Table.from_arrays([arrays[name] for name in SCHEMA.names], schema=SCHEMA)
        pq.write_table(table, paths[-1], compression="zstd", use_dictionary=NAMES)
    return paths


def by_pairs(paths: list[Path], pairs: int) -> float:
    """Seconds a pair."""
    began = time.process_time()
    for a, b in islice(combinations(paths, 2), pairs):
        left, right = (read(path, COLUMNS).astype({"lang": object, "relation": object}) for path in (a, b))
        key = ["lang", "relation", "item", "template", "subject_uri"]
        both = left.merge(right, on=key, suffixes=("_a", "_b")).rename(columns={"p1_a": "a", "p1_b": "b"})
        paired(both.assign(subject_uri=hashes(pd.Series(both["subject_uri"].astype(object)))), "macro")
    return (time.process_time() - began) / pairs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=500)
    parser.add_argument("--langs", type=int, default=53)
    parser.add_argument("--facts", type=int, default=2000, help="facts of each language")
    parser.add_argument("--pairs", type=int, default=1, help="pairs that the plain loop is timed on")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = write(Path(folder), options.models, options.langs, options.facts)
        before, spent = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, {}

        def timed(what: str, function, *arguments):
            began = time.process_time()
            found = function(*arguments)
            spent[what] = time.process_time() - began
            return found

        lined = timed("answers read", lambda: matrix(read(path, COLUMNS) for path in paths))
        drawn = timed("scores drawn", draw, lined, "macro")
        pairs = timed("pairs told apart", told_apart, drawn)
        order = np.argsort(-drawn.own()[:, 0])
        timed("letters", letters, ~(pairs.better | pairs.better.T)[np.ix_(order, order)])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        whole = sum(spent.values())
        print(f"{options.models:,} models on {len(lined.items):,} facts: {whole:.1f} s of processor time", flush=True)
        print(", ".join(f"{what} {seconds:.1f} s" for what, seconds in spent.items()))
        print(f"peak memory {peak / 1e3:,.0f} MB, {before / 1e3:,.0f} MB before", flush=True)
        one = by_pairs(paths, options.pairs)
    number = options.models * (options.models - 1) // 2
    times = one * number / whole
    print(f"a pair by itself {one:.2f} s, {number:,} pairs {one * number / 3600:,.1f} h: {times:,.0f} times as long")


if __name__ == "__main__":
    main()

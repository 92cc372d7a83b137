"""Presence in real sentences, against a search for one fact at a time, and another matcher's counts."""

from __future__ import annotations

import random
import re

import pyarrow as pa
import pytest

from data_builders.factset import FactSet
from probe.tracing import presence
from probe.tracing.characters import fold
from probe.tracing.grouping import COLUMNS
from probe.tracing.matching import Matching
from probe.tracing.unit import Unit

LANGS = ("af", "de", "en", "es", "fr", "it", "ja")
SENTENCE = Unit("sentence")
#: Facts present in the real sentences of each language: most of English, French and so on, fewest of Afrikaans.
ORDER = ("fr", "es", "it", "ja", "en", "de", "af")


def batch(lines):
    n = len(lines)
    columns = [
        pa.array(range(n), pa.int32()),
        *[pa.array([0] * n, pa.int32())] * 2,
        pa.array([True] * n),
        pa.array(lines),
    ]
    return pa.RecordBatch.from_arrays(columns, names=list(COLUMNS))


@pytest.fixture(scope="module")
def read(shared_data):
    """A function from a language and an overlap rule to its facts' presence and the sentences, each read once."""
    mlama, sentences, made = shared_data("mlama1.1"), shared_data("wikipedia_sentences"), {}

    def of(lang, overlap):
        if (lang, overlap) not in made:
            lines = [x for x in (sentences / f"{lang}.txt").read_text(encoding="utf-8").split("\n") if x.strip()]
            asked = presence.wanted(
                FactSet.parse(f"mlama:{mlama}").open([lang]).table(lang), Matching(overlap=overlap), 0
            )
            sums = {SENTENCE: presence.fresh(asked)}
            presence.add(batch(lines), 0, asked, overlap, sums)
            made[lang, overlap] = presence.found(asked, sums[SENTENCE]).table, lines
        return made[lang, overlap]

    return of


def standing(name: str, lines: list[str], lang: str) -> list[list[tuple[int, int]]]:
    """Where a name stands in each line: whole words, but in Japanese anywhere that no Latin word is cut."""
    edges = ("", "") if lang == "ja" and not re.match(r"\w", name, re.ASCII) else (r"(?<!\w)", r"(?!\w)")
    pattern = re.compile(
        edges[0] * bool(re.match(r"\w", name)) + re.escape(name) + edges[1] * bool(re.search(r"\w$", name))
    )
    return [[m.span() for m in pattern.finditer(line)] if name in line else [] for line in lines]


@pytest.mark.parametrize("lang", ["af", "de", "en", "it"])
def test_as_regular_expressions_count_them(read, lang):
    """A sample of facts that are there and of facts that are not, every name inside another found too."""
    table, lines = read(lang, "all")
    lines = [fold(line, "exact") for line in lines]
    rows = [row for row in table.to_pylist() if row["fault"] is None]
    draw = random.Random(5)
    there = [row for row in rows if row["units"]]
    chosen = draw.sample(there, min(60, len(there))) + draw.sample(rows, 60)
    labels = {}
    for row in rows:
        for side in ("subject", "object"):
            labels.setdefault(row[f"{side}_uri"], set()).add(fold(row[side], "exact"))
    for row in chosen:
        if len(labels[row["subject_uri"]]) > 1 or len(labels[row["object_uri"]]) > 1:
            continue
        own, other = (standing(fold(row[side], "exact"), lines, lang) for side in ("subject", "object"))
        both = sum(bool(a and b and len({*a, *b}) > 1) for a, b in zip(own, other, strict=True))
        assert (row["units"], row["subject_units"], row["object_units"]) == (
            both,
            sum(map(bool, own)),
            sum(map(bool, other)),
        )


def test_as_another_matcher_counts_japanese(read):
    """ahocorasick-rs finds every name anywhere; whoever is no Latin word has the same counts."""
    ahocorasick = pytest.importorskip("ahocorasick_rs")
    table, lines = read("ja", "all")
    lines = [fold(line, "exact") for line in lines]
    rows = [row for row in table.to_pylist() if row["fault"] is None]
    labels = {}
    for row in rows:
        for side in ("subject", "object"):
            labels.setdefault(row[f"{side}_uri"], set()).add(fold(row[side], "exact"))
    names = sorted({name for own in labels.values() for name in own})
    automaton = ahocorasick.AhoCorasick(names)
    counts = dict.fromkeys(names, 0)
    for line in lines:
        for name in {names[n] for n, _, _ in automaton.find_matches_as_indexes(line, overlapping=True)}:
            counts[name] += 1
    checked = 0
    for row in rows:
        own = labels[row["subject_uri"]]
        name = next(iter(own))
        if len(own) == 1 and not re.search(r"[\w']", name, re.ASCII) and not re.search("[À-ɏͰ-ӿ가-힣]", name):
            assert row["subject_units"] == counts[name], name
            checked += counts[name] > 0
    assert checked > 500


def test_languages_stand_in_the_order_of_their_text(read):
    """Facts present by language; Afrikaans, with a tenth of the text, has by far the fewest."""
    present = {}
    for lang in LANGS:
        table, _ = read(lang, "longest")
        present[lang] = int((table["units"].drop_null().to_numpy() > 0).sum())
    assert tuple(sorted(present, key=present.get, reverse=True)) == ORDER, present
    assert present["af"] < 100 < min(present[lang] for lang in LANGS if lang != "af")

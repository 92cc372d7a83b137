"""Every name that stands in a text is found, and nothing else: against a look at every place, and another matcher."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from probe.tracing.characters import CLOSED, FREE, edges, fold
from probe.tracing.texts import Characters
from probe.tracing.trie import Mentions, build, longest, scan

WORDS = st.text("abNé _-.'漢京都カ서울สุि", min_size=1, max_size=5)


def stands(text: str, start: int, stop: int) -> bool:
    """Whether a name's edges are good there."""

    def kind(i):
        return edges()[ord(text[i])]

    begins = start == 0 or kind(start - 1) != kind(start) or kind(start) == FREE
    ends = stop == len(text) or not (kind(stop - 1) == kind(stop) == CLOSED)
    return begins and ends


def slowly(rows, names):
    """Every mention, by looking for every name at every place."""
    return [
        (r, i, i + len(name), n)
        for r, row in enumerate(rows)
        for i in range(len(row))
        for length, n, name in sorted((len(name), n, name) for n, name in enumerate(names))
        if row.startswith(name, i) and stands(row, i, i + len(name))
    ]


def quickly(rows, names, fold_="exact") -> Mentions:
    reader = Characters(names, fold_)
    return scan(*reader.read(pa.array(rows, pa.string())), build(reader.names))


def as_rows(mentions: Mentions):
    return list(zip(*(part.tolist() for part in mentions), strict=True))


@settings(deadline=None)  # the first call compiles
@given(rows=st.lists(st.text("abNé _-.'漢京都カ서울สุि", max_size=20), max_size=4), names=st.sets(WORDS, max_size=12))
@example(rows=["Niger and Nigeria, Nigerian"], names={"Niger", "Nigeria"})
@example(rows=["東京都と京都", "서울은 대서울", "हिन्दी हिन्द"], names={"京都", "東京都", "서울", "हिन्द"})
def test_all_mentions(rows, names):
    """Names of any mix of scripts, one beginning another or standing in it."""
    names = [name for name in sorted(names) if fold(name, "exact") == name]
    rows = [fold(row, "exact") for row in rows]
    assert as_rows(quickly(rows, names)) == slowly(rows, names)


@settings(deadline=None)  # the first call compiles
@given(rows=st.lists(st.text("ab ", max_size=15), max_size=4), names=st.sets(st.text("ab ", min_size=1), max_size=8))
@example(rows=["New York City", "York"], names={"York", "New York", "York City", "City"})
def test_longest_leaves_out_what_stands_inside_another(rows, names):
    every = slowly(rows, sorted(names))
    kept = [a for a in every if not any(b[0] == a[0] and b != a and b[1] <= a[1] and a[2] <= b[2] for b in every)]
    assert as_rows(longest(quickly(rows, sorted(names)))) == kept


def test_names_that_only_look_alike_are_told_apart():
    found = longest(quickly(["Niger borders Nigeria.", "Nigerians; Niger's", "NigerNiger"], ["Niger", "Nigeria"]))
    assert [(row, name) for row, _, _, name in as_rows(found)] == [(0, 0), (0, 1), (1, 0)]


def test_names_overlapping_in_part_are_both_found():
    assert len(longest(quickly(["New York City"], ["New York", "York City"])).row) == 2


@pytest.mark.parametrize("names", [[], ["a"], ["漢" * 300], [chr(c) for c in range(0x4E00, 0x6000)]])
def test_tries_of_any_shape(names):
    rows = ["", "a", "漢" * 600, "".join(map(chr, range(0x4E00, 0x6000)))]
    assert as_rows(quickly(rows, names)) == slowly(rows, names)


def test_as_another_matcher_finds_them():
    """ahocorasick-rs, where edges do not matter: a script without spaces."""
    ahocorasick = pytest.importorskip("ahocorasick_rs")
    draw = random.Random(7)
    names = sorted({"".join(draw.choices("日本東京都大阪府県市", k=draw.randint(1, 6))) for _ in range(500)})
    rows = ["".join(draw.choices("日本東京都大阪府県市。", k=200)) for _ in range(50)]
    other = ahocorasick.AhoCorasick(names)
    theirs = {(r, s, e, n) for r, row in enumerate(rows) for n, s, e in other.find_matches_as_indexes(row, True)}
    ours = as_rows(quickly(rows, names))
    assert len(ours) == len(theirs) > 1000 and set(ours) == theirs


def test_folded_names_are_found_in_folded_text():
    found = quickly(["Die Straße von İzmir nach ÅRHUS"], ["strasse", "århus"], "case")
    assert found.name.tolist() == [0, 1]
    assert found.start.tolist() == [4, len(fold("Die Straße von İzmir nach ", "case"))]

"""Units and what stands in them, against sets and loops."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_builders.errors import FactrootsError
from data_builders.facts import from_rows
from probe.tracing import presence
from probe.tracing.grouping import whole_documents
from probe.tracing.matching import Matching
from probe.tracing.shuffled import shuffled
from probe.tracing.unit import Unit

LETTERS = "abcdef"
#: Documents of paragraphs of sentences of one-letter words.
CORPORA = st.lists(
    st.lists(st.lists(st.lists(st.sampled_from(LETTERS), max_size=6), min_size=1, max_size=3), min_size=1, max_size=3),
    min_size=1, max_size=4,
)  # fmt: skip
UNITS = ["sentence", "paragraph", "abstract", "article", "window(3)", "window(4,stride=1)", "window(5,stride=2)"]
SHORT = Matching(short=True)


def batch(corpus, lead=1):
    rows = [
        (d, p, s, p < lead, " ".join(words))
        for d, document in enumerate(corpus)
        for p, paragraph in enumerate(document)
        for s, words in enumerate(paragraph)
    ]
    kinds = (pa.int32(), pa.int32(), pa.int32(), pa.bool_(), pa.string())
    names = ("document", "paragraph", "sentence", "lead", "text")
    columns = [pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), kinds, strict=True)]
    return pa.RecordBatch.from_arrays(columns, names=names)


def fact(one, other, relation="P1", **labels):
    row = {"fact": f"{relation}|{one}|{other}", "relation": relation, "subject_uri": one, "object_uri": other}
    return {"subject": one, "object": other} | row | labels


def units_of(corpus, unit: Unit):
    """The words of every unit."""
    for document in corpus:
        words = [word for paragraph in document for sentence in paragraph for word in sentence]
        if unit.kind == "sentence":
            yield from (sentence for paragraph in document for sentence in paragraph)
        elif unit.kind == "paragraph":
            yield from ([word for sentence in paragraph for word in sentence] for paragraph in document)
        elif unit.kind == "abstract":
            yield [word for sentence in document[0] for word in sentence]
        elif unit.kind == "article":
            yield words
        else:
            last = max(0, math.ceil((len(words) - unit.size) / unit.stride))
            yield from (words[w * unit.stride : w * unit.stride + unit.size] for w in range(last + 1))


def count(corpus, facts, unit, matching=SHORT, cut=1000):
    asked = presence.wanted(from_rows(facts), matching, 0)
    sums = {unit: presence.fresh(asked)}
    whole = batch(corpus)
    parts = [whole.slice(i, cut) for i in range(0, len(whole), cut)]
    for first, block in presence.blocks(parts):
        presence.add(block, first, asked, matching.overlap, sums)
    return presence.found(asked, sums[unit])


@pytest.mark.parametrize("unit", [Unit.parse(text) for text in UNITS], ids=str)
@settings(deadline=None, max_examples=60)
@given(corpus=CORPORA, cut=st.integers(1, 5))
def test_counts_are_those_of_sets(unit, corpus, cut):
    """Together and alone, for every pair of letters, however the corpus is cut into blocks."""
    facts = [fact(a, b) for a in LETTERS for b in LETTERS if a < b]
    found = count(corpus, facts, unit, cut=cut)
    units = [set(words) for words in units_of(corpus, unit)]
    assert found.units == len(units)
    for row in found.table.to_pylist():
        a, b = row["subject"], row["object"]
        together = sum(a in unit and b in unit for unit in units)
        alone = sum(a in unit for unit in units), sum(b in unit for unit in units)
        assert (row["units"], row["subject_units"], row["object_units"]) == (together, *alone)
        assert row["lift"] == (pytest.approx(together * len(units) / math.prod(alone)) if all(alone) else None)


def test_blocks_hold_whole_documents():
    whole = batch([[[["a"]] * 3], [[["b"]]], [[["c"], ["d"]]]])
    blocks = list(
        whole_documents([whole.slice(0, 2), whole.slice(2, 0), whole.slice(2, 1), whole.slice(3, 2), whole.slice(5)])
    )
    assert [block["document"].to_pylist() for block in blocks] == [[0, 0, 0, 1], [2, 2]]


def test_evidence_says_where_both_stand():
    corpus = [[[["a"], ["b", "a"]], [["c"]]], [[["a", "c"]]]]
    found = count(corpus, [fact("b", "a"), fact("c", "a")], Unit.parse("article"))
    assert found.table["subject_rows"].to_pylist() == [[1], [2, 3]]
    assert found.table["object_rows"].to_pylist() == [[0], [0, 3]]


def test_a_thing_that_bears_its_object_s_name_needs_two_mentions():
    """The capital of Luxembourg is Luxembourg; a district of Panama City must not be found in its own name."""
    facts = [fact("Q32", "Q1842", subject="x", object="x"), fact("Q1", "Q1", "P2", subject="y", object="y")]
    found = count([[[["x"], ["x", "x"], ["y"]]]], facts, Unit.parse("sentence"))
    assert found.table["units"].to_pylist() == [1, 0]


def test_a_name_inside_a_longer_one():
    facts = [fact("Q1", "Q2", subject="New York", object="York")]
    corpus = [[[["New York"], ["New York", "and", "York"]]]]
    assert count(corpus, facts, Unit.parse("sentence"), Matching()).table["units"].to_pylist() == [1]
    assert count(corpus, facts, Unit.parse("sentence"), Matching(overlap="all")).table["units"].to_pylist() == [2]


def test_one_uri_has_all_the_names_it_is_given():
    rows = [
        {**fact("Q1", "Q2"), "subject": "Roma", "object": "Italia"},
        {**fact("Q1", "Q3", "P2"), "subject": "Urbe", "object": "Lazio"},
    ]
    found = count([[[["Urbe", "Italia"], ["Roma", "Lazio"]]]], rows, Unit.parse("sentence"))
    assert found.table["units"].to_pylist() == [1, 1]


def test_one_name_may_mean_several_things():
    rows = [{**fact("Q1", "Q2"), "subject": "Georgia", "object": "Tbilisi"},
            {**fact("Q3", "Q4", "P2"), "subject": "Georgia", "object": "Atlanta"}]  # fmt: skip
    found = count([[[["Georgia", "Atlanta"]]]], rows, Unit.parse("sentence"))
    assert found.table["units"].to_pylist() == [0, 1]


def test_aliases_are_looked_for_when_asked():
    table = from_rows([fact("Q1", "Q2", subject="x", object="y")])
    table = table.append_column("aliases", pa.array([["zeta"]], pa.list_(pa.string())))
    for matching, units in ((SHORT, 0), (Matching(short=True, aliases=True), 1)):
        asked = presence.wanted(table, matching, 0)
        sums = {Unit("sentence"): presence.fresh(asked)}
        presence.add(batch([[[["x", "zeta"]]]]), 0, asked, "longest", sums)
        assert presence.found(asked, sums[Unit("sentence")]).table["units"].to_pylist() == [units]


def test_one_letter_and_no_letter_are_named_and_get_no_number():
    rows = [{**fact("Q1", "Q2"), "subject": "C", "object": "Ada"}, {**fact("Q1", "Q3"), "subject": "C", "object": "漢"}]
    found = count([[[["C", "Ada"]]]], rows, Unit.parse("sentence"), Matching())
    assert found.table["fault"].to_pylist() == ["a name of one letter"] * 2
    for name in ("units", "subject_units", "lift", "subject_rows"):
        assert found.table[name].null_count == 2


def test_shuffled_facts_are_no_facts_and_keep_their_types():
    draw = np.random.default_rng(0)
    pairs = np.unique(np.stack([draw.integers(0, 40, 200), draw.integers(40, 60, 200)], 1), axis=0).astype(np.int32)
    relations = np.where(pairs[:, 1] < 50, "P1", "P2")
    others, of = shuffled(pairs, relations, 3)
    known = {frozenset(pair) for pair in pairs.tolist()}
    assert len(others) > 50 and not any(frozenset(pair) in known for pair in others.tolist())
    for name in ("P1", "P2"):
        own = pairs[relations == name]
        assert set(others[of == name][:, 1]) <= set(own[:, 1]) and set(others[of == name][:, 0]) <= set(own[:, 0])
    again, _ = shuffled(pairs, relations, 3)
    assert np.array_equal(again, others) and not np.array_equal(shuffled(pairs, relations, 4)[0], others)


@pytest.mark.parametrize("text", [*UNITS, "window(512,stride=256,pieces=mbert)", "zhao2024"])
def test_units_read_back(text):
    assert Unit.parse(str(Unit.parse(text))) == Unit.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("page", "unknown unit 'page'; there are: .*sentence"),
        ("sentence(3)", "takes no parameters"),
        ("window", "expected window"),
        ("window(0)", "'0' is no number of tokens"),
        ("window(9,stride=10)", "leaves text out; set stride to 9 or less"),
        ("window(9,step=3)", "expected window"),
    ],
)
def test_bad_units(text, message):
    with pytest.raises(FactrootsError, match=message):
        Unit.parse(text)


@pytest.mark.parametrize("text", ["names", "names(fold=case,overlap=all,aliases,short)", "names(fold=accents)"])
def test_matchings_read_back(text):
    assert str(Matching.parse(text)) == text and Matching.parse(text) == Matching.parse(str(Matching.parse(text)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("words", "expected names or"),
        ("names(fold=lower)", "unknown fold 'lower'; there are: accents, case, exact"),
        ("names(fold)", "fold takes one value"),
        ("names(short=1)", "short takes no value"),
        ("names(deep)", "unknown parameter of names 'deep'"),
    ],
)
def test_bad_matchings(text, message):
    with pytest.raises(FactrootsError, match=message):
        Matching.parse(text)

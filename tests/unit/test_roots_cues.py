"""Cues: what each one hits, in which order, and how they are spelled."""

from __future__ import annotations

import numpy as np
import pytest
from probe_fixtures import wordpiece

from data_builders.errors import FactrootsError
from data_builders.facts import from_rows
from probe.tracing.roots.cues import CUES, Cues, Known

FACTS = [
    ("P17", "Roma Antica", "roma"),
    ("P36", "Italia", "Roma"),
    ("P36", "Capitalism", "Capital"),
    ("P30", "Par", "Roma"),
    ("P30", "Parla", "Roma"),
    ("P30", "Is", "Italia"),
    ("P131", "Roma N", "Roma"),
]


def table():
    return from_rows([
        {"fact": str(i), "relation": r, "subject_uri": s, "object_uri": o, "subject": s, "object": o}
        for i, (r, s, o) in enumerate(FACTS)
    ])  # fmt: skip


def hits(name, parameter=None, guessed=()):
    cue = CUES[name]
    known = Known(wordpiece(), set(guessed))
    return np.flatnonzero(cue.hits(table(), known, cue.default if parameter is None else parameter)).tolist()


def test_the_object_in_the_subject():
    assert hits("substring") == [0, 2, 6]


def test_pieces_in_common():
    """ "Roma" is a piece of its own; single letters count only where one letter is enough."""
    assert hits("pieces") == [6]
    assert hits("pieces", 1) == [0, 2, 6]


def test_relations_whose_names_suggest():
    assert hits("relation") == [0]


def test_what_a_relation_is_answered_with_anyway():
    """Frequent means more than once; a guessed object is one that other subjects make the model expect."""
    assert hits("prior", 1) == [3, 4]
    assert hits("prior", 0) == []
    assert hits("prior", 0, guessed={"1"}) == [1]


@pytest.mark.parametrize(
    "text", ["cues(substring,pieces,relation,prior)", "cues(prior=5,pieces=1)", "cues", "zhao2024", "none"]
)
def test_cues_read_back(text):
    assert Cues.parse(str(Cues.parse(text))) == Cues.parse(text)


def test_presets():
    assert Cues() == Cues.parse("cues(substring,pieces,relation,prior)")
    assert Cues.parse("zhao2024").chosen == (("substring", 0), ("pieces", 1), ("relation", 0))
    assert Cues.parse("none").chosen == ()
    assert str(Cues().without("pieces")) == "cues(substring,relation,prior)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hints", "expected zhao2024, none, or some of cues"),
        ("cues(vibes)", "unknown cue 'vibes'; there are: pieces, prior, relation, substring"),
        ("cues(prior=many)", "prior takes a whole number"),
    ],
)
def test_bad_cues(text, message):
    with pytest.raises(FactrootsError, match=message):
        Cues.parse(text)

"""Every root from what is known of a fact, case by case, and for any knowledge by a plain rewriting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_builders.errors import FactrootsError
from probe.tracing.roots.labels import (
    ALONE,
    INDEPENDENT,
    NOWHERE,
    SHARED,
    TOO_FEW,
    TRANSFERRED,
    UNCOMPARED,
    UNCONTROLLED,
    UNDECIDED,
    UNSCORED,
    UNSILENCED,
    UNTRACEABLE,
    WRONG,
    Compared,
    Known,
    label,
)


def known(right, present, cues=(), names=(), p=None, units=None, pairs=1000):
    """One fact in some languages; `p` [L, L] are its overlaps' p-values, their score being 1 - p."""
    right, present = (np.array(x)[:, None] for x in (right, present))
    hits = np.array([np.array(hit, bool)[:, None] for hit in cues]).reshape(len(names), *right.shape)
    units = np.where(present > 0, 1, 0) if units is None else np.array(units)[:, None]
    overlap = None
    if p is not None:
        p = np.array(p, float)

        def overlap(lang):
            return Compared(p[lang][:, None], 1 - p[lang][:, None], np.full((len(p), 1), pairs))

    sure = np.ones(len(right))
    return Known(right, present, units, hits, names, overlap, sure, np.zeros(right.shape))


def roots(*args, alpha=0.05, **more):
    made = label(known(*args, **more), alpha)
    return made.root[:, 0].tolist(), made.reason[:, 0].tolist(), made.source[:, 0].tolist()


NONE = [[np.nan, 0.001, 0.5], [0.001, np.nan, 0.5], [0.5, 0.5, np.nan]]


@pytest.mark.parametrize(
    ("right", "present", "more", "root", "reason"),
    [
        ([0, 1, 1], [0, 1, 1], {}, WRONG, ""),
        ([-1, 1, 1], [0, 1, 1], {}, UNSCORED, ""),
        ([-2, 1, 1], [-1, 1, 1], {}, "", ""),
        ([1, 1, 1], [-1, 1, 1], {}, UNDECIDED, UNTRACEABLE),
        ([1, 1, 0], [0, 1, 0], {}, TRANSFERRED, ""),
        ([1, 1, 0], [0, 0, 1], {}, UNDECIDED, NOWHERE),
        ([1, 0, 1], [0, 1, 0], {}, UNDECIDED, NOWHERE),
        ([1, 0, 0], [1, 1, 0], {}, UNDECIDED, ALONE),
        ([1, 1, 0], [1, 0, 1], {}, UNDECIDED, ALONE),
        ([1, 1, 0], [1, 1, 0], {}, UNDECIDED, UNCOMPARED),
        ([1, 1, 1], [1, 1, 1], {"p": NONE}, SHARED, ""),
        ([1, 0, 1], [1, 1, 1], {"p": NONE}, INDEPENDENT, ""),
        ([1, 1, 1], [1, 1, 1], {"p": NONE, "pairs": 20}, UNDECIDED, TOO_FEW),
        ([1, 1, 1], [1, 1, 1], {"p": np.full((3, 3), np.nan)}, UNDECIDED, TOO_FEW),
        ([1, 1, 0], [0, 1, 0], {"cues": [[0, 1, 1], [1, 0, 0]], "names": ("a", "b")}, "cue:b", ""),
        ([1, 1, 0], [0, 1, 0], {"cues": [[1, 0, 0], [1, 0, 0]], "names": ("a", "b")}, "cue:a", ""),
        ([1, 1, 0], [1, 1, 0], {"cues": [[1, 1, 1]], "names": ("a",), "p": NONE}, SHARED, ""),
    ],
)  # fmt: skip
def test_first_language(right, present, more, root, reason):
    found = roots(right, present, **more)
    assert (found[0][0], found[1][0]) == (root, reason)


def test_a_transferred_fact_comes_from_the_language_that_knows_it_best():
    assert roots([1, 1, 1], [0, 1, 1], units=[0, 3, 7])[2][0] == 2
    assert roots([1, 1, 1], [0, 1, 1], units=[0, 3, 7], p=NONE)[2][0] == 1
    unknown = [[np.nan] * 3] * 3
    assert roots([1, 1, 1], [0, 1, 1], units=[0, 3, 7], p=unknown)[2][0] == 2
    only = [[np.nan, 0.9, np.nan], [0.9, np.nan, np.nan], [np.nan] * 3]
    assert roots([1, 1, 1], [0, 1, 1], units=[0, 3, 7], p=only)[2][0] == 1


def test_confidence_falls_with_doubt():
    one = known([1, 1], [0, 1])._replace(precision=np.array([1, 0.8]), rate=np.array([[0.25], [0.0]]))
    assert label(one).confidence[0, 0] == pytest.approx(0.8 * 0.75)
    two = known([1, 1], [1, 1], p=[[np.nan, 0.01], [0.01, np.nan]])._replace(precision=np.array([0.5, 0.8]))
    assert label(two).confidence[0, 0] == pytest.approx(0.99 * 0.5 * 0.8)


def test_the_causal_check_tells_shared_from_independent_alone():
    """What is shared by overlap is not where other facts fall as far; the source of a transferred fact is overlap's."""
    apart = [[np.nan, 0.5, 0.01], [0.01, np.nan, 0.01], [0.01, 0.5, np.nan]]

    def told(right, present, p, pairs=99):
        p = np.array(p, float)[:, :, None]
        check = lambda lang: Compared(p[lang], 1 - p[lang], np.full((3, 1), pairs), UNSILENCED, UNCONTROLLED)  # noqa: E731
        made = label(known(right, present, p=NONE)._replace(check=check))
        return made.root[0, 0], made.reason[0, 0], made.source[0, 0]

    assert roots([1, 1, 0], [1, 1, 0], p=NONE)[0][0] == SHARED
    assert told([1, 1, 0], [1, 1, 0], apart) == (INDEPENDENT, "", 1)
    assert told([1, 0, 1], [1, 0, 1], apart) == (SHARED, "", 2)
    assert told([1, 1, 1], [1, 1, 1], apart) == (SHARED, "", 2)
    assert told([1, 1, 1], [0, 1, 1], apart) == (TRANSFERRED, "", 1)
    assert told([1, 1, 1], [1, 1, 1], apart, pairs=30) == (UNDECIDED, UNCONTROLLED, -1)
    assert told([1, 1, 1], [1, 1, 1], np.full((3, 3), np.nan)) == (UNDECIDED, UNSILENCED, -1)


def test_of_languages_with_one_p_the_higher_score_is_the_source():
    same = np.full((3, 1), 0.01)
    check = lambda _: Compared(same, np.array([[0.9], [0.2], [0.4]]), np.full((3, 1), 99))  # noqa: E731
    assert label(known([1, 1, 1], [1, 1, 1], p=NONE)._replace(check=check)).source[0, 0] == 2


def test_alpha_is_shared_by_the_languages_compared():
    """.03 is enough against one language, not against two."""
    p = [[np.nan, 0.03, 0.9], [0.03, np.nan, 0.9], [0.9, 0.9, np.nan]]
    assert roots([1, 1, 0], [1, 1, 1], p=p)[0][0] == SHARED
    assert roots([1, 1, 1], [1, 1, 1], p=p)[0][0] == INDEPENDENT
    assert roots([1, 1, 1], [1, 1, 1], p=p, alpha=0.1)[0][0] == SHARED


def slowly(k: Known, lang: int, f: int, alpha: float) -> str:
    """A fact's root, told in plain words."""
    if k.right[lang, f] != 1:
        return {0: WRONG, -1: UNSCORED, -2: ""}[int(k.right[lang, f])]
    if k.present[lang, f] == -1:
        return UNDECIDED
    elsewhere = [m for m in range(len(k.right)) if m != lang and k.right[m, f] == 1 and k.present[m, f] == 1]
    if k.present[lang, f] == 0:
        hit = next((name for c, name in enumerate(k.names) if k.cues[c, lang, f]), None)
        return f"cue:{hit}" if hit else TRANSFERRED if elsewhere else UNDECIDED
    if not elsewhere:
        return UNDECIDED
    of = k.overlap(lang)
    values = [(of.p[m, f], of.pairs[m, f]) for m in elsewhere if not np.isnan(of.p[m, f])]
    if not values:
        return UNDECIDED
    least, pairs = min(values, key=lambda v: v[0])
    if len(values) / (pairs + 1) > alpha:
        return UNDECIDED
    return SHARED if least * len(values) <= alpha else INDEPENDENT


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10**6), alpha=st.sampled_from([0.01, 0.05, 0.3]))
def test_any_knowledge(seed, alpha):
    draw = np.random.default_rng(seed)
    shape = 4, 25
    p = draw.choice([np.nan, 0.001, 0.02, 0.5, 1.0], (4, *shape))
    pairs = draw.choice([5, 1000], (4, *shape))
    k = Known(draw.integers(-2, 2, shape), draw.integers(-1, 2, shape), draw.integers(0, 9, shape),
              draw.random((2, *shape)) < 0.3, ("a", "b"), lambda i: Compared(p[i], 1 - p[i], pairs[i]),
              np.ones(4), np.zeros(shape))  # fmt: skip
    made = label(k, alpha)
    for lang in range(4):
        assert made.root[lang].tolist() == [slowly(k, lang, f, alpha) for f in range(25)]
    decided = np.isin(made.root, [TRANSFERRED, SHARED, INDEPENDENT])
    assert (made.source[decided] >= 0).all() and np.isfinite(made.confidence[decided]).all()
    assert (made.source[~decided] == -1).all() and np.isnan(made.confidence[~decided]).all()
    here, facts = np.nonzero(decided)
    assert ((k.right == 1) & (k.present == 1))[made.source[here, facts], facts].all()
    assert (made.source[here, facts] != here).all()


@pytest.mark.parametrize("alpha", [0, 1, -0.1])
def test_alpha_is_a_probability(alpha):
    with pytest.raises(FactrootsError, match="alpha lies between 0 and 1"):
        label(known([1], [1]), alpha)

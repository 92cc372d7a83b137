"""What counts as the right text, over scripts; and which number of masks a model answers with."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data_builders.errors import FactrootsError
from probe.matching import LENGTHS, MATCHES, choose, fold, matches

#: A text, a gold, and whether they match exactly, as X-FACTR has it, and folded.
PAIRS = [
    ("Roma", "Roma", (True, True, True)),
    ("roma", "ROMA", (False, True, True)),
    ("Rom", "Roma", (False, False, False)),
    ("Αθήνα", "αθηνα", (False, True, True)),  # Greek accents
    ("ΟΔΟΣ", "οδός", (False, True, True)),  # final sigma
    ("Ὀδυσσεύς", "Οδυσσευς", (False, False, True)),  # a breathing, which X-FACTR leaves
    ("Orléans", "Orleans", (False, False, True)),
    ("Lu\u0301a", "Lúa", (False, False, True)),  # decomposed
    ("Straße", "STRASSE", (False, False, True)),
    ("İstanbul", "istanbul", (False, False, True)),  # dotted capital
    ("Isparta", "ısparta", (False, False, False)),  # a dotless ı is a letter of its own
    ("ＮＨＫ", "NHK", (False, False, True)),  # full width
    ("ﾄｳｷｮｳ", "トウキョウ", (False, False, True)),  # half-width kana
    ("か", "が", (False, False, False)),  # voicing is not an accent
    ("مُحَمَّد", "محمد", (False, False, True)),  # vowel points
    ("آسيا", "اسيا", (False, False, True)),  # madda
    ("יְרוּשָׁלַיִם", "ירושלים", (False, False, True)),
    ("กัน", "กิน", (False, False, False)),  # Thai vowels
    ("दिल्ली", "दलल", (False, False, False)),  # Devanagari vowels and virama
    ("한국", "\u1112\u1161\u11ab\u1100\u116e\u11a8", (False, False, True)),  # Hangul in parts
    ("Saint - Denis", "Saint-Denis", (False, True, True)),  # as word pieces are joined
    ("東 京", "東京", (False, True, True)),
    ("Warner Bros", "Warner Bros.", (False, True, True)),  # the period is the sentence's
    ("Warner Bros.", "Warner Bros", (False, False, False)),
    ("", ".", (False, False, False)),
    ("\u0301", "\u0302", (False, False, False)),  # nothing is left of either
]


@pytest.mark.parametrize(("text", "gold", "expected"), PAIRS)
def test_pairs_of_texts(text, gold, expected):
    """Each way of comparing, on pairs made by hand."""
    assert tuple(matches(text, [gold], how) for how in ("exact", "xfactr", "folded")) == expected


@pytest.mark.parametrize("how", MATCHES)
def test_any_gold_will_do(how):
    """The label or an alias; no gold, no match."""
    assert matches("Rome", ["Roma", "Rome"], how)
    assert not matches("Rome", ["Roma", "Romé!"], how) and not matches("Rome", [], how)


def test_the_period_can_be_insisted_on():
    """Where [Y] does not end the sentence, a gold's own period may not be missing."""
    assert not matches("St", ["St."], "xfactr", period=False) and matches("st.", ["St."], "xfactr", period=False)


@given(st.text())
@example("ᾳ\u0345İ\u0307ß\u00b4")
@example("ẞŉǰΐ")
def test_folding_twice_is_folding_once(text):
    """A folded text is its own folding, whatever the case it came in, and holds no accents or spaces."""
    folded = fold(text)
    assert fold(folded) == folded == "".join(folded.split())
    assert fold(text.upper()) == folded or "ı" in text


@given(st.text(max_size=8), st.lists(st.text(max_size=8), max_size=3))
def test_each_way_is_no_stricter_than_the_one_before(text, golds):
    """What matches exactly matches as in X-FACTR; and each way sees through its own normalising."""
    if matches(text, golds, "exact") and MATCHES["xfactr"](text):
        assert matches(text, golds, "xfactr")
    for how, made in MATCHES.items():
        if made(text):
            assert matches(made(text), [text], how, period=False)


def test_the_number_of_masks():
    """By mean or sum, the fewest masks first among equals; items of any shape at once."""
    confidence = np.float32([[-1.0, -1.5, -6.0], [-2.0, -4.0, -6.0], [-3.0, -2.0, -1.0]])
    assert choose(confidence, "mean").tolist() == [1, 0, 2]
    assert choose(confidence, "sum").tolist() == [0, 0, 2]
    assert choose(confidence[0]) == 1 and choose(confidence[:, None]).shape == (3, 1)


@given(st.lists(st.floats(-50, 0, width=32), min_size=1, max_size=6))
def test_the_chosen_number_is_the_best(values):
    """Against a plain loop over the numbers of masks."""
    for how, divide in (("mean", lambda n: n), ("sum", lambda n: 1)):
        best = max(range(len(values)), key=lambda i: (values[i] / divide(i + 1), -i))
        assert choose(np.float32(values), how) == best


def test_mistakes_are_named():
    """An unknown way lists those there are; a confidence that is not a number is never passed over."""
    with pytest.raises(FactrootsError, match="unknown match 'loose'; there are: exact, folded, xfactr"):
        matches("a", ["a"], "loose")
    with pytest.raises(FactrootsError, match="unknown length 'max'; there are: mean, sum"):
        choose(np.zeros(2), "max")
    with pytest.raises(ValueError, match="not a number"):
        choose(np.float32([0, np.nan]))
    assert sorted(LENGTHS) == ["mean", "sum"]

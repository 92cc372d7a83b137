"""Symbols are what Python's own folding gives, for any text."""

from __future__ import annotations

import sys
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data_builders.errors import FactrootsError
from probe.tracing.characters import CLOSED, FOLDS, FREE, OPEN, edges, fold, singles
from probe.tracing.folding import EDGE_SHIFT, SINGLE, SYMBOL, alphabet, read

#: Characters that fold to several or to none, compose, stand in an order of their own, or are none of that.
HARD = "ßİıſŁéÉê\u0301\u0327\u0345ﬁ½…Ｋｶﾞがカ゛ที่สุ่ि़क्\u1100\u1161\u11a8각㎞ﷺΆΣς\u00a0\u200dⅣÅ\u0130"
TEXTS = st.lists(st.text(st.one_of(st.sampled_from(HARD), st.characters(codec="utf-8")), max_size=12), max_size=6)


@pytest.mark.parametrize("how", FOLDS)
@settings(deadline=None)  # the first call compiles
@given(rows=TEXTS)
@example(rows=["", "Straße", "", "İstanbul"])
@example(rows=["a\u0301\u0327", "ﾊﾞ", "\u1100\u1161", "½", "ﷺ"])
def test_rows_fold_as_python_folds_them(how, rows):
    letters = alphabet([fold(text, how) for text in rows] + ["x"], how)
    text = read(pa.array(rows, pa.string()), letters)
    assert text.rows.tolist() == np.cumsum([0, *(len(fold(row, how)) for row in rows)]).tolist()
    for i, row in enumerate(rows):
        symbols = text.symbols[text.rows[i] : text.rows[i + 1]]
        assert (symbols & SYMBOL).tolist() == letters.encode(fold(row, how)).tolist()
        codes = [ord(c) for c in fold(row, how)]
        assert ((symbols >> EDGE_SHIFT) & 3).tolist() == edges()[codes].tolist()
        assert (symbols & SINGLE > 0).tolist() == singles()[codes].tolist()


def test_every_code_point_alone_and_after_a_letter():
    """The whole of Unicode, where a table could be wrong."""
    characters = [chr(c) for c in range(sys.maxunicode + 1) if not 0xD800 <= c < 0xE000]
    for how in FOLDS:
        rows = ["".join(characters[i : i + 500]) for i in range(0, len(characters), 500)]
        rows += ["".join("a" + c for c in characters[i : i + 500]) for i in range(0, len(characters), 500)]
        letters = alphabet([fold(row, how) for row in rows], how)
        text = read(pa.array(rows, pa.string()), letters)
        for i, row in enumerate(rows):
            own = text.symbols[text.rows[i] : text.rows[i + 1]] & SYMBOL
            assert np.array_equal(own, letters.encode(fold(row, how))), (how, i)


def test_a_slice_of_an_array_is_read_from_where_it_begins():
    rows, letters = ["abc", "dé", "ﷺx", "ghi"], alphabet(["abcdefghié"], "exact")
    whole = read(pa.array(rows), letters)
    part = read(pa.array(rows).slice(1, 2), letters)
    assert part.symbols.tolist() == whole.symbols[whole.rows[1] : whole.rows[3]].tolist()


def test_edges():
    """Letters, digits, marks and the underscore make words; Hangul may be followed; other scripts know no words."""
    for character, kind in {"a": CLOSED, "9": CLOSED, "_": CLOSED, "ि": CLOSED, "़": CLOSED, "Ж": CLOSED, "ა": CLOSED,
                            "서": OPEN, "漢": FREE, "あ": FREE, "カ": FREE, "ー": FREE, "ไ": FREE, "่": FREE, " ": FREE,
                            "-": FREE, "'": FREE, "。": FREE}.items():  # fmt: skip
        assert edges()[ord(character)] == kind, character
    assert singles()[ord("漢")] and singles()[ord("ไ")] and not singles()[ord("a")] and not singles()[ord("。")]


def test_tables_say_of_large_blocks_what_unicode_says():
    for code in (0x3400, 0x4E00, 0x9FFF, 0xAC00, 0xD7A3, 0x20000, 0x2A6DF, 0x2F800, 0x30000):
        script = unicodedata.name(chr(code)).partition(" ")[0]
        assert edges()[code] == (OPEN if script == "HANGUL" else FREE)
        assert fold(chr(code), "accents") == unicodedata.normalize("NFKC", chr(code))


def test_accents_are_those_of_alphabets_only():
    assert fold("Ångström Ζωή Йод がぎ हिन्दी", "accents") == "angstrom ζωη иод がぎ हिन्दी"
    assert fold("Straße", "case") == "strasse"
    assert fold("ﬁn  Ｋ", "exact") == "fin  K"


def test_an_unknown_folding_is_refused():
    with pytest.raises(FactrootsError, match="unknown folding 'lower'; there are: accents, case, exact"):
        fold("a", "lower")

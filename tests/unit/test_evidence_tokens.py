"""The index's tokens: a phrase of them stands in a text exactly where the name does, in every mixture of scripts."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from probe.tracing.characters import CLOSED, FOLDS, OPEN, edges, fold, folded_name
from probe.tracing.evidence.literal import folded, original, spans, together
from probe.tracing.evidence.tokens import phrase, tokenise

#: Few characters of every kind, so that names are met: words, digits, marks, signs, spaces, Hangul whole and in
#: letters, ideographs, kana (with a halfwidth voice mark), Thai with its signs, Devanagari, ligatures, emoji.
ALPHABET = (
    "aAbé_1 .,-'^#␣\t\u3000\u00a0\u2028\x00\x1f한국ᄒ\u1161\u11ab東京カタカﾞｶのไทยกิ\u0301\u0345हिदीﬁßİ😀𝐀\u200dー々"
)
texts = st.text(st.sampled_from(ALPHABET), max_size=14)
anything = st.text(max_size=20)


def stands(name: str, text: str) -> bool:
    """The rule, character by character."""
    kinds = edges()
    for start in range(len(text) - len(name) + 1):
        stop = start + len(name)
        if text[start:stop] != name:
            continue
        before = {kinds[ord(c)] for c in text[max(0, start - 1) : start + 1]} if start else set()
        after = {kinds[ord(c)] for c in text[stop - 1 : stop + 1]} if stop < len(text) else set()
        if before not in ({CLOSED}, {OPEN}) and after != {CLOSED}:
            return True
    return False


def holds(name: str, text: str) -> bool:
    """The same by tokens, as Lucene goes about it."""
    wanted, found = phrase(name), tokenise([text])[0].split(" ")
    for at in range(len(found)):
        stop = at + len(wanted.tokens)
        if tuple(found[at:stop]) == wanted.tokens and (
            not wanted.prefix or (stop < len(found) and found[stop].startswith(wanted.prefix))
        ):
            return True
    return False


@settings(max_examples=600, deadline=None)
@given(texts, texts, texts, st.sampled_from(FOLDS))
@example("", "한국", "어", "exact")
@example("a", "b", "", "exact")
@example("カ", "タ", "カ", "exact")
@example("a ", "b  a", "", "exact")
@example("x" * 80, "x" * 40, "", "exact")
@example("", "x" * 300, "", "exact")
def test_a_phrase_stands_where_the_name_does(before, label, after, how):
    name = folded_name(label, how)
    if not name:
        return
    for text in (fold(before + label + after, how), fold(before + name + after, how), fold(before + after, how)):
        assert holds(name, text) == stands(name, text) == bool(spans([name], text)), (name, text)


@settings(max_examples=200, deadline=None)
@given(anything, st.integers(0, 20), st.integers(1, 6))
def test_any_text_and_any_part_of_it(text, start, length):
    text = fold(text, "exact")
    name = folded_name(text[start : start + length], "exact")
    if name:
        assert holds(name, text) == stands(name, text)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(texts, anything), max_size=6))
def test_texts_do_not_touch_one_another(many):
    assert tokenise(many) == [tokenise([text])[0] for text in many]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Roma è bella.", "Roma è bella ."),
        ("a, b  c", "a , ␣Ġ b ␣Ġ ␣Ġ c"),
        ("東京タワー", "東 京 タワ ワー ー"),
        ("한국은 NATO의", "^한 국 은 ␣Ġ NATO ^의"),
        ("प्रदेश", "प्रदेश"),
    ],
)
def test_tokens_by_example(text, tokens):
    assert tokenise([text]) == [tokens]


@settings(max_examples=600, deadline=None)
@given(texts, st.sampled_from(FOLDS))
@example("\uff8a\uff9f\u1112\u1161\u11ab", "exact")
def test_every_folded_character_knows_where_it_came_from(text, how):
    found = folded(text, how)
    assert found.text == fold(text, how)
    assert len(found.starts) == len(found.stops) == len(found.text)
    for at in range(len(found.text)):
        piece = text[found.starts[at] : found.stops[at]]
        assert found.text[at] in fold(piece, how)
        assert all(unicodedata.combining(c) or c in "\u1161\u11abﾞ\uff9f" for c in piece[1:])


@settings(max_examples=300, deadline=None)
@given(anything, st.sampled_from(FOLDS))
def test_any_text_is_folded_as_everywhere(text, how):
    assert folded(text, how).text == fold(text, how)


def test_a_mention_is_shown_as_it_was_written():
    text = "Die Stra\u00dfe von Cafe\u0301-\uff8a\uff9f\uff98 in PARIS"
    found = folded(text, "accents")
    for label, shown in (
        ("STRASSE", "Stra\u00dfe"),
        ("cafe", "Cafe\u0301"),
        ("パリ", "\uff8a\uff9f\uff98"),
        ("paris", "PARIS"),
    ):
        ((start, stop),) = original(spans([folded_name(label, "accents")], found.text), found)
        assert text[start:stop] == shown


def test_one_mention_of_two_things_is_not_a_meeting():
    assert not together([(0, 9)], [(0, 9)])
    assert together([(0, 9), (20, 29)], [(0, 9), (20, 29)])
    assert together([(0, 8)], [(4, 8)])
    assert not together([(0, 8)], [])

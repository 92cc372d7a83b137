"""A sentence with a candidate in its slot, and what of it is masked to look a token up: one function a metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from data_builders.facts import OBJECT
from probe.scoring.scorer import Ask


class Sentence(NamedTuple):
    """A filled sentence as the model reads it.

    scored : the places of the tokens that are scored: neither special nor of the context.
    words : the number of the word that each token belongs to, None for a special token.
    answer : the places of the candidate's tokens: from the first token of its first character to the first token of
        its last, as LM-PUB-QUIZ has it: where characters are several tokens (bytes), the rest of the last is not in.
    """

    ids: list[int]
    scored: list[int]
    words: list[int | None]
    answer: range


def filled(tokenizer, pairs: Sequence[tuple[Ask, str]]) -> list[Sentence]:
    """Each ask with a label in its slot, tokenised in one call. The tokenizer must be a fast one."""
    if not pairs:
        return []
    texts = [(ask.context + ask.prompt).replace(OBJECT, label) for ask, label in pairs]
    encodings = tokenizer(texts, return_special_tokens_mask=True).encodings
    return [_sentence(ask, label, encoding) for (ask, label), encoding in zip(pairs, encodings, strict=True)]


def _sentence(ask: Ask, label: str, encoding) -> Sentence:
    scored = [place for place, special in enumerate(encoding.special_tokens_mask) if not special]
    if ask.context:  # a token that reaches into the sentence is the sentence's
        offsets = encoding.offsets
        scored = [place for place in scored if offsets[place][1] > len(ask.context)]
    start = (ask.context + ask.prompt).index(OBJECT)
    # some characters, spaces for one, belong to no token
    places = [p for at in range(start, start + len(label)) if (p := encoding.char_to_token(at)) is not None]
    answer = range(places[0], places[-1] + 1) if places else range(0)
    return Sentence(encoding.ids, scored, encoding.word_ids, answer)


def _token(sentence: Sentence, i: int) -> Sequence[int]:
    """The token alone (Salazar et al. 2020)."""
    return sentence.scored[i : i + 1]


def _word(sentence: Sentence, i: int) -> Sequence[int]:
    """The token and the rest of its word (Kauf & Ivanova 2023)."""
    scored, words, end = sentence.scored, sentence.words, i + 1
    while end < len(scored) and words[scored[end]] == words[scored[i]] is not None:
        end += 1
    return scored[i:end]


def _rest(sentence: Sentence, i: int) -> Sequence[int]:
    """The token and all that follows, the special token at the end too: the model sees the length, not the end."""
    return range(sentence.scored[i], len(sentence.ids))


def _answer_or_word(sentence: Sentence, i: int) -> Sequence[int]:
    """A token of the answer and the rest of the answer, even where its word goes on; any other as :func:`_word`."""
    place = sentence.scored[i]
    return range(place, sentence.answer.stop) if place in sentence.answer else _word(sentence, i)


#: What is masked to look up the i-th scored token of a sentence, by LM-PUB-QUIZ's names.
METRICS: dict[str, Callable[[Sentence, int], Sequence[int]]] = {
    "original": _token,
    "within_word_l2r": _word,
    "sentence_l2r": _rest,
    "answer_l2r+word_l2r": _answer_or_word,
}

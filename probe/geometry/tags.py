"""The part of speech of every token of a sequence, from a spaCy pipeline, where one is installed for the language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from data_builders.errors import FactrootsError
from probe.geometry.packing import Frame
from probe.geometry.tally import UPOS

#: Pipes that tell parts of speech, and those that are left out because nothing here asks for what they tell.
_TELLING = {"tagger", "morphologizer", "attribute_ruler"}
_OTHERS = ("parser", "ner", "lemmatizer", "entity_ruler", "textcat")


class Word(NamedTuple):
    """Where a word stands in its line, in characters, and its place in :data:`UPOS`; -1 for what is none of them."""

    start: int
    end: int
    tag: int


#: From lines to the words of each.
Tag = Callable[[Sequence[str]], list[list[Word]]]


def pipeline(lang: str) -> str | None:
    """The installed spaCy pipeline that tags a language, ``name version``; None where there is none.

    Of several the first by name. A language's code may be of two letters or three; what stands after - or _, such as a
    region, is passed over.
    """
    from spacy import util

    code = lang.replace("_", "-").partition("-")[0]
    code = util.find_matching_language(code) or code
    for name in sorted(util.get_installed_models()):
        meta = util.get_model_meta(util.get_package_path(name))
        if meta["lang"] == code and _TELLING & set(meta["pipeline"]):
            return f"{name} {meta['version']}"
    return None


def load_tagger(named: str) -> Tag:
    """The pipeline that :func:`pipeline` named. Raises FactrootsError where it cannot be loaded."""
    import spacy

    try:
        made = spacy.load(named.partition(" ")[0], exclude=_OTHERS)
    except Exception as error:  # pipelines need packages of their own, and fail in their own ways
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise FactrootsError(f"the spaCy pipeline {named} cannot be loaded: {reason}; mend or uninstall it") from error
    places = {name: place for place, name in enumerate(UPOS)}

    def tag(lines: Sequence[str]) -> list[list[Word]]:
        return [[Word(t.idx, t.idx + len(t), places.get(t.pos_, -1)) for t in doc] for doc in made.pipe(lines)]

    return tag


def tags(texts: Sequence[Sequence[str]], tokenizer, length: int, tag: Tag) -> np.ndarray:
    """The part of speech of every token of sequences that are packed of lines `texts`, int64 [n, length].

    A token has that of the word in which all of it lies; -1 is of special tokens and of those that reach over a word's
    end. Parts of speech are those in context, where Chang, Tu & Bergen (2022) look up each word in a list.
    """
    own = Frame.of(tokenizer)
    blank = Frame([-1] * len(own.before), [-1] * len(own.between))
    return np.array([blank.row(_of_lines(lines, tokenizer, tag), length) for lines in texts])


def _of_lines(lines: Sequence[str], tokenizer, tag: Tag) -> list[list[int]]:
    coded = tokenizer(list(lines), add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    return [
        [_of_token(line, span, words) for span in spans]
        for line, spans, words in zip(lines, coded["offset_mapping"], map(_by_start, tag(lines)), strict=True)
    ]


def _by_start(words: list[Word]) -> tuple[np.ndarray, list[Word]]:
    return np.array([word.start for word in words]), words


def _of_token(line: str, span: tuple[int, int], words: tuple[np.ndarray, list[Word]]) -> int:
    """Tokenizers may count the space before a word to its first token."""
    starts, words = words
    start = span[1] - len(line[slice(*span)].lstrip())
    before = int(np.searchsorted(starts, start, "right"))
    if not before or start == span[1] or span[1] > words[before - 1].end:
        return -1
    return words[before - 1].tag

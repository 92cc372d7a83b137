"""Splitting a paragraph into sentences, in every language of mLAMA.

What ends a sentence and which words with a dot do not come from spaCy: its sentencizer's characters and each language's
tokenizer exceptions. The search is one regular expression, since spaCy's tokenizer reads 66,000 characters a second,
and differs from the sentencizer on purpose: closing quotes and brackets belong to the sentence that they end, initials,
ordinals and what a small letter follows end none, and neither does a full stop inside 「…」.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import version
from itertools import accumulate, pairwise

from data_builders.corpora.abbreviations import abbreviations, before_numbers
from data_builders.errors import FactrootsError

VERSION = 1  # raised whenever a text could be split otherwise than before

#: Languages that write ordinals with a dot: "3. Oktober".
ORDINALS = frozenset(["az", "cs", "da", "de", "et", "eu", "fi", "hr", "hu", "lv", "pl", "sk", "sl", "sr", "tr"])
#: Languages written without spaces, in which one character may be a word.
DENSE = frozenset(("ja", "ko", "th", "zh"))
#: Languages in which "1990 г." may end a sentence: one letter after a number.
YEARS = frozenset(("be", "bg", "ru", "sr", "uk"))
#: What ends a sentence in one language beside spaCy's characters: the Greek question mark, and the colon that is typed
#: for the Armenian full stop.
OWN = {"el": ";\u037e", "hy": ":"}

_SPACED = ".!?‼⁇⁈⁉．﹒"  # ends of sentences only where a space (or nothing) follows: "3.14", "Yahoo!7"
_CLOSING = "\"'”’»›)]}」』）］｝】〉》〕｣“«"
_TURNING = "“«"  # these open a sentence where no space follows
_OPENING = "\"'“‘„‚«»‹›([{「『（［【〈《〔¿¡-–—"
#: A quotation or an aside in Japanese is part of the sentence around it; an unclosed one is not looked for any further.
_ASIDES = {"ja": ("「」", "『』", "（）")}
_ASIDE_LENGTH = 300
_ROMAN = re.compile(r"[IVX]+")
_DOTTED = re.compile(r"(?:[^\W\d_]{1,3}\.)+[^\W\d_]{1,3}")
_PARTS = re.compile(r"[-‐–'’(\[\"“„«/]")

Split = Callable[[str], list[str]]


def made_with(lang: str) -> dict[str, str | int]:
    """The code that decides where sentences of a language end."""
    packages = ("spacy", "pythainlp") if lang == "th" else ("spacy",)
    return {"splitter": VERSION} | {name: version(name) for name in packages}


@lru_cache
def splitter(lang: str) -> Split:
    """A function from a paragraph to its sentences, with whitespace collapsed; none is empty.

    A language that spaCy does not know is split by the characters alone. Raises FactrootsError where a package is
    missing that the language needs.
    """
    return _thai() if lang == "th" else _Splitter(lang)


class _Splitter:
    def __init__(self, lang: str):
        self.find, self.soft = _candidates(lang).finditer, frozenset(_SPACED + OWN.get(lang, "") + _CLOSING)
        self.aside = frozenset(opening for opening, _ in _ASIDES.get(lang, ()))
        self.whole, self.numbered = abbreviations(lang), before_numbers(lang)
        self.ordinals, self.dense, self.years = lang in ORDINALS, lang in DENSE, lang in YEARS

    def __call__(self, text: str) -> list[str]:
        text = " ".join(text.split())
        sentences, start = [], 0
        for match in self.find(text):
            end = self._end(text, start, match)
            if end is not None:
                sentences.append(text[start:end].strip())
                start = end
        if rest := text[start:].strip():
            sentences.append(rest)
        return sentences

    def _end(self, text: str, start: int, match: re.Match) -> int | None:
        """Where the sentence that began at `start` ends, if it does so at this candidate."""
        end, first = match.end(), text[match.start()]
        if first in self.aside or end == len(text):
            return None
        hard = not self.soft.issuperset(match[0])
        if text[end] != " ":
            while text[end - 1] in _TURNING:  # without a space after it, “ opens
                end -= 1
            return end if hard else None
        if hard:
            return end
        place = end + 1
        while place < len(text) and text[place] in _OPENING:
            place += 1
        following = text[place : place + 1]
        if following.islower() and not "\u10d0" <= following <= "\u10ff":  # Georgian's letters have no capitals in use
            return None
        return end if first not in ".．" or self._full_stop(text, start, match.start(), following) else None

    def _full_stop(self, text: str, start: int, stop: int, following: str) -> bool:
        word = text[max(start, text.rfind(" ", start, stop) + 1) : stop].lstrip(_OPENING)
        last = _PARTS.split(word)[-1]
        if self.years and len(last) == 1 and last.islower() and text[start : stop - 1].rstrip()[-1:].isdigit():
            return True
        if word in self.whole or last in self.whole:
            return False
        if following.isdigit() and last.casefold() in self.numbered:
            return False
        if len(last) == 1 and last.isalpha() and not self.dense:
            return False
        if self.ordinals and ((last.isdigit() and len(last) < 3) or _ROMAN.fullmatch(last)):
            return False
        return not _DOTTED.fullmatch(word)


def _candidates(lang: str) -> re.Pattern:
    """What may end a sentence: marks and what closes after them; in Japanese an aside too, to be passed over.

    Every match begins with one of a set of characters, which is what makes the search fast. Marks outside of the Basic
    Multilingual Plane, of scripts that none of these languages is written in, would make it twenty times slower.
    """
    from spacy.pipeline import Sentencizer

    marks = re.escape("".join(c for c in Sentencizer.default_punct_chars if c <= "\uffff") + OWN.get(lang, ""))
    end = f"[{marks}]*[{re.escape(_CLOSING)}]*(?: »(?= |$))?"  # « Oui. »
    if not (asides := _ASIDES.get(lang, ())):
        return re.compile(f"[{marks}]{end}")
    inner = (f"(?<={o})[^{o}{c}]{{0,{_ASIDE_LENGTH}}}{c}" for o, c in asides)
    return re.compile(f"[{marks}{''.join(o for o, _ in asides)}](?:{'|'.join(inner)}|(?<=[{marks}]){end})")


def _thai() -> Split:
    """Thai writes no full stops; its sentences are told from the words around its spaces."""
    try:
        from pythainlp.tokenize import sent_tokenize
    except ImportError as error:
        raise FactrootsError("Thai sentences need a package: pip install pythainlp") from error

    marks = _Splitter("th")

    def split(text: str) -> list[str]:
        text = " ".join(text.split())
        found = [len("".join(sentence.split())) for sentence in sent_tokenize(text, engine="thaisum")]
        return _cut(text, found) if sum(found) == len(text.replace(" ", "")) else marks(text)

    return split


def _cut(text: str, lengths: list[int]) -> list[str]:
    """A text cut into pieces of so many characters, spaces not counted: pythainlp may put a quote elsewhere in its
    sentences, and ours are to be what was written."""
    places = [place for place, char in enumerate(text) if char != " "] + [len(text)]
    edges = [0, *accumulate(lengths)]
    pieces = (text[places[a] : places[b]].strip() for a, b in pairwise(edges))
    return [piece for piece in pieces if piece]

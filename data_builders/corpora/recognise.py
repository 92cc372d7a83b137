"""Whether a text is in the language that it is said to be in: by its letters and its stop words, no model needed."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from data_builders.corpora.abbreviations import defaults

#: Languages that a text is compared with.
LANGUAGES = re.findall(
    r"\w+",
    "af ar az be bg bn ca ceb cs cy da de el en es et eu fa fi fr ga gl he hi hr hu hy id it ja ka ko la lt lv ms nl "
    "pl pt ro ru sk sl sq sr sv ta th tr uk ur vi zh",
)
#: Scripts by how Unicode's names of their letters begin.
_SCRIPTS = {
    "Arab": ("ARABIC",),
    "Armn": ("ARMENIAN",),
    "Beng": ("BENGALI",),
    "Cyrl": ("CYRILLIC",),
    "Deva": ("DEVANAGARI",),
    "Geor": ("GEORGIAN",),
    "Grek": ("GREEK",),
    "Hans": ("CJK",),
    "Hebr": ("HEBREW",),
    "Jpan": ("HIRAGANA", "KATAKANA"),
    "Kore": ("HANGUL",),
    "Latn": ("LATIN",),
    "Taml": ("TAMIL",),
    "Thai": ("THAI",),
}
_ALSO = {"sr": ("Latn",), "az": ("Cyrl",)}  # what else a language is written in
_SHARE = 0.5  # of a text's letters that have to be in its script
_MIXED = {"Jpan": 0.15}  # the same, where most of them may be another's
_BARRED = {"Hans": ("HIRAGANA", "KATAKANA")}  # what less than a tenth of them may be in: else it is Japanese
#: Stop words of languages that spaCy has none of.
_OWN_STOPS = {
    "be": "і ў у на з не што да як але за ад па гэта яго яна ён быў была для таксама або пры якія які",
    "ceb": "ang sa nga ug mga si ni usa kini kay niini gikan sila siya ako ikaw dili alang",
    "cy": "y yr a o yn i ar ac am gan mae wedi oedd ei eu fel hefyd bod nad sydd bu ond neu dros gyda hyn",
    "gl": "o a os as de do da dos das en no na que e un unha é por con para non máis pola polo foi ao á como",
}
_STOPS = 0.1  # a text in its own language has that share of stop words and more
_TIMES = 1.6  # how many times as many stop words another language has to have
_LETTERS = 400  # fewer letters say nothing


def looks_like(lang: str, texts: Iterable[str]) -> str | None:
    """The language (or script) that `texts` seem to be in when it is clearly not `lang`; None when all is well.

    A hint and no more: near relatives (id and ms, cs and sk, gl and pt) are not always told apart. Languages outside of
    :data:`LANGUAGES` are judged by their letters, if at all.
    """
    text = "\n".join(texts)
    letters = Counter(_script(c) for c in text if c.isalpha())
    if (total := letters.total()) < _LETTERS:
        return None
    scripts = _scripts_of(lang)
    if scripts and not any(_has(script, letters, total) for script in scripts):
        found = [other for other in LANGUAGES if any(_has(s, letters, total) for s in _scripts_of(other))]
        return _best(found, text)[0] or letters.most_common(1)[0][0].title()
    own = _stops(lang, text)
    if own is None or own >= 2 * _STOPS or lang in ("ja", "ko", "th", "zh"):
        return None
    found = [other for other in LANGUAGES if set(_scripts_of(other)) & set(scripts)]
    best, share = _best(found, text)
    return best if best != lang and share >= _STOPS and share > _TIMES * own else None


def _best(langs: list[str], text: str) -> tuple[str | None, float]:
    shares = [(_stops(lang, text) or 0.0, lang) for lang in langs]
    share, lang = max(shares, default=(0.0, None))
    return (lang, share) if share or len(langs) == 1 else (None, 0.0)


def _stops(lang: str, text: str) -> float | None:
    """The share of words that are stop words of a language; None where spaCy has no list."""
    stops = stop_words(lang)
    words = [word.strip("\"'.,;:!?()[]«»“”„।،؟۔").casefold() for word in text.split()]
    return sum(word in stops for word in words) / len(words) if stops and words else None


@lru_cache
def stop_words(lang: str) -> frozenset[str]:
    """A language's stop-words, folded by case; none where nobody has a list."""
    words = _OWN_STOPS[lang].split() if lang in _OWN_STOPS else defaults(lang).stop_words
    return frozenset(word.casefold() for word in words)


@lru_cache
def _scripts_of(lang: str) -> tuple[str, ...]:
    from babel.core import get_global

    likely = get_global("likely_subtags").get(lang, "").split("_")
    own = tuple(part for part in likely if part in _SCRIPTS)
    return own + _ALSO.get(lang, ()) if own else ()


def _has(script: str, letters: Counter, total: int) -> bool:
    if sum(letters[name] for name in _BARRED.get(script, ())) > total / 10:
        return False
    return sum(letters[name] for name in _SCRIPTS[script]) >= _MIXED.get(script, _SHARE) * total


@lru_cache(maxsize=65536)
def _script(char: str) -> str:
    return unicodedata.name(char, "").partition(" ")[0].partition("-")[0]

"""Which analyzer reads a language: the table that keeps unknown codes from falling to English, as they do in Pyserini.

Pyserini's own choice where it has one, and of Lucene's others those that the same jar brings. Thai is left out: its
analyzer needs a dictionary that a small Java lacks, and finds half of the names that stand in a text.
"""

from __future__ import annotations

from functools import cache

from probe.tracing.evidence.jvm import java

_LUCENE = "org.apache.lucene.analysis."
#: Language to class, below Lucene's package; en is Anserini's (Porter's stems).
ANALYZERS = {
    "ar": "ar.ArabicAnalyzer",
    "bg": "bg.BulgarianAnalyzer",
    "bn": "bn.BengaliAnalyzer",
    "ca": "ca.CatalanAnalyzer",
    "ckb": "ckb.SoraniAnalyzer",
    "cs": "cz.CzechAnalyzer",
    "da": "da.DanishAnalyzer",
    "de": "de.GermanAnalyzer",
    "el": "el.GreekAnalyzer",
    "en": "io.anserini.analysis.DefaultEnglishAnalyzer",
    "es": "es.SpanishAnalyzer",
    "et": "et.EstonianAnalyzer",
    "eu": "eu.BasqueAnalyzer",
    "fa": "fa.PersianAnalyzer",
    "fi": "fi.FinnishAnalyzer",
    "fr": "fr.FrenchAnalyzer",
    "ga": "ga.IrishAnalyzer",
    "gl": "gl.GalicianAnalyzer",
    "hi": "hi.HindiAnalyzer",
    "hu": "hu.HungarianAnalyzer",
    "hy": "hy.ArmenianAnalyzer",
    "id": "id.IndonesianAnalyzer",
    "it": "it.ItalianAnalyzer",
    "ja": "ja.JapaneseAnalyzer",
    "ko": "cjk.CJKAnalyzer",
    "lt": "lt.LithuanianAnalyzer",
    "lv": "lv.LatvianAnalyzer",
    "ne": "ne.NepaliAnalyzer",
    "nl": "nl.DutchAnalyzer",
    "no": "no.NorwegianAnalyzer",
    "pl": "morfologik.MorfologikAnalyzer",
    "pt": "pt.PortugueseAnalyzer",
    "ro": "ro.RomanianAnalyzer",
    "ru": "ru.RussianAnalyzer",
    "sr": "sr.SerbianAnalyzer",
    "sv": "sv.SwedishAnalyzer",
    "ta": "ta.TamilAnalyzer",
    "te": "te.TeluguAnalyzer",
    "tr": "tr.TurkishAnalyzer",
    "uk": "uk.UkrainianMorfologikAnalyzer",
    "zh": "cjk.CJKAnalyzer",
}
ENGLISH, TOKENS = ANALYZERS["en"], "core.WhitespaceAnalyzer"


def short(path: str) -> str:
    """An analyzer as it is said to the user."""
    return path.rpartition(".")[2]


@cache
def analyzer(path: str):
    """An analyzer by its class: below Lucene's package, or in full."""
    if path == ENGLISH:
        return java(path).newDefaultInstance()
    return java(path if path.startswith("io.") else _LUCENE + path)()


def words(analysis, text: str) -> list[str]:
    """The terms that an analyzer makes of a text, without stop-words."""
    return [str(term) for term in java("io.anserini.analysis.AnalyzerUtils").analyze(analysis, text)]

"""mLAMA's published files: majority, chance, leaks and shared facts are those of the published counts.

The counts were made by surface string: chance is over the distinct labels of a relation (it 2.16 %; by URI 2.14 %).
No model takes part; the numbers come from the functions that score one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data_builders.factset import FactSet
from data_builders.filters import no_leaks
from probe.scores import with_majority
from probe.uncertainty import tally, total

#: Per cent by language: majority micro and macro, chance micro. None where nothing was published.
PUBLISHED = {
    "en": (19.4, 21.3, 1.97),
    "it": (19.9, 21.2, 2.16),
    "ja": (17.7, 20.6, 1.92),
    "af": (19.2, 27.7, 3.21),
    "ceb": (19.3, 33.9, 4.45),
    "th": (15.1, 23.0, 2.57),
    "zh": (None, None, 2.47),
    "ru": (None, None, 1.89),
    "tr": (None, None, 2.71),
}
CHANCE_MACRO = {"ceb": 16.3, "af": 8.7, "ta": 8.1}
TEN = ("en", "fr", "de", "nl", "es", "it", "ja", "ru", "zh", "tr")


@pytest.fixture(scope="module")
def mlama(shared_data) -> FactSet:
    return FactSet("mlama", str(shared_data("mlama1.1")))


def frame(table: pd.DataFrame, lang: str, column: str) -> pd.DataFrame:
    """Answers as the judging of a run leaves them, but without any: what they are chosen from is all they hold."""
    candidates = table.groupby("relation")[column].transform("nunique")
    golds = [(int(code),) for code in pd.factorize(table[column])[0]]
    return with_majority(table.assign(lang=lang, golds=golds, chance=1 / candidates))


def percent(rows: pd.DataFrame, column: str) -> tuple[float, float]:
    """Micro and macro mean of a column in per cent."""
    sums = total(tally(rows, column))
    return 100 * float(sums.mean("micro")), 100 * float(sums.mean("macro"))


@pytest.fixture(scope="module")
def levels(mlama) -> pd.DataFrame:
    """By language: facts, majority and chance by label and by URI, and facts whose subject holds the object."""
    opened = mlama.open()
    rows = {}
    for lang in opened.langs:
        facts = opened.table(lang)
        table = facts.to_pandas()
        row = {"n": len(table), "leaks": len(table) - len(no_leaks(facts))}
        for column in ("object", "object_uri"):
            answers = frame(table, lang, column)
            for level in ("majority", "chance"):
                row[f"{level} micro {column}"], row[f"{level} macro {column}"] = percent(answers, level)
        rows[lang] = row
    return pd.DataFrame.from_dict(rows, orient="index")


@pytest.mark.parametrize("lang", PUBLISHED)
def test_majority_and_chance(levels, lang):
    """Each language's levels are the published ones, to the digit that was published."""
    micro, macro, chance = PUBLISHED[lang]
    row = levels.loc[lang]
    if micro is not None:
        assert row["majority micro object"] == pytest.approx(micro, abs=0.051)
        assert row["majority macro object"] == pytest.approx(macro, abs=0.051)
    assert row["chance micro object"] == pytest.approx(chance, abs=0.0051)


@pytest.mark.parametrize("lang", CHANCE_MACRO)
def test_chance_over_relations(levels, lang):
    assert levels.loc[lang, "chance macro object"] == pytest.approx(CHANCE_MACRO[lang], abs=0.051)


def test_over_all_languages(levels):
    """53 languages, 843,143 facts, and the means that were published of them."""
    assert len(levels) == 53 and levels["n"].sum() == 843_143
    assert np.average(levels["majority micro object"], weights=levels["n"]) == pytest.approx(18.5, abs=0.051)
    assert levels["majority macro object"].mean() == pytest.approx(23.2, abs=0.051)
    assert levels["chance micro object"].mean() == pytest.approx(2.59, abs=0.0051)
    assert levels["chance macro object"].mean() == pytest.approx(4.80, abs=0.0051)


def test_labels_and_entities_differ_little(levels):
    """By URI, which is this project's own reading, candidates are a little more and chance a little less."""
    gap = levels["chance micro object"] - levels["chance micro object_uri"]
    assert (gap >= 0).all() and 0 < gap.max() < 0.06
    assert (levels["majority micro object"] - levels["majority micro object_uri"]).abs().max() < 0.3


def test_leaks(levels):
    """Objects that stand in their subjects: 12.2 % in English, 9.1 % over all languages."""
    assert 100 * levels.loc["en", "leaks"] / levels.loc["en", "n"] == pytest.approx(12.2, abs=0.051)
    assert 100 * levels["leaks"].sum() / levels["n"].sum() == pytest.approx(9.1, abs=0.051)


def test_facts_that_all_languages_share(mlama):
    """3,071 facts of 30 relations are in all 53 languages; there the majority object is right for 12.4 %."""
    opened = replace(mlama, parallel=True).open()
    tables = {lang: opened.table(lang).to_pandas() for lang in ("en", "it", "ceb")}
    assert {len(table) for table in tables.values()} == {3071}
    assert {frozenset(table["fact"]) for table in tables.values()} == {frozenset(tables["en"]["fact"])}
    assert tables["en"]["relation"].nunique() == 30
    assert percent(frame(tables["en"], "en", "object_uri"), "majority")[0] == pytest.approx(12.4, abs=0.051)


def test_facts_that_ten_languages_share(mlama):
    opened = replace(mlama, parallel=True).open(TEN)
    assert {len(opened.table(lang)) for lang in ("en", "tr")} == {11_453}

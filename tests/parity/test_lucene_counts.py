"""Lucene's exact counts against a plain scan and the streaming pass, and what analyzers make of the same names."""

import random

import numpy as np
import pytest

from data_builders.corpora.build import build
from data_builders.corpora.built import open_built
from data_builders.facts import Fact, fact_key, from_rows
from data_builders.factset import FactSet
from data_builders.planted.world import write_world
from data_builders.progress import Quiet
from data_builders.sources import open_source
from probe.tracing import presence
from probe.tracing.characters import CLOSED, OPEN, edges, fold
from probe.tracing.evidence.asked import Asked, asked
from probe.tracing.evidence.index import Kind
from probe.tracing.evidence.opening import of_corpus
from probe.tracing.matching import Matching
from probe.tracing.unit import Unit

ALPHABET = "aAbé_1 .,-'^#␣\u3000\u00a0한국ᄒ\u1161\u11ab東京カタカﾞｶのไทยกิ\u0301\u0345हिदीﬁßİ😀𝐀\u200dー々"
SENTENCES, FACTS = 2000, 40  # of real text and of mLAMA; with all of them it is as true, and takes minutes
MATCHINGS = ["names(short)", "names(overlap=all,short)", "names(fold=case,short)", "names(fold=accents,short)"]


def corpus(folder, texts):
    """A built corpus of lines, as {lang: texts}."""
    source = folder / "source"
    source.mkdir(parents=True)
    for lang, lines in texts.items():
        (source / f"{lang}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    build(f"text:{source}", list(texts), folder / "corpus", Quiet())
    return open_built(folder / "corpus")


def facts_of(pairs):
    """Facts whose URIs are their labels."""
    rows = dict.fromkeys(pairs)
    return from_rows([Fact(fact_key("P", s, o), "P", s, o, s, o) for s, o in rows])


def streamed(built, lang, facts, matching, unit):
    """What the streaming pass counts."""
    unit = Unit.parse(unit)
    sought = presence.wanted(facts, matching, 0)
    counts = {unit: presence.fresh(sought)}
    for first, batch in presence.blocks(built.blocks(lang)):
        presence.add(batch, first, sought, matching.overlap, counts)
    return presence.found(sought, counts[unit]).table


def differences(built, lang, facts, matching, unit="sentence"):
    """The facts whose three counts differ from the streaming pass's, and how many were compared and are present."""
    index = of_corpus(built, Kind(lang, unit, matching.fold), Quiet())
    table = streamed(built, lang, facts, matching, unit)
    differ, present = [], 0
    for row, counted in enumerate(table.select(["subject_units", "object_units", "units", "fault"]).to_pylist()):
        *wanted_counts, fault = counted.values()
        if fault:
            continue
        wanted = asked(facts, row, matching)
        found = [index.count(side, wanted.longer) for side in wanted[:2]] + [int(index.both(wanted).sum())]
        present += wanted_counts[2] > 0
        if found != wanted_counts:
            differ.append((facts["fact"][row].as_py(), found, wanted_counts))
    return differ, present


def scanned(texts, name, how):
    """How many texts hold a name: the rule, place by place."""
    kinds, name = edges(), " ".join(fold(name, how).split())

    def stands(text):
        for start in range(len(text) - len(name) + 1):
            if text[start : start + len(name)] == name:
                stop = start + len(name)
                left = [kinds[ord(c)] for c in text[max(0, start - 1) : start + 1]]
                right = [kinds[ord(c)] for c in text[stop - 1 : stop + 1]]
                if left not in ([CLOSED] * 2, [OPEN] * 2) and right != [CLOSED] * 2:
                    return True
        return False

    return sum(stands(fold(text, how)) for text in texts)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """800 texts of mixed scripts, and 80 names, most of them cut out of these."""
    draw = random.Random(7)
    texts = ["".join(draw.choices(ALPHABET, k=draw.randint(1, 30))) for _ in range(800)]
    texts = [text for text in texts if text.strip()]
    cut = []
    while len(cut) < 80:
        text = draw.choice(texts)
        start, length = draw.randrange(len(text)), draw.choice((1, 1, 2, 2, 3, 4))
        if text[start : start + length].strip():
            cut.append(text[start : start + length])
    built = corpus(tmp_path_factory.mktemp("mixed"), {"xx": texts})
    read = [text for batch in built.blocks("xx", ["text"]) for text in batch["text"].to_pylist()]
    pairs = [(draw.choice(cut), draw.choice(cut)) for _ in range(35)]
    return built, read, cut, facts_of([*pairs, *((name, name) for name in cut[:10])])


@pytest.mark.parametrize("matching", MATCHINGS)
def test_mixed_scripts(mixed, matching):
    built, _, _, facts = mixed
    differ, present = differences(built, "xx", facts, Matching.parse(matching))
    assert not differ
    assert present > 10


@pytest.mark.parametrize("how", ["exact", "accents"])
def test_a_plain_scan(mixed, how):
    built, texts, cut, _ = mixed
    index = of_corpus(built, Kind("xx", fold=how), Quiet())
    names = {" ".join(fold(name, how).split()) for name in cut} - {""}
    assert {name: index.count([name]) for name in names} == {name: scanned(texts, name, how) for name in names}


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")
    write_world(folder / "world", open_source("atlas", None), languages=("ja",))
    build(f"world:{folder / 'world'}", None, folder / "corpus", Quiet())
    return open_built(folder / "corpus")


@pytest.mark.parametrize("unit", ["sentence", "paragraph"])
def test_the_planted_world(planted, unit):
    facts = FactSet.parse("atlas(sample=6)").open(["ja"]).table("ja")
    differ, present = differences(planted, "ja", facts, Matching(), unit)
    assert not differ
    assert present > 5


@pytest.mark.parametrize("lang", ["en", "it", "ja", "af"])
def test_real_sentences(shared_data, tmp_path, lang):
    lines = (shared_data("wikipedia_sentences") / f"{lang}.txt").read_text(encoding="utf-8").splitlines()[:SENTENCES]
    built = corpus(tmp_path, {lang: lines})
    table = FactSet.parse(f"mlama:{shared_data('mlama1.1')}").open([lang]).table(lang)
    named = np.array([any(label in line for line in lines[:500]) for label in table["object"].to_pylist()[:3000]])
    facts = table.take(np.flatnonzero(named)[:FACTS])
    for matching in (Matching(), Matching(overlap="all", short=True)):
        differ, _ = differences(built, lang, facts, matching)
        assert not differ
    index = of_corpus(built, Kind(lang), Quiet())
    names = dict.fromkeys(facts["object"].to_pylist())
    exact = {name: index.count([" ".join(fold(name, "exact").split())]) for name in list(names)[:20]}
    assert exact == {name: scanned([fold(line, "exact") for line in lines], name, "exact") for name in exact}


def test_an_analyzer_that_cuts_by_the_words_around_differs_and_says_so(tmp_path):
    lines = ["東京都は日本にある。", "日本の東京です。"]
    built = corpus(tmp_path, {"ja": lines, "th": ["มสารัศม์เช่นกรุงเทพ"]})
    ja, th = (of_corpus(built, Kind(lang), Quiet()) for lang in ("ja", "th"))
    found = ja.evidence(Asked(("京都",), ("日本",)), 5)
    assert ja.analyzer == "JapaneseAnalyzer"
    assert (found.counts.both, found.counts.analyzed, len(found.hits)) == (1, 0, 1)
    assert th.analyzer is None
    assert th.evidence(Asked(("มสารัศม์",), ("กรุงเทพ",)), 5).counts[2:] == (1, 0, None)

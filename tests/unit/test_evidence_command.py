"""``probe evidence``: what is found, in which order, how it is shown, and what is asked of other people's indexes."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from click.testing import CliRunner
from probe_fixtures import fact, write_facts
from rich.console import Console

from data_builders.corpora.build import build
from data_builders.corpora.built import open_built
from data_builders.progress import Quiet
from probe.cli import main
from probe.tracing.evidence.analyzers import ANALYZERS, analyzer, words
from probe.tracing.evidence.asked import Asked
from probe.tracing.evidence.foreign import Foreign
from probe.tracing.evidence.index import Kind, ensure
from probe.tracing.evidence.jvm import java
from probe.tracing.evidence.report import Shown, show
from probe.tracing.evidence.search import Counts, Evidence, Hit

ARTICLES = {
    "it": [
        ("Roma", [["Roma è la capitale d'Italia.", "La città è antica."], ["L'Italia è una penisola."]]),
        ("York", [["York sta in Inghilterra; New York no."], ["A New York non si parla d'Inghilterra."]]),
        ("Singapore", [["Singapore è bella."], ["A Singapore si parla di Singapore."]]),
        ("Parigi", [["Parigi ha la Senna."], ["La Francia è grande.", "Viva Parigi!"]]),
        ("[bold]", [["L'[red]Italia[/red] \x1b[31m e Roma"]]),
    ],
    "ja": [("京都", [["京都は日本の都市です。", "東京都も日本です。"]])],
}
FACTS = {
    "en": [fact("P36", "Italia", "Roma") | {"subject": "Italy", "object": "Rome"}],
    "it": [fact("P36", "Italia", "Roma"), fact("P131", "York", "Inghilterra"), fact("P131", "New York", "USA"),
           fact("P36", "Singapore", "Singapore"), fact("P36", "Francia", "Parigi"), fact("P36", "Perù", "Lima")],
    "ja": [fact("P131", "京都", "日本")],
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    here = tmp_path_factory.mktemp("evidence")
    write_facts(here / "facts", FACTS, {})
    (here / "text").mkdir()
    for lang, articles in ARTICLES.items():
        rows = ({"id": title, "title": title, "paragraphs": paragraphs} for title, paragraphs in articles)
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (here / "text" / f"{lang}.jsonl").write_text(text, encoding="utf-8")
    build(f"jsonl:{here / 'text'}", None, here / "corpus", Quiet())
    return here


def ask(folder, *words: str, ok: bool = True):
    words = ["evidence", *words, "--factset", f"facts:{folder / 'facts'}", "--quiet"]
    done = CliRunner().invoke(main, words)
    assert (done.exit_code == 0) == ok, (done.output, done.exception)
    return done


def found(folder, name: str, lang: str = "it", *more: str) -> dict:
    return json.loads(ask(folder, name, "--lang", lang, "--corpus", str(folder / "corpus"), "--json", *more).stdout)[
        lang
    ]


def test_passages_hold_both_names_and_say_where(folder):
    shown = found(folder, "P36|Italia|Roma")
    assert shown["counts"] == {"subject": 3, "object": 2, "both": 2, "documents": 0, "analyzed": 2}
    assert shown["together"] == "passage"
    best = next(hit for hit in shown["hits"] if hit["title"] == "Roma")
    assert best["id"] == "0.0.0" and best["text"] == "Roma è la capitale d'Italia."
    assert [best["text"][slice(*place)] for side in ("subject", "object") for place in best[side]] == ["Italia", "Roma"]


def test_a_fact_is_called_by_its_key_a_beginning_or_labels_of_english(folder):
    keys = {found(folder, name)["fact"] for name in ("P36|S:Italia|O:Roma", "P36|S:Ita", "P36|Ita", "P36|Italy|Rome")}
    assert keys == {"P36|S:Italia|O:Roma"}


def test_a_name_inside_a_longer_one_counts_only_as_asked(folder):
    alone = found(folder, "P131|York|Inghilterra")
    assert (alone["counts"]["subject"], alone["counts"]["both"]) == (1, 1)
    assert [hit["subject"] for hit in alone["hits"]] == [[[0, 4]]]
    everywhere = found(folder, "P131|York|Inghilterra", "it", "--names", "names(overlap=all)")
    assert (everywhere["counts"]["subject"], everywhere["counts"]["both"]) == (2, 2)


def test_two_things_of_one_name_need_two_mentions(folder):
    shown = found(folder, "P36|Singapore|Singapore")
    assert (shown["counts"]["subject"], shown["counts"]["both"]) == (2, 1)
    assert [hit["text"] for hit in shown["hits"]] == ["A Singapore si parla di Singapore."]


def test_where_no_passage_holds_both_documents_are_shown(folder):
    shown = found(folder, "P36|Francia|Parigi")
    assert shown["together"] == "document" and shown["counts"]["documents"] == 1
    assert [hit["id"] for hit in shown["hits"]] == ["3.0.0", "3.1.0"]
    by_paragraph = found(folder, "P36|Francia|Parigi", "it", "--unit", "paragraph")
    assert by_paragraph["together"] == "passage"
    assert [(hit["id"], hit["text"]) for hit in by_paragraph["hits"]] == [("3.1", "La Francia è grande.\nViva Parigi!")]
    assert found(folder, "P36|Perù|Lima")["together"] == "nowhere"


def test_names_are_found_in_any_case_if_asked(folder):
    assert found(folder, "P36|Italia|Roma", "it", "--names", "names(fold=case)")["counts"]["both"] == 2
    names = sorted(path.name for path in (folder / "corpus" / "lucene").iterdir() if path.name[0] != ".")
    assert "it-case" in names


def test_what_an_analyzer_finds_otherwise_is_said(folder):
    text = ask(
        folder, "P131|京都|日本", "--lang", "ja", "--corpus", str(folder / "corpus"), "--names", "names(overlap=all)"
    )
    assert "both in 2 of 2 sentences" in text.stdout
    assert "JapaneseAnalyzer finds both in 1, exact 2" in text.stdout


def test_several_languages_and_one_that_lacks_the_fact(folder):
    done = ask(folder, "P36|Italia|Roma", "--langs", "it,ja", "--corpus", str(folder / "corpus"))
    assert "it  Italia – Roma" in done.stdout and "ja" not in done.stdout
    assert done.stderr.startswith("ja: ") and "no such fact" in done.stderr


def test_the_text_is_shown_as_it_is(folder):
    """No markup of rich's is obeyed, nor what would steer a terminal; without one there are no colours."""
    done = ask(folder, "P36|Italia|Roma", "--lang", "it", "--corpus", str(folder / "corpus"))
    assert "L'[red]Italia[/red] \ufffd[31m e Roma" in done.stdout and "[bold]" in done.stdout
    assert "\x1b" not in done.stdout


def test_both_names_are_marked_apart():
    hit = Hit("0.0.0", "Titolo", "Roma in Italia", 1.0, ((8, 14),), ((0, 4),))
    one = Shown(
        "it", "k", "Italia", "Roma", "sentence", 9, None, None, Evidence("passage", Counts(1, 1, 1, 0, None), [hit])
    )
    out = StringIO()
    show(one, Console(file=out, force_terminal=True, color_system="standard", width=200))
    text = out.getvalue().splitlines()[-1]
    before = {name: text[: text.index(name)].rpartition("\x1b[")[2] for name in ("Roma", "Italia")}
    assert before["Roma"] != before["Italia"] and all(style[0].isdigit() for style in before.values())


def test_pyserini_opens_our_index(folder):
    """Its reader and searcher, which breaks ties by the values of ``id``, take it as one of theirs."""
    path = ensure(open_built(folder / "corpus"), Kind("it"), Quiet())
    java("java.lang.System")  # before Pyserini starts Java its own way
    from pyserini.index.lucene import LuceneIndexReader

    reader = LuceneIndexReader(str(path))
    assert reader.stats()["documents"] == 11
    assert json.loads(reader.doc_raw("0.0.0"))["title"] == "Roma"
    searcher = java("io.anserini.search.SimpleSearcher")(str(path))
    searcher.set_language("it")
    assert searcher.search("capitale", 3)[0].docid == "0.0.0"


def users_index(folder, language: str, rows: list[dict], *more: str):
    """An index as Pyserini makes it."""
    java("java.lang.System")
    from pyserini.index.lucene import LuceneIndexer

    indexer = LuceneIndexer(args=["-index", str(folder), "-language", language, "-storeRaw", *more], threads=1)
    indexer.add_batch_raw([json.dumps(row, ensure_ascii=False) for row in rows])
    indexer.close()


ROWS = [
    {"id": "a", "title": "Roma", "contents": "Roma è la capitale d'Italia."},
    {"id": "b", "contents": "Le strade romane d'Italia erano molte."},
    {"id": "c", "contents": "ROMA ITALIA"},
    {"id": "d", "contents": "Parigi è in Francia."},
]


@pytest.mark.parametrize(
    ("language", "name", "exact", "analyzed"),
    [("it", "ItalianAnalyzer", 1, 2), ("xx", "DefaultEnglishAnalyzer", 0, 1)],  # English leaves d'Italia whole
)
def test_a_users_index_tells_its_analyzer(tmp_path, language, name, exact, analyzed):
    users_index(tmp_path / "index", language, ROWS, "-storePositions")
    opened = Foreign(tmp_path / "index", "it")
    assert (opened.analyzer, opened.fit, opened.passages) == (name, 1.0, 4)
    wanted = Asked(("Italia",), ("Roma",))
    evidence = opened.evidence(wanted, 1)
    assert (evidence.counts.both, evidence.counts.analyzed) == (exact, analyzed)
    assert evidence.hits[0].id in ("a", "c") and len(evidence.hits) == 1
    assert opened.evidence(Asked(("Italia",), ("Lima",)), 5).together == "nowhere"


def test_a_users_index_is_asked_by_the_command(folder, tmp_path):
    users_index(tmp_path / "index", "it", ROWS, "-storePositions")
    done = ask(folder, "P36|Italia|Roma", "--lang", "it", "--index", str(tmp_path / "index"))
    assert "read as ItalianAnalyzer's, which has 100% of its terms; its counts can differ" in done.stdout
    assert "finds both in 2, of which exact 1" in done.stdout and "a  Roma" in done.stdout


def test_a_users_index_without_positions_is_refused(folder, tmp_path):
    users_index(tmp_path / "index", "it", ROWS)
    done = ask(folder, "P36|Italia|Roma", "--lang", "it", "--index", str(tmp_path / "index"), ok=False)
    assert "no positions" in done.stderr and "--storePositions" in done.stderr


@pytest.mark.parametrize("lang", ANALYZERS)
def test_every_analyzer_of_the_table_reads(lang):
    assert words(analyzer(ANALYZERS[lang]), "Tokyo 2020 ok")

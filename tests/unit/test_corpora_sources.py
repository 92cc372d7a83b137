"""Kinds of corpora other than dumps: text, JSON Lines, Parquet, a hub, the planted world."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_builders.corpora.faults import Faults
from data_builders.corpora.passages import Document
from data_builders.corpora.sources import CORPORA, documents, open_source, reader_class
from data_builders.corpora.wikipedia import paragraphs
from data_builders.errors import FactrootsError
from data_builders.planted.world import read_articles, write_world
from data_builders.sources import open_source as open_facts

ARTICLE = "Roma è italiana.\n\nÈ grande.\n\nStoria \n\nAntica.\n* uno\n* due\n\nVoci correlate \n\nLazio"


def read(spec, lang="it"):
    faults = Faults()
    return list(documents(open_source(spec).reader, lang, faults)), faults


@pytest.mark.parametrize("name", CORPORA)
def test_every_kind_says_what_it_is(name):
    cls = reader_class(name)
    assert cls.summary and cls.layout in ("DIR", "NAME")
    assert all(not p.choices or p.default in p.choices for p in cls.parameters.values())
    assert all(callable(getattr(cls, method)) for method in ("languages", "files", "rows", "document"))


def test_text_of_sentences_and_of_paragraphs(tmp_path):
    (tmp_path / "it.txt").write_bytes("\ufeffUna. Due.\r\n\n  Tre.\x85Quattro\u2028.".encode())
    found, faults = read(f"text:{tmp_path}")
    assert found == [
        Document("1", "", None, [["Una. Due.\r\n"]], 1),
        Document("3", "", None, [["  Tre.\x85Quattro\u2028."]], 1),
    ]
    assert faults.counts == {"blank": 1}
    assert [d.paragraphs for d in read(f"text:{tmp_path}(line=paragraph)")[0]] == [
        ["Una. Due.\r\n"],
        ["  Tre.\x85Quattro\u2028."],
    ]
    assert read(f"text:{tmp_path / 'it.txt'}", "xy")[0] == found
    assert open_source(f"text:{tmp_path}").portable == open_source(f"text:{tmp_path}(line=sentence)").portable == "text"
    assert open_source(f"text:{tmp_path}(line=paragraph)").portable == "text(line=paragraph)"


def test_files_that_are_no_languages(tmp_path):
    for name in ("it.txt", "zh-hant.txt", "SOURCE.txt", "README.txt", ".af.txt", "ja.jsonl"):
        (tmp_path / name).write_text("a")
    assert open_source(f"text:{tmp_path}").reader.languages() == ["it", "zh-hant"]


def test_json_lines(write_jsonl, tmp_path):
    write_jsonl(
        "c/it.jsonl",
        {"id": 7, "title": "Roma", "qid": "Q220", "text": "Una. Due.\nTre."},
        {"paragraphs": [["Una.", "Due."], "Tre."], "lead": 1},
    )
    assert read(f"jsonl:{tmp_path}/c") == (
        [
            Document("7", "Roma", "Q220", ["Una. Due.", "Tre."], 2),
            Document("2", "", None, [["Una.", "Due."], "Tre."], 1),
        ],
        Faults(),
    )


def write_parquet(folder, rows):
    folder.mkdir(parents=True)
    for number, part in enumerate(rows):
        pq.write_table(pa.Table.from_pylist(part), folder / f"train-{number:05d}-of-{len(rows):05d}.parquet")


def row(number, text):
    return {"id": str(number), "url": f"https://it.wikipedia.org/wiki/{number}", "title": f"T{number}", "text": text}


def test_wikipedia_in_parquet(tmp_path):
    write_parquet(tmp_path / "20231101.it", [[row(n, "a") for n in range(600)], [row(600, ARTICLE)]])
    write_parquet(tmp_path / "20231101.zh-min-nan", [[row(1, "b")]])
    assert open_source(f"wikipedia:{tmp_path}").reader.languages() == ["it", "zh-min-nan"]
    found, faults = read(f"wikipedia:{tmp_path}")
    assert [d.id for d in found] == [str(n) for n in range(601)]
    expected = ["Roma è italiana.", "È grande.", "Antica.", "* uno", "* due", "Lazio"]
    assert found[-1] == Document("600", "T600", None, expected, 2)
    assert not faults.counts
    assert read(f"wikipedia:{tmp_path}/20231101.it")[0] == found
    write_parquet(tmp_path / "20240101.it", [[row(1, "a")]])
    with pytest.raises(FactrootsError, match=r"several dates \(20231101.it, 20240101.it\)"):
        open_source(f"wikipedia:{tmp_path}")


def test_headings_are_not_taken_for_text():
    assert paragraphs("Titolo solo") == (["Titolo solo"], 1)
    assert paragraphs("Primo.\n\nUltima riga") == (["Primo.", "Ultima riga"], 2)
    assert paragraphs("") == ([], 0)
    long = "parola " * 30
    assert paragraphs(f"Primo.\n\n{long}\n\nFine.") == (["Primo.", long.strip(), "Fine."], 3)


def test_hub_is_streamed_at_a_fixed_revision(monkeypatch):
    """A fake in place of the hub: what is asked of it, and what is made of its rows."""
    import datasets

    asked = []

    def load(name, config, **options):
        asked.append((name, config, options))
        rows = [row(1, ARTICLE), row(2, "b")]
        return datasets.IterableDataset.from_generator(lambda: iter(rows))

    monkeypatch.setattr(datasets, "load_dataset", load)
    monkeypatch.setattr(
        datasets, "get_dataset_config_names", lambda *a, **o: ["20231101.it", "20231101.af", "20220301.ja"]
    )
    spec = "hub:wikimedia/wikipedia(revision=abc)"
    source = open_source(spec)
    assert source.portable == "hub:wikimedia/wikipedia(date=20231101,revision=abc)"
    assert source.reader.languages() == ["af", "it"]
    assert source.reader.files("it") == []
    assert [(d.id, d.lead) for d in read(spec)[0]] == [("1", 2), ("2", 1)]
    assert asked == [("wikimedia/wikipedia", "20231101.it", {"split": "train", "streaming": True, "revision": "abc"})]
    with pytest.raises(FactrootsError, match="unknown language 'ja'; there are: af, it"):
        source.reader.files("ja")


def test_hub_that_is_out_of_reach():
    with pytest.raises(FactrootsError, match="cannot read a/b from the hub: .*wikipedia:DIR") as caught:
        open_source("hub:a/b").reader.languages()
    assert len(str(caught.value).splitlines()) == 1


def test_planted_world_keeps_its_sentences(tmp_path):
    write_world(tmp_path / "w", open_facts("atlas", None), languages=("af", "ja"))
    for lang in ("af", "ja"):
        found, articles = read(f"world:{tmp_path}/w", lang)[0], list(read_articles(tmp_path / "w", lang))
        assert [(d.id, d.title, d.qid) for d in found] == [(a.id, a.title, a.uri) for a in articles]
        assert [d.paragraphs for d in found] == [[[s.text for s in p] for p in a.paragraphs] for a in articles]
        assert all(d.lead == len(d.paragraphs) for d in found)
    assert json.loads((tmp_path / "w/world.json").read_text())["languages"] == ["af", "ja"]

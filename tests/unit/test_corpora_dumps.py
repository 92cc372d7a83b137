"""Dumps of Wikipedia: XML in all packings, abstracts, Wikidata items, and which files are a language."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import pytest
from corpora_fixtures import dump, page

from data_builders.corpora.dump import Dump
from data_builders.corpora.faults import Faults
from data_builders.corpora.passages import Document
from data_builders.corpora.sources import documents, open_source
from data_builders.errors import FactrootsError

PAGES = (
    page(
        1, "Roma", "'''Roma''' è [[Italia|italiana]]. Bella.\n\n== Storia ==\nAntica & <b>grande</b>.\n[[Categoria:X]]"
    ),
    page(2, "Urbe", "#RINVIA [[Roma]]", redirect="Roma"),
    page(3, "Discussione:Roma", "chiacchiere", ns=1),
    page(4, "Roma (disambigua)", "* [[Roma]]\n* [[Roma (Texas)]]"),
    page(5, "Stile", "a {}", model="css"),
    page(6, "Vuota", "{{x}}"),
)
EXPECTED = [
    Document("1", "Roma", None, ["Roma è italiana. Bella.", "Antica & grande."], 1),
    Document("4", "Roma (disambigua)", None, ["Roma", "Roma (Texas)"], 2),
    Document("6", "Vuota", None, [], 0),
]
NAME = "itwiki-20240101-pages-articles"


def read(path, lang="it"):
    faults = Faults()
    return list(documents(Dump(path), lang, faults)), faults


def halves(text: str) -> bytes:
    """A multistream dump: several bzip2 streams, one after the other, cut anywhere."""
    data = text.encode()
    return b"".join(bz2.compress(data[i : i + 301]) for i in range(0, len(data), 301))


@pytest.mark.parametrize(
    ("ending", "pack"),
    [
        (".xml", str.encode),
        (".xml.bz2", lambda text: bz2.compress(text.encode())),
        (".xml.gz", lambda text: gzip.compress(text.encode())),
        ("-multistream.xml.bz2", halves),
    ],
)
def test_articles_in_every_packing(tmp_path, ending, pack):
    (tmp_path / f"{NAME}{ending}").write_bytes(pack(dump(*PAGES)))
    found, faults = read(tmp_path)
    assert found == EXPECTED
    assert faults.counts == {"redirect": 1, "namespace": 1, "model": 1}
    assert Dump(tmp_path).languages() == ["it"]
    assert read(tmp_path / f"{NAME}{ending}", "xy")[0] == EXPECTED  # one file is whatever language it is said to be


def test_large_pieces_come_out_whole(tmp_path):
    """A page longer than any buffer, packed a thousandfold."""
    text = "parola è " * 500_000
    (tmp_path / f"{NAME}.xml.bz2").write_bytes(bz2.compress(dump(page(1, "A", text), page(2, "B", "b")).encode()))
    (tmp_path / "dewiki-1-pages-articles.xml.gz").write_bytes(gzip.compress(dump(page(1, "A", text)).encode()))
    assert [d.paragraphs for d in read(tmp_path)[0]] == [[text.strip()], ["b"]]
    assert read(tmp_path, "de")[0][0].paragraphs == [text.strip()]


def test_items_from_page_props(tmp_path):
    (tmp_path / f"{NAME}.xml").write_text(dump(*PAGES))
    rows = "(4,'wikibase_item','Q42',NULL),(6,'defaultsort','Q7',NULL),(1,'wikibase_item','Q220',1.5)"
    (tmp_path / "itwiki-20240101-page_props.sql.gz").write_bytes(
        gzip.compress(f"CREATE TABLE x;\nINSERT INTO `page_props` VALUES {rows};\n".encode())
    )
    assert [document.qid for document in read(tmp_path)[0]] == ["Q220", "Q42", None]


def test_parts_in_their_order_and_no_copy_twice(tmp_path):
    names = [f"{NAME}2.xml-p20p29", f"{NAME}10.xml-p100p200", f"{NAME}1.xml-p1p19", f"{NAME}-multistream1.xml-p1p19"]
    for name in names:
        (tmp_path / name).write_text(dump(*PAGES))
    assert [p.name for p in Dump(tmp_path).files("it")] == [names[2], names[0], names[1]]
    (tmp_path / f"{NAME}-multistream.xml.bz2").write_bytes(b"")
    assert [p.name for p in Dump(tmp_path).files("it")] == [f"{NAME}-multistream.xml.bz2"]
    (tmp_path / "itwiki-20230101-pages-articles.xml").write_text(dump())
    with pytest.raises(FactrootsError, match="holds it of 20230101, 20240101; name one file"):
        Dump(tmp_path)


def test_names_that_are_other_files(tmp_path):
    for name in ("itwiki-1-pages-articles-multistream-index.txt.bz2", "itwiki-1-abstract.xml", "x.xml"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(FactrootsError, match="no dump in it; expected <lang>wiki-"):
        Dump(tmp_path)
    (tmp_path / "zh_min_nanwiki-1-pages-articles.xml").write_text(dump())
    assert Dump(tmp_path).languages() == ["zh-min-nan"]
    with pytest.raises(FactrootsError, match="unknown language 'it'; there are: zh-min-nan"):
        Dump(tmp_path).files("it")


def test_entities_are_not_expanded(tmp_path):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>\n' + dump(page(1, "A", "x"))
    (tmp_path / f"{NAME}.xml").write_text(bomb)
    found, faults = read(tmp_path)
    assert (found, faults.counts) == ([], {"xml": 1})
    assert faults.bad_lines() == [f"{NAME}.xml:1: declares a document type, as no dump does; it is not read"]


def test_abstracts(tmp_path):
    docs = "".join(
        f"<doc>\n<title>Wikipedia: {t}</title>\n<url>https://it.wikipedia.org/wiki/{t}</url>\n<abstract>{a}</abstract>\n"
        "<links>\n<sublink linktype='nav'><anchor>Storia</anchor><link>x</link></sublink>\n</links>\n</doc>\n"
        for t, a in (("Roma", "Roma è una città &amp; un comune."), ("Po: fiume", ""))
    )
    (tmp_path / "itwiki-20181120-abstract.xml.gz").write_bytes(gzip.compress(f"<feed>\n{docs}</feed>\n".encode()))
    reader, faults = open_source(f"abstracts:{tmp_path}").reader, Faults()
    assert list(documents(reader, "it", faults)) == [
        Document("https://it.wikipedia.org/wiki/Roma", "Roma", None, ["Roma è una città & un comune."], 1),
        Document("https://it.wikipedia.org/wiki/Po: fiume", "Po: fiume", None, [""], 1),
    ]
    assert not faults.counts


def test_history_dump_gives_the_last_text(tmp_path):
    twice = page(1, "A", "vecchio").replace("</revision>", "</revision><revision><text>nuovo</text></revision>")
    (tmp_path / f"{NAME}.xml").write_text(dump(twice))
    assert read(Path(tmp_path))[0][0].paragraphs == ["nuovo"]

"""Corpora that are broken: told with file and line or page, counted, and what came before is kept."""

from __future__ import annotations

import bz2
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpora_fixtures import built, contents, dump, page

from data_builders.corpora.built import open_built
from data_builders.errors import FactrootsError
from data_builders.planted.world import write_world
from data_builders.sources import open_source as open_facts

PAGES = [page(n, f"A{n}", f"'''A{n}''' è la riga {n * 7919}. " * 40) for n in range(200)]
NAME = "itwiki-1-pages-articles.xml"


def refused(source, folder, *parts, langs=None):
    """The build fails with each of `parts` in its message; with --skip-bad it then ends and says it is partial."""
    with pytest.raises(FactrootsError, match="mend them or pass --skip-bad") as caught:
        built(source, folder, langs)
    for part in parts:
        assert part in str(caught.value)
    with pytest.raises(FactrootsError, match="is not finished"):
        open_built(folder)
    (about,) = built(source, folder, langs, skip_bad=True)["languages"].values()
    assert about["partial"]
    return about


@pytest.mark.parametrize(("ending", "pack"), [(".bz2", bz2.compress), (".gz", gzip.compress), ("", bytes)])
@pytest.mark.parametrize("keep", [0.5, 0.99])
def test_truncated_dump(tmp_path, ending, pack, keep):
    text = dump(*PAGES).encode()
    # bzip2 unpacks in blocks, so the file has several streams, as multistream dumps do.
    streams = [pack(text[i : i + 20_000]) for i in range(0, len(text), 20_000)]
    data = b"".join(streams)
    (tmp_path / f"{NAME}{ending}").write_bytes(data[: int(len(data) * keep)])
    about = refused(
        f"dump:{tmp_path}", tmp_path / "c", f"1 faults in dump:{tmp_path}", f"{NAME}{ending}", " ends in the "
    )
    assert about["faults"] == {"truncated": 1}
    assert 0 < about["documents"] < 200
    titles = open_built(tmp_path / "c").documents("it")["title"].to_pylist()
    assert titles == [f"A{n}" for n in range(len(titles))]
    assert len(titles) >= 200 * keep - 12


def test_damaged_in_the_middle(tmp_path):
    data = bytearray(b"".join(bz2.compress(dump(*PAGES).encode()[i : i + 20_000]) for i in range(0, 400_000, 20_000)))
    data[len(data) // 2 : len(data) // 2 + 50] = bytes(50)
    (tmp_path / f"{NAME}.bz2").write_bytes(data)
    about = refused(f"dump:{tmp_path}", tmp_path / "c", f"{NAME}.bz2: is damaged near byte")
    assert about["documents"] > 50


def test_broken_xml(tmp_path):
    broken = [*PAGES[:50], PAGES[50].replace("</title>", "</titel>"), *PAGES[51:]]
    (tmp_path / NAME).write_text(dump(*broken))
    line = dump(*broken)[: dump(*broken).index("</titel>")].count("\n") + 1
    about = refused(f"dump:{tmp_path}", tmp_path / "c", f"{NAME}:{line}: broken XML: mismatched tag")
    assert about["documents"] == 50


def test_mended_file_is_read_anew(tmp_path):
    (tmp_path / NAME).write_text(dump(*PAGES)[:-1000])
    with pytest.raises(FactrootsError, match="ends in the middle of its XML"):
        built(f"dump:{tmp_path}", tmp_path / "c")
    (tmp_path / NAME).write_text(dump(*PAGES))
    about = built(f"dump:{tmp_path}", tmp_path / "c")["languages"]["it"]
    assert (about["documents"], about["faults"]) == (200, {})


def test_skipping_at_once_and_after_a_refusal_give_the_same(tmp_path):
    (tmp_path / NAME).write_text(dump(*PAGES)[:-1000])
    refused(f"dump:{tmp_path}", tmp_path / "c", "ends in the middle of its XML")
    built(f"dump:{tmp_path}", tmp_path / "d", skip_bad=True)
    assert contents(tmp_path / "c") == contents(tmp_path / "d")


def test_invalid_encodings_by_line(tmp_path):
    (tmp_path / "it.txt").write_bytes("Città uno.\n".encode() + "Città due.\n".encode("latin-1") + b"Tre.\n\xff\n")
    source = f"text:{tmp_path}"
    about = refused(
        source, tmp_path / "c", "2 faults", "it.txt:2: is not UTF-8 at byte 5", "it.txt:4: is not UTF-8 at byte 1"
    )
    assert (about["documents"], about["faults"]) == (2, {"encoding": 2})


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_other_unicode_is_one_line(tmp_path, encoding):
    (tmp_path / "it.txt").write_bytes("Una riga.\nDue.".encode(encoding))
    with pytest.raises(FactrootsError, match="is UTF-16 or UTF-32; convert it first: iconv"):
        built(f"text:{tmp_path}", tmp_path / "c")


def test_bad_json_lines(tmp_path):
    rows = [
        {"text": "Una."},
        "[1]",
        "{",
        {"title": "x"},
        {"text": 3},
        {"paragraphs": ["a", 3]},
        {"text": "a", "lead": 9},
        {"text": "\ud800"},
        {"text": "a", "title": 3},
    ]
    lines = [(row if isinstance(row, str) else json.dumps(row)).encode() for row in rows] + [b'{"text": "\xff"}']
    (tmp_path / "it.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    about = refused(
        f"jsonl:{tmp_path}", tmp_path / "c", "9 faults", "it.jsonl:2: is not a JSON object", "and 3 more: bad row"
    )
    assert about["faults"] == {"row": 8, "encoding": 1}
    assert about["places"]["row"][1:] == [
        "it.jsonl:3: is not JSON: Expecting property name enclosed in double quotes at character 3",
        'it.jsonl:4: has to have either "text" or "paragraphs"',
        "it.jsonl:5: text is int, expected text",
        "it.jsonl:6: paragraphs is not a list of texts, or of lists of sentences",
    ]


def test_truncated_parquet(tmp_path):
    folder = tmp_path / "20231101.it"
    folder.mkdir()
    for number in range(2):
        rows = [{"id": str(n), "url": "", "title": f"{number}.{n}", "text": "Una."} for n in range(50)]
        pq.write_table(pa.Table.from_pylist(rows), folder / f"train-{number}.parquet")
    path = folder / "train-0.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    about = refused(f"wikipedia:{tmp_path}", tmp_path / "c", "train-0.parquet: is no whole Parquet file")
    assert about["documents"] == 50
    pq.write_table(pa.table({"id": ["1"], "text": ["Una."]}), path)
    about = refused(f"wikipedia:{tmp_path}", tmp_path / "d", "train-0.parquet: has no column title")
    assert about["documents"] == 50


def test_empty_corpora(tmp_path):
    (tmp_path / "it.txt").write_text("\n  \n")
    with pytest.raises(FactrootsError, match=r"has no text in it \(blank lines 2\)"):
        built(f"text:{tmp_path}", tmp_path / "c")
    (tmp_path / NAME).write_text(dump())
    with pytest.raises(FactrootsError, match=r"has no text in it \(nothing at all\)"):
        built(f"dump:{tmp_path}", tmp_path / "d")


def test_broken_world(tmp_path):
    write_world(tmp_path / "w", open_facts("atlas", None), languages=("af",))
    path = tmp_path / "w/articles-af.jsonl"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(FactrootsError, match="articles-af.jsonl is broken .*; write the world anew"):
        built(f"world:{tmp_path}/w", tmp_path / "c")
    path.unlink()
    with pytest.raises(FactrootsError, match="articles-af.jsonl is missing; write the world anew"):
        built(f"world:{tmp_path}/w", tmp_path / "d")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("text:{}/none", "no such file or folder"),
        ("text:{}/empty", "no language in it; expected .*/empty/<lang>.txt"),
        ("text", "corpus 'text' needs a path: text:DIR"),
        ("text:{}(line=word)", "takes line=sentence or line=paragraph, got line=word"),
        ("text:{}(lines=sentence)", "unknown parameter of text 'lines'; there are: line"),
        ("wiki:{}", "unknown kind of corpus 'wiki'; there are: abstracts, dump, "),
        ("dump:{}/empty", "no dump in it; expected <lang>wiki-<date>-pages-articles.xml.bz2"),
        ("wikipedia:{}/empty", "expected .*/<date>.<lang>/train-\\*.parquet"),
        ("world:{}/empty", "holds no planted world"),
        ("text:{}/it.txt", "is one file: say its language with --langs"),
    ],
)
def test_sources_that_are_none(tmp_path, spec, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "it.txt").write_text("Una.")
    with pytest.raises(FactrootsError, match=message) as caught:
        built(spec.format(tmp_path), tmp_path / "c")
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "c").exists()


def test_languages_that_are_none(tmp_path):
    (tmp_path / "it.txt").write_text("Una.")
    with pytest.raises(FactrootsError, match="unknown language 'xx'; there are: it"):
        built(f"text:{tmp_path}", tmp_path / "c", ["it", "xx"])
    with pytest.raises(FactrootsError, match="is one file and cannot be both it and af"):
        built(f"text:{tmp_path}/it.txt", tmp_path / "c", ["it", "af"])


def test_folder_in_use(tmp_path):
    (tmp_path / "it.txt").write_text("Una.")
    with pytest.raises(FactrootsError, match="is not empty and holds no corpus; name another folder"):
        built(f"text:{tmp_path}", tmp_path)
    built(f"text:{tmp_path}", tmp_path / "c")
    (tmp_path / "c/passages-it.parquet").unlink()
    with pytest.raises(FactrootsError, match="lacks passages-it.parquet; build the corpus anew"):
        open_built(tmp_path / "c")
    (tmp_path / "c/corpus.json").write_text("{")
    with pytest.raises(FactrootsError, match="corpus.json is not readable JSON"):
        open_built(tmp_path / "c")

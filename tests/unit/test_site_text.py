"""Text in HTML, JSON and CSV: whatever it holds, it stays text."""

from __future__ import annotations

import csv
import json
import subprocess
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from site_fixtures import HOSTILE, made_up

from leaderboard.site import sheet
from leaderboard.site.layout import Column, foreign, join, parts, table, tag
from leaderboard.site.scripts import UNSEEN, script, spelled
from leaderboard.site.wording import percent

anything = st.text(st.characters(exclude_categories=["Cs"]))


class Texts(HTMLParser):
    """The elements and the text of a page, as a browser would see them."""

    def __init__(self, page: str):
        super().__init__(convert_charrefs=True)
        self.tags, self.text, self.attributes = [], "", []
        self.feed(page)
        self.close()

    def handle_starttag(self, name, attributes):
        self.tags.append(name)
        self.attributes += attributes

    def handle_data(self, data):
        self.text += data


def seen(text: str) -> str:
    return text.translate(UNSEEN)


@given(anything)
@example("</script><script>alert(1)</script>\u2028\u2029")
def test_json_in_a_script_holds_nothing_that_ends_it_and_is_read_back(text):
    value = {text: [text, None, 1.5]}
    held = spelled(value)
    assert not set(held) & set("<>&\u2028\u2029")
    assert json.loads(held) == {seen(text): [seen(text), None, 1.5]}
    assert script("name", value) == f'factroots.give("name",{held});\n'


def test_a_number_that_is_none_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        spelled({"p1": float("nan")})


@given(anything)
@example("\"' onclick='x' <b>&amp;")
def test_text_in_html_is_text(text):
    page = Texts(tag("p", text, foreign(text), title=text))
    assert page.tags == ["p", "bdi"] and page.text == seen(text) * 2
    assert page.attributes == [("title", seen(text))]


def test_what_turns_the_text_around_is_seen():
    assert foreign("a\u202egnp.exe") == "<bdi>a\ufffdgnp.exe</bdi>"
    assert foreign("می\u200cخواهم") == "<bdi>می\u200cخواهم</bdi>"  # a joiner that Persian needs


def test_a_table_has_a_caption_heads_and_scopes():
    page = Texts(table("Numbers <b>", [Column("Model", "name"), Column("P@1")], [("<i>", "1.0"), (foreign("x"), "–")]))
    assert page.tags.count("caption") == page.tags.count("thead") == 1 and "b" not in page.tags
    assert page.attributes.count(("scope", "col")) == page.attributes.count(("scope", "row")) == 2
    assert ("tabindex", "0") in page.attributes and ("aria-label", "Numbers <b>") in page.attributes


def test_parts_pair_names_with_texts():
    page = Texts(join([parts({"a<": "b&"})]))
    assert page.tags == ["dl", "dt", "dd", "bdi"] and page.text == "a<b&"


def test_the_sheet_is_read_back_whole_and_computes_nothing(tmp_path):
    board = made_up(HOSTILE)
    sheet.write(board, tmp_path / "board.csv")
    with open(tmp_path / "board.csv", encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    assert len(rows) == sum(1 + len(row.submission.result.languages) for row in board.tables[0].rows)
    assert not any(cell[:1] in "=+-@\t\r" for row in rows for cell in row if cell)
    found = {tuple(row[head.index(name)] for name in ("model", "lang", "value")) for row in rows}
    for row in board.tables[0].rows:
        label = f"'{row.label}" if row.label[0] in "=+-@" else row.label
        assert (label, "", repr(row.submission.result.value)) in found
        for own in row.submission.result.languages:
            assert (label, own.lang, repr(own.all.value)) in found  # to the last digit


@given(st.integers(0, 4000), st.integers(1, 4000))
@example(49, 400)  # 12.25 %, as near to 12.2 as to 12.3
@example(51, 400)
def test_percents_are_rounded_as_the_command_line_does(right, of):
    assert percent(right / of) == f"{100 * (right / of):.1f}"


def test_the_pages_percents_are_those_of_the_command_line(node):
    values = [*(n / 400 for n in range(-400, 401)), *(n / 1615 for n in range(1616)), 0.1225, 0.1275, 1e-9]
    text = f"console.log(JSON.stringify({json.dumps(values)}.map(factroots.percent)))"
    assert json.loads(node(text)) == [f"{100 * value:.1f}" for value in values]


@pytest.fixture
def node():
    """A function that runs a line after site.js under node, with as much of a page as it needs."""
    import shutil
    from importlib.resources import files

    if shutil.which("node") is None:
        pytest.skip("needs node")
    site = (files("leaderboard.site") / "assets" / "site.js").read_text(encoding="utf-8")

    def run(line: str) -> str:
        program = f"globalThis.document = {{ addEventListener() {{}} }};\n{site}\n{line}"
        return subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True).stdout

    return run

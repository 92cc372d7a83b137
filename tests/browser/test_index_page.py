"""The first page in a real browser: its numbers, sorting, filters, keys, themes and widths."""

from __future__ import annotations

import re

import pytest
from site_fixtures import LANGS, made_up, until

TABLE = "[data-table]"


@pytest.fixture(scope="module")
def board(site):
    return site(made_up([f"org/model-{i}" for i in range(130)], LANGS[:5], full=False))


@pytest.fixture
def page(board, view):
    shown = view(board.at("index.html"))
    shown.wait_for_selector("tbody tr")
    return shown


def heads(page):
    return page.locator(f"{TABLE} tbody:first-of-type th.name a").all_text_contents()


def column(page, number: int):
    return page.eval_on_selector_all(
        f"{TABLE} tbody:first-of-type tr", f"rows => rows.map(row => row.children[{number}].textContent)"
    )


def head(page, key: str):
    """The head of a column, whose button begins with `key`."""
    return page.locator(f"{TABLE} thead th").filter(has=page.locator("button", has_text=re.compile(rf"^{key}( \(|$)")))


def test_numbers_are_the_records(board, page):
    rows = board.content.tables[0].rows[:100]
    assert heads(page) == [row.label for row in rows]
    results = [row.submission.result for row in rows]
    assert column(page, 2) == [f"{100 * result.value:.1f}" for result in results]
    assert column(page, 3) == [f"[{100 * one.ci.low:.1f}, {100 * one.ci.high:.1f}]" for one in results]
    for place, lang in enumerate(board.content.tables[0].langs):
        scores = [{one.lang: one.all.value for one in result.languages}.get(lang) for result in results]
        expected = ["–" if score is None else f"{100 * score:.1f}" for score in scores]
        assert column(page, 6 + place) == expected
    ranks = ["–" if row.rank is None else "–".join(map(str, dict.fromkeys(row.rank))) for row in rows]
    assert column(page, 0) == ranks


def test_a_row_that_lacks_something_says_so_and_has_no_rank(board, page):
    page.get_by_role("button", name="Next").click()
    lacking = [row for row in board.content.tables[0].rows[100:] if row.rank is None]
    assert lacking and page.locator("tbody:first-of-type .note").count() == len(lacking)
    assert page.locator("tbody:first-of-type .note").first.text_content() == f"not ranked; lacks {lacking[0].lacks[0]}"


def test_chance_and_majority_are_rows_of_their_own(page):
    marks = page.locator("tr.mark")
    assert [marks.nth(i).locator("th").text_content() for i in range(2)] == ["chance", "majority"]
    assert marks.nth(0).locator("td").nth(0).text_content() == "–"  # no rank
    assert marks.nth(1).locator("td").nth(1).text_content() == "20–22"  # the least and the greatest


@pytest.mark.parametrize("key", ["P@1", "Model", "n", "az"])
def test_sorting_by_a_column_both_ways(board, page, key):
    rows, langs = board.tables[0]["rows"], board.tables[0]["langs"]
    value = {
        "P@1": lambda row: row["value"], "Model": lambda row: int(row["model"].rpartition("-")[2]),
        "n": lambda row: row["n"], "az": lambda row: row["langs"][langs.index("az")],
    }[key]  # fmt: skip
    cell = head(page, key)
    for turn in ("first", "second"):
        cell.get_by_role("button").click()
        down = cell.get_attribute("aria-sort") == "descending"
        assert down == ((key != "Model") == (turn == "first"))  # numbers begin with the greatest
        expected = sorted(rows, key=value, reverse=down)[:100]
        shown = {row["model"]: row for row in rows}
        assert [value(shown[name]) for name in heads(page)] == [value(row) for row in expected]
    assert page.locator(f"{TABLE} thead th[aria-sort]").count() == 1


def test_what_has_no_value_is_last_whichever_way_it_is_sorted(page):
    cell = head(page, LANGS[4])
    for _ in range(2):
        cell.get_by_role("button").click()
        page.get_by_role("button", name="Next").click()
        assert column(page, 10)[-1] == "–"
        assert "–" not in column(page, 10)[:-43]


def test_sorting_by_keys_keeps_the_focus(page):
    head(page, "P@1").get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.closest('th').getAttribute('aria-sort')") == "descending"
    page.keyboard.press("Space")
    assert page.evaluate("document.activeElement.closest('th').getAttribute('aria-sort')") == "ascending"


def test_everything_is_reached_by_tab_and_seen_there(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0  # it comes into view
    seen = []
    for _ in range(24):
        page.keyboard.press("Tab")
        about = page.evaluate(
            "(e => [e.tagName, e.id || e.textContent.slice(0, 8), getComputedStyle(e).outlineStyle])"
            "(document.activeElement)"
        )
        seen.append(tuple(about[:2]))
        assert about[2] != "none", about
    assert {("INPUT", "text"), ("SELECT", "lang"), ("SELECT", "family"), ("BUTTON", "Clear")} <= set(seen)
    assert ("DIV", "P@1: of ") in seen  # the box that scrolls


def test_filters_leave_what_they_say_and_clearing_brings_all_back(board, page):
    rows = board.tables[0]["rows"]
    status = page.locator("[data-table] [role=status]")
    page.fill("#text", "model-12")
    assert status.text_content() == "Rows 1–11 of 11"  # 12, 120, …, 129
    page.fill("#text", "MODEL-12 nothing")
    assert status.text_content() == "No submission is left; clear the filters"
    page.fill("#text", "")
    page.select_option("#family", "causal")
    assert status.text_content() == "Rows 1–65 of 65"
    page.select_option("#family", "")
    page.select_option("#lang", LANGS[4])
    there = sum(row["langs"][4] is not None for row in rows)
    assert status.text_content() == f"Rows 1–{there} of {there}"
    assert page.locator(f"{TABLE} thead th").count() == 6  # one language's column instead of five
    page.get_by_role("button", name="Clear").click()
    page.locator(f"{TABLE} thead th").nth(9).wait_for()
    assert status.text_content() == "Rows 1–100 of 130"


def test_pages_of_rows(page):
    status = page.locator("[data-table] [role=status]")
    assert page.get_by_role("button", name="Previous").is_disabled()
    page.get_by_role("button", name="Next").click()
    assert status.text_content() == "Rows 101–130 of 130"
    assert page.get_by_role("button", name="Next").is_disabled()


def test_signature_and_command_unfold_and_are_copied(board, page):
    row = board.content.tables[0].rows[0]
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    first = page.locator("tbody:first-of-type tr").first
    first.locator("summary").click()
    assert first.locator("code").all_text_contents() == [row.submission.result.signature, row.submission.command]
    first.get_by_role("button", name="Copy").nth(1).click()
    first.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == row.submission.command


def test_two_models_are_chosen_and_compared(board, page):
    boxes = page.locator("tbody:first-of-type input.pick")
    boxes.nth(3).focus()
    page.keyboard.press("Space")
    assert page.evaluate("document.activeElement.checked")  # the focus stays where it was
    boxes.nth(5).check()
    boxes.nth(7).check()  # a third takes the place of the first
    rows = board.tables[0]["rows"]
    assert [boxes.nth(i).is_checked() for i in (3, 5, 7)] == [False, True, True]
    page.locator("#chosen a").click()
    page.wait_for_selector("#facts tbody tr")
    assert page.url.endswith(f"pair.html#a={rows[5]['id']}&b={rows[7]['id']}")


def test_a_row_leads_to_its_models_page(board, page):
    page.locator("tbody:first-of-type th a").first.click()
    assert page.locator("h1").text_content() == board.tables[0]["rows"][0]["model"]


@pytest.mark.parametrize("name", ["index.html", "pair.html", "model"])
def test_a_phone_scrolls_tables_and_not_the_page(board, view, name):
    rows = board.tables[0]["rows"]
    name = {"model": f"models/{rows[0]['page']}.html"}.get(name, name)
    address = f"{name}#a={rows[0]['id']}&b={rows[1]['id']}" if name == "pair.html" else name
    page = view(board.at(address), 360, 740)
    page.wait_for_selector("tbody tr")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    box = page.locator(".box").first
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    box.evaluate("box => (box.scrollLeft = 200)")
    left = page.locator("tbody .name").first.bounding_box()["x"]
    assert abs(left - box.bounding_box()["x"]) <= 1  # the names stay in view


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour[4:-1].split(",")]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("what", ["p", "a", ".soft, caption", "tr.mark th", "thead th", "summary", ".tools label"])
def test_texts_stand_out_in_both_schemes(board, view, dark, what):
    page = view(board.at("index.html"), dark=dark)
    page.wait_for_selector("tbody tr")
    text, ground = page.locator(what).first.evaluate(
        """element => {
          let under = element;
          while (getComputedStyle(under).backgroundColor === "rgba(0, 0, 0, 0)") under = under.parentElement;
          return [getComputedStyle(element).color, getComputedStyle(under).backgroundColor];
        }"""
    )
    high, low = sorted((luminance(text), luminance(ground)), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= 4.5  # WCAG 2.2, AA
    assert (luminance(page.evaluate("getComputedStyle(document.body).backgroundColor")) < 0.05) == dark


def test_charts_are_drawn_when_they_come_into_view_with_their_numbers(board, view):
    page = view(board.at("index.html"), height=500)
    page.wait_for_selector("tbody tr")
    assert page.evaluate("typeof Plotly") == "undefined"
    titles = page.locator("h3").all_text_contents()
    assert titles == [
        "Scores by language and model",
        "Scores against the size of Wikipedia",
        "Roots of right answers by language",
        "Variants: facts kept, gained and lost",
        "Scores against size and time",
    ]
    for number in range(len(titles)):
        plot = page.locator("figure .plot").nth(number)
        plot.scroll_into_view_if_needed()
        plot.locator(".main-svg").first.wait_for()
    tables = page.locator("figure details:not([hidden])")
    assert tables.count() == 4  # the heatmap's numbers are those of the table above
    tables.nth(2).locator("summary").click()
    changed = next(row["change"] for row in board.tables[0]["rows"] if row["change"])
    row = tables.nth(2).locator("tbody tr").first.locator("td").all_text_contents()
    assert row == ["12", "9", "3", "16", "3.1", "[1.2, 5.0]"] and changed["kept"] == 12
    page.emulate_media(color_scheme="dark")
    ink = page.locator("figure .plot").nth(4).locator(".xtick text").first
    until(lambda: ink.evaluate("text => getComputedStyle(text).fill") == "rgb(227, 230, 234)")

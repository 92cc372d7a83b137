"""Pages of models and of pairs in a real browser, and names that are as bad as they come on all of them."""

from __future__ import annotations

import pytest
from site_fixtures import HOSTILE, LANGS, made_up, until

from leaderboard.site.scripts import UNSEEN
from leaderboard.site.traced import Root, Traced


@pytest.fixture(scope="module")
def board(site):
    return site(made_up(["org/first", "org/second", "org/third", "org/fourth"], LANGS[:3], relations=3, subjects=40))


@pytest.fixture(scope="module")
def hostile(site):
    return site(made_up(HOSTILE, LANGS[:3]))


def pair(board, a: int, b: int) -> str:
    rows = board.tables[0]["rows"]
    return board.at(f"pair.html#a={rows[a]['id']}&b={rows[b]['id']}")


def frame(board, place: int):
    return board.content.tables[0].rows[place].entry.frame


def joined(board, a: int, b: int):
    key = ["lang", "relation", "item", "template"]
    return frame(board, a).merge(frame(board, b), on=key, suffixes=("_a", "_b"))


def test_counts_of_a_pair_are_those_of_the_answers(board, view):
    page = view(pair(board, 0, 1))
    page.wait_for_selector("#facts tbody tr")
    shown = page.eval_on_selector_all(
        "#languages tbody tr", "rows => rows.map(row => [...row.children].map(cell => cell.textContent))"
    )
    both = joined(board, 0, 1)
    for row in shown:
        lang = row[0].split()[0]
        own = both if lang == "all" else both[both["lang"] == lang]
        a, b = own["p1_a"] == 1, own["p1_b"] == 1
        difference = (a.mean() - b.mean()) * 100
        assert row[1:4] == [f"{100 * a.mean():.1f}", f"{100 * b.mean():.1f}", f"{difference:+.1f}".replace("-", "−")]
        counts = [(a & ~b).sum(), (b & ~a).sum(), (a & b).sum(), (~a & ~b).sum(), 0]
        assert row[4:] == [f"{count:,}" for count in counts]
    assert {row[0].split()[0] for row in shown} == {*LANGS[:3], "all"}


def test_facts_of_a_pair_are_chosen_searched_and_paged(board, view):
    page = view(pair(board, 0, 1))
    page.wait_for_selector("#facts tbody tr")
    page.select_option("#lang", LANGS[1])
    both = joined(board, 0, 1)
    own = both[both["lang"] == LANGS[1]]
    status = page.locator("#facts [role=status]")
    for kind, fits in {
        "differ": own["p1_a"] != own["p1_b"],
        "a": own["p1_a"] > own["p1_b"],
        "b": own["p1_a"] < own["p1_b"],
        "both": (own["p1_a"] == 1) & (own["p1_b"] == 1),
        "neither": (own["p1_a"] == 0) & (own["p1_b"] == 0),
        "all": own["p1_a"] >= 0,
    }.items():
        page.select_option("#kind", kind)
        wanted = f" of {fits.sum()}"
        until(lambda wanted=wanted: status.text_content().endswith(wanted))
    assert status.text_content() == "Rows 1–100 of 120"
    page.select_option("#relation", "P1")
    assert status.text_content() == "Rows 1–40 of 40"
    page.fill("#text", "p1|q7|")
    assert status.text_content() == "Rows 1–1 of 1"
    row = own[own["item"] == "P1|Q7|OQ7"].iloc[0]
    cells = page.locator("#facts tbody tr").first.locator("td").all_text_contents()
    said = [f"{'right' if row[f'p1_{s}'] else 'wrong'}, rank {round(1 / row[f'rr_{s}'])}" for s in "ab"]
    assert cells == ["P1", *said]
    page.select_option("#kind", "missing")
    assert status.text_content() == "No such fact"


def test_a_right_answer_unfolds_the_passages_that_it_came_from(site, view):
    content = made_up(["org/traced", "org/other"], LANGS[:1], relations=1, subjects=5)
    [table] = content.tables
    texts = {("it", 7): "<b>Roma</b> è la capitale.", ("it", 9): "\u202eamoR"}
    roots = {
        LANGS[0]: {
            "P0|Q3|OQ3": Root("transferred", "from it", "it", [7, 9]),
            "P0|Q4|OQ4": Root("cue:prior", "(why)", "af", []),
        }
    }
    rows = [row._replace(traced=Traced({}, roots, texts)) if row.label == "org/traced" else row for row in table.rows]
    board = site(content._replace(tables=[table._replace(rows=rows)]))
    a = next(i for i, row in enumerate(rows) if row.traced)
    page = view(pair(board, a, 1 - a))
    page.wait_for_selector("#facts [role=status]")
    page.select_option("#kind", "all")
    assert page.locator("#facts td .note").all_text_contents() == ["cue: prior (why)"]
    unfolding = page.locator("#facts tr", has_text="P0|Q3|OQ3").locator("details")
    assert unfolding.locator("summary").text_content() == "transferred from it"
    unfolding.locator("summary").click()
    assert unfolding.locator("li").all_text_contents() == ["<b>Roma</b> è la capitale.", "\ufffdamoR"]
    assert unfolding.locator("bdi").first.get_attribute("lang") == "it"


def test_a_language_that_one_lacks_is_counted_and_not_taken_as_wrong(board, view):
    lacking = next(i for i, row in enumerate(board.tables[0]["rows"]) if row["lacks"])
    page = view(pair(board, 0, lacking))
    page.wait_for_selector("#facts tbody tr")
    cells = page.locator("#languages tr", has_text=LANGS[2]).locator("td").all_text_contents()
    assert cells == ["–", "–", "–", "0", "0", "0", "0", "120"]


def test_models_are_chosen_and_swapped_in_the_address(board, view):
    rows = board.tables[0]["rows"]
    page = view(board.at("pair.html"))
    assert page.locator("#said").text_content() == "Choose two models of one table."
    assert page.locator("#b").is_disabled() and page.locator("#swap").is_disabled()
    page.select_option("#a", rows[2]["id"])
    page.select_option("#b", rows[0]["id"])
    page.wait_for_selector("#facts tbody tr")
    page.get_by_role("button", name="Swap").click()
    until(lambda: page.url == pair(board, 0, 2) and page.locator("#said").text_content().startswith("A: org/"))
    assert rows[0]["entry"] in page.locator("#command code").text_content()


@pytest.mark.parametrize("address", ["#a=../../x&b=<b>", "#a=__proto__&b=constructor", "#%", "#a=org&b="])
def test_addresses_that_name_nothing_are_harmless(board, view, address):
    page = view(board.at("pair.html") + address)
    assert page.locator("#said").text_content() == "Choose two models of one table."


def test_a_models_page_has_the_records_numbers(board, view):
    row = board.content.tables[0].rows[0]
    page = view(board.at(f"models/{row.page}.html"))
    result = row.submission.result
    lines = page.eval_on_selector_all(
        "table >> nth=0 >> tbody tr", "rows => rows.map(row => [...row.children].map(cell => cell.textContent))"
    )
    for line, own in zip(lines, result.languages, strict=True):
        assert line[0].split()[0] == own.lang
        ci = own.all.ci
        assert line[1:3] == [f"{100 * own.all.value:.1f}", f"[{100 * ci.low:.1f}, {100 * ci.high:.1f}]"]
        assert line[8] == str(own.all.n)
    page.get_by_text("By relation (3)").click()
    cells = page.get_by_role("region", name="By relation and language").locator("tbody td").all_text_contents()
    first = result.languages[0].relations["P0"]
    assert cells[0].startswith(f"{100 * first.value:.1f} [") and len(cells) == 3 * len(result.languages)
    assert page.locator("dt", has_text="package: torch").count() == 1
    page.get_by_role("link", name="Compare fact by fact").click()
    page.locator("#b:not([disabled])").wait_for()
    assert page.locator("#a").input_value() == row.id


@pytest.mark.parametrize("dark", [False, True])
def test_hostile_names_are_text_everywhere(hostile, view, dark):
    expected = [name.translate(UNSEEN) for name in HOSTILE]
    page = view(hostile.at("index.html"), dark=dark)
    page.wait_for_selector("tbody tr")
    assert sorted(page.locator("[data-table] th.name a").all_text_contents()) == sorted(expected)
    for summary in page.locator("[data-table] th summary").all():
        summary.click()
    for plot in page.locator("figure .plot").all():
        plot.scroll_into_view_if_needed()
        plot.locator(".main-svg").first.wait_for()
    drawn = page.locator("figure .plot a, figure .plot script, figure .plot img")
    assert drawn.count() == 0  # Plotly reads tags in its texts, and was given none
    labels = page.locator("figure .plot >> nth=0 >> .ytick text").all_text_contents()
    assert "\u2068<script>alert(1)</script>\u2069" in labels
    assert page.evaluate("document.documentElement.scrollWidth") == 1280


@pytest.mark.parametrize("place", range(len(HOSTILE)))
def test_hostile_names_have_pages_and_pairs(hostile, view, place):
    row = hostile.content.tables[0].rows[place]
    page = view(hostile.at(f"models/{row.page}.html"), 360, 740)
    assert page.locator("h1").text_content() == row.label.translate(UNSEEN)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    other = (place + 1) % len(HOSTILE)
    page.goto(pair(hostile, place, other))
    page.wait_for_selector("#facts tbody tr, #facts [role=status]")
    assert row.label.translate(UNSEEN) in page.locator("#said").text_content()
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_the_policy_stops_what_would_get_through(board, browser):
    """The last line: even markup that was written into a page could run nothing."""
    page = browser.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: (said.append("ran"), dialog.dismiss()))
    text = (board.folder / "pair.html").read_text(encoding="utf-8")
    (board.folder / "evil.html").write_text(
        text.replace("</main>", "<img src=x onerror=alert(1)><script>alert(2)</script>")
    )
    page.goto(board.at("evil.html"))
    until(lambda: len(said) >= 2)
    (board.folder / "evil.html").unlink()
    assert "ran" not in said
    assert sum("Content Security Policy" in text for text in said) >= 2
    page.close()

"""A board from run to page through the commands, as files and served."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys

import pytest
from click.testing import CliRunner
from probe_fixtures import rigged, small_world

from probe.cli import main


def call(*words: str) -> str:
    done = CliRunner().invoke(main, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """Three submissions of runs whose scores are made up, on a board."""
    folder = tmp_path_factory.mktemp("board")
    facts = small_world(folder / "facts")
    call("leaderboard", "init", str(folder / "board"), "--title", "A small & good board")
    for number in range(3):
        store = rigged(
            folder / f"run{number}", facts, lambda *words, n=number: hash_of(n, *words), name=f"tiny/model-{number}"
        )
        call("leaderboard", "submit", str(store.folder), "--board", str(folder / "board"))
    return folder


def hash_of(*words) -> float:
    import zlib

    return zlib.crc32(repr(words).encode()) / 2**32


@pytest.fixture(scope="module")
def served(board):
    """The address of ``probe leaderboard serve``, which runs as a process of its own."""
    words = [
        "leaderboard",
        "serve",
        "--board",
        str(board / "board"),
        "--port",
        "0",
        "--quiet",
        "--facts",
        f"facts:{board / 'facts'}",
    ]
    command = [sys.executable, "-c", "from probe.cli import main; main()", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        yield line.split()[0]
        process.terminate()


def test_the_page_of_a_real_board(board, served, view):
    ranked = json.loads(call("leaderboard", "rank", "--board", str(board / "board"), "--json"))["classes"][0]["rows"]
    page = view(served)
    page.wait_for_selector("tbody tr")
    assert page.title() == "A small & good board"
    rows = page.eval_on_selector_all(
        "[data-table] tbody:first-of-type tr",
        "rows => rows.map(row => [...row.children].map(cell => cell.textContent))",
    )
    expected = [row for row in ranked if row["kind"] == "ranked"]
    assert [row[0] for row in rows] == ["–".join(map(str, dict.fromkeys((r["best"], r["worst"])))) for r in expected]
    assert [row[2] for row in rows] == [f"{100 * row['p1']['value']:.1f}" for row in expected]
    page.goto(served + page.locator("#content a[href^='models/']").first.get_attribute("href"))
    page.get_by_role("link", name="Compare fact by fact").click()
    page.select_option("#b", index=1)
    page.wait_for_selector("#facts tbody tr")
    assert page.locator("#facts thead").text_content().startswith("Subject")  # names of the set that was given
    assert page.locator("#facts tbody th").first.text_content()[0] in "IT"


def ask(served: str, path: str, host: str | None = None, method: str = "GET"):
    where = served.removeprefix("http://").rstrip("/")
    connection = http.client.HTTPConnection(where, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or where)
    connection.endheaders()
    answer = connection.getresponse()
    return answer, answer.read()


@pytest.mark.parametrize(
    ("path", "type_"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/assets/site.js", "text/javascript; charset=utf-8"),
        ("/assets/site.css", "text/css; charset=utf-8"),
        ("/board.csv", "text/csv; charset=utf-8"),
    ],
)
def test_files_are_served_as_what_they_are(served, path, type_):
    answer, _ = ask(served, path)
    assert answer.status == 200 and answer.headers["Content-Type"] == type_
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    ["/data/", "/models", "/../board.json", "/%2e%2e/board.json", "/..%2fboard.json", "//etc/passwd", "/nothing"],
)
def test_nothing_else_is_served(served, path):
    answer, body = ask(served, path)
    while answer.status == 301:  # a folder without its stroke
        answer, body = ask(served, answer.headers["Location"])
    assert answer.status == 404 and b"A small" not in body and b"Directory listing" not in body


def test_links_out_of_the_site_are_not_followed(board, served):
    link = board / "board" / "site" / "out.json"
    link.symlink_to(board / "board" / "board.json")
    assert ask(served, "/out.json")[0].status == 404
    assert ask(served, "/out.json", method="HEAD")[0].status == 404
    link.unlink()


def test_another_name_for_this_machine_is_refused(served):
    """A page elsewhere whose name is made to point here could read the board otherwise."""
    assert ask(served, "/", host="evil.example")[0].status == 404
    assert ask(served, "/", host="localhost:80")[0].status == 200


def test_a_port_that_is_taken_is_said(board, served):
    port = served.rstrip("/").rpartition(":")[2]
    done = CliRunner().invoke(
        main, ["leaderboard", "serve", "--board", str(board / "board"), "--port", port, "--quiet"]
    )
    assert done.exit_code == 2 and f"port {port}" in done.output and "--port" in done.output

"""How fast a board's page is with many models; `python tests/benchmarks/site_speed.py --help`.

A board of 500 models and mLAMA's 53 languages is made up, its site built, and its first page opened as a file in
headless Chromium, against a page that is the same table written out as HTML, whose rows are moved when it is sorted:

1. Milliseconds from the beginning of navigation until the first table is in the page, laid out, and painted.
2. Milliseconds from a click on a column's head until the rows stand in their order and are laid out, and painted.
3. The same for filtering, and for a pair of models until its facts are there.

The least of several rounds counts, for other programs on a machine only ever add.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from html import escape
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import sync_playwright
from site_fixtures import LANGS, made_up

from data_builders.progress import Quiet
from leaderboard.site.build import build
from leaderboard.site.content import Content
from leaderboard.site.labels import Labels

#: Milliseconds of an act until it is laid out, and until the frame after it.
TIMED = """async (act) => {
  const start = performance.now();
  new Function(act)();
  document.body.offsetHeight;
  const laid = performance.now() - start;
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return [laid, performance.now() - start];
}"""
#: Notes when rows are first in the page, and when the frame with them is done.
WATCH = """
const seen = () => document.querySelector('tbody tr:nth-child(20)');
new MutationObserver((_, observer) => {
  if (!seen()) return;
  observer.disconnect();
  document.body.offsetHeight;
  window.noted = [performance.now()];
  requestAnimationFrame(() => setTimeout(() => window.noted.push(performance.now())));
}).observe(document, { childList: true, subtree: true });
"""
#: The search for one letter.
_SEARCH = """
const field = document.querySelector('#text');
field.value = '9';
field.dispatchEvent(new Event('input', { bubbles: true }));
"""
_SORTED = """
const body = document.querySelector('tbody');
const rows = [...body.rows].sort((a, b) => a.cells[7].textContent - b.cells[7].textContent);
body.append(...rows);
"""


def plain(content: Content, path: Path) -> None:
    """The same table as HTML."""
    [one] = content.tables
    lines = []
    for row in one.rows:
        result = row.submission.result
        scores = {own.lang: own.all.value for own in result.languages}
        interval = f"[{100 * result.ci.low:.1f}, {100 * result.ci.high:.1f}]"
        values = [row.rank or "", row.label, 100 * result.value, interval, "", result.n_scored]
        cells = [*values, *(100 * scores[lang] if lang in scores else "" for lang in one.langs)]
        lines.append("".join(f"<td>{escape(f'{c:.1f}' if isinstance(c, float) else str(c))}" for c in cells))
    style = '<link rel="stylesheet" href="site/assets/site.css">'
    path.write_text(f"<!doctype html>{style}<table><tbody><tr>{'<tr>'.join(lines)}</table>", encoding="utf-8")


def opened(browser, address: str, wait: str):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.add_init_script(WATCH)
    page.goto(address)
    page.wait_for_selector(wait)
    return page


def rounds(browser, folder: Path, number: int) -> dict[str, list[float]]:
    """Every measure, once a round."""
    found: dict[str, list[float]] = {}

    def note(name: str, *values: float) -> None:
        for kind, value in zip(("laid out", "painted"), values, strict=False):
            found.setdefault(f"{name}, {kind}", []).append(value)

    for _ in range(number):
        page = opened(browser, (folder / "site" / "index.html").as_uri(), "tbody tr")
        note("first table", *page.wait_for_function("noted.length > 1 && noted").json_value())
        note("sorting", *page.evaluate(TIMED, "document.querySelectorAll('thead button')[6].click()"))
        note("filtering", *page.evaluate(TIMED, _SEARCH))
        page.close()
        page = opened(browser, (folder / "plain.html").as_uri(), "tbody tr")
        note("first table, plain", *page.wait_for_function("noted.length > 1 && noted").json_value())
        note("sorting, plain", *page.evaluate(TIMED, _SORTED))
        page.close()
    return found


def pair(browser, folder: Path, content: Content) -> float:
    """Seconds until the facts of two models are there."""
    a, b = (row.id for row in content.tables[0].rows[:2])
    began = time.monotonic()
    page = opened(browser, (folder / "site" / "pair.html").as_uri() + f"#a={a}&b={b}", "#facts tbody tr")
    page.close()
    return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=500)
    parser.add_argument("--languages", type=int, default=len(LANGS))
    parser.add_argument("--subjects", type=int, default=100, help="facts of each of two relations and each language")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    names = [f"org/model-{number}" for number in range(asked.models)]
    content = made_up(names, LANGS[: asked.languages], subjects=asked.subjects, full=False)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        folder, began = Path(scratch), time.process_time()
        build(content, folder / "site", Labels(), Quiet())
        size = sum(path.stat().st_size for path in (folder / "site").rglob("*")) / 1e6
        print(
            f"{asked.models} models, {asked.languages} languages: built in {time.process_time() - began:.0f} s of",
            end="",
        )
        print(f" processor time, {size:.0f} MB, of which the first page reads", end=" ")
        print(f"{(folder / 'site' / 'data' / 'board.js').stat().st_size / 1e6:.1f}")
        plain(content, folder / "plain.html")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        found = rounds(browser, folder, asked.rounds)
        for name, values in found.items():
            said = f"{name:<30}{min(values):8.0f} ms"
            other = found.get(name.replace(",", ", plain,", 1))
            print(said + (f"  {min(other) / min(values):5.1f} times faster than as HTML" if other else ""))
        print(
            f"a pair's facts{'':<16}{1000 * min(pair(browser, folder, content) for _ in range(asked.rounds)):8.0f} ms"
        )
        browser.close()


if __name__ == "__main__":
    main()

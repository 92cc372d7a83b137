"""How fast a board's page is with many models; `python tests/benchmarks/site_speed.py --help`.

A board of 500 models and mLAMA's 53 languages is made up, its site built, and its first page opened as a file in
headless Chromium, against a page that is the same table written out as HTML, whose rows are moved when it is sorted:

1. From the beginning of navigation until the table is in the page and laid out, and until the frame with it is done.
2. From a click on a column's head until the rows stand in their order and are laid out, and until the frame after that;
   and the same for a search.
3. From the address of a pair of models until its facts are there.

In milliseconds: the least of several rounds, for other programs on a machine only ever add; beside it the processor
time that the page's own thread took, of which other programs take nothing.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
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
const seen = () => document.querySelector('tbody tr:nth-child(%d)');
new MutationObserver((_, observer) => {
  if (!seen()) return;
  observer.disconnect();
  document.body.offsetHeight;
  window.noted = [performance.now()];
  requestAnimationFrame(() => setTimeout(() => window.noted.push(performance.now())));
}).observe(document, { childList: true, subtree: true });
"""
#: Ends the names of measures of the other page.
PLAIN = " (HTML)"
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


class Watched:
    """A page whose acts are timed."""

    def __init__(self, browser, address: str, rows: int, found: dict[str, list[float]], name: str):
        self.page = browser.new_page(viewport={"width": 1280, "height": 900})
        self.page.add_init_script(WATCH % rows)
        self.session = self.page.context.new_cdp_session(self.page)
        self.session.send("Performance.enable", {"timeDomain": "threadTicks"})
        self.found, self.name, self.used = found, name, 0.0
        self.page.goto(address)
        while len(noted := self.page.evaluate("window.noted ?? []")) < 2:
            time.sleep(0.02)
        self.note("first table", noted)

    def act(self, what: str, script: str) -> None:
        self._used()
        self.note(what, self.page.evaluate(TIMED, script))

    def note(self, what: str, values: Sequence[float]) -> None:
        for kind, value in zip(("laid out", "painted", "processor"), (*values, self._used()), strict=True):
            self.found.setdefault(f"{what}, {kind}{self.name}", []).append(value)

    def _used(self) -> float:
        """Milliseconds of processor time since the last call."""
        metrics = {one["name"]: one["value"] for one in self.session.send("Performance.getMetrics")["metrics"]}
        before, self.used = self.used, 1000 * metrics["TaskDuration"]
        return self.used - before


def rounds(browser, folder: Path, models: int, number: int) -> dict[str, list[float]]:
    """Every measure, once a round."""
    found: dict[str, list[float]] = {}
    for _ in range(number):
        own = Watched(browser, (folder / "site" / "index.html").as_uri(), min(20, models), found, "")
        own.act("sorting", "document.querySelectorAll('thead button')[6].click()")
        own.act("searching", _SEARCH)
        own.page.close()
        other = Watched(browser, (folder / "plain.html").as_uri(), models, found, PLAIN)
        other.act("sorting", _SORTED)
        other.page.close()
    return found


def pair(browser, folder: Path, content: Content) -> float:
    """Milliseconds until the facts of two models are there."""
    a, b = (row.id for row in content.tables[0].rows[:2])
    page, began = browser.new_page(), time.monotonic()
    page.goto((folder / "site" / "pair.html").as_uri() + f"#a={a}&b={b}")
    page.wait_for_selector("#facts tbody tr")
    page.close()
    return 1000 * (time.monotonic() - began)


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
        found = rounds(browser, folder, asked.models, asked.rounds)
        for name, values in found.items():
            if not name.endswith(PLAIN):
                other = found.get(name + PLAIN)
                ratio = f"{min(other) / min(values):6.1f} times faster than as HTML" if other else ""
                print(f"{name:<24}{min(values):8.0f} ms{ratio}")
        print(f"{'a pair of models':<24}{min(pair(browser, folder, content) for _ in range(asked.rounds)):8.0f} ms")
        browser.close()


if __name__ == "__main__":
    main()

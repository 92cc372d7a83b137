"""The system's Chromium, driven by Playwright; without either these tests are skipped, and say so."""

from __future__ import annotations

import json
import shutil

import pytest

from data_builders.progress import Quiet
from leaderboard.site.build import build
from leaderboard.site.labels import Labels


@pytest.fixture(scope="session")
def browser():
    """A browser that stays open for all tests of a process."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright, which pip installs with .[dev]")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs chromium (Debian: apt install chromium)")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def view(browser):
    """A function that opens an address in a window of its own; whatever its console or scripts complain of fails."""
    said, contexts = [], []

    def show(address: str, width: int = 1280, height: int = 900, dark: bool = False):
        scheme = "dark" if dark else "light"
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: (said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda asked: said.append(asked.url) if _remote(asked.url) else None)
        page.goto(address)
        return page

    yield show
    for context in contexts:
        context.close()
    assert said == []


def _remote(url: str) -> bool:
    return not url.startswith(("file:", "data:", "http://127.0.0.1"))


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A function from content to a site: a folder whose files have addresses, with its data for comparison."""

    class Site:
        def __init__(self, content):
            self.content, self.folder = content, tmp_path_factory.mktemp("site") / "site"
            build(content, self.folder, Labels(), Quiet())
            text = (self.folder / "data" / "board.js").read_text(encoding="utf-8")
            self.tables = json.loads(text[text.index(",") + 1 : -3])["tables"]

        def at(self, name: str) -> str:
            return self.folder.as_uri() + "/" + name

    return Site

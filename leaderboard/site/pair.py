"""One page for every pair of models: ``pair.html#a=…&b=…`` reads what both answered, and facts when they are shown."""

from __future__ import annotations

from leaderboard.site import layout
from leaderboard.site.layout import Html, tag

SCRIPTS = ("assets/site.js", "data/board.js", "assets/grid.js", "assets/pair_facts.js", "assets/pair.js")

_INTRO = (
    "What one model answers rightly and the other does not, on the facts that both of them answered. These are counts; "
    "intervals and corrected tests are for the command below."
)


def page() -> str:
    """``pair.html``."""
    main = [
        tag("p", _INTRO),
        tag("noscript", tag("p", "This page needs JavaScript.")),
        tag(
            "form",
            *(tag("label", f"Model {name}", tag("select", id=name.lower())) for name in "AB"),
            tag("button", "Swap", type="button", id="swap"),
            class_="tools",
            aria_label="Models",
        ),
        tag("p", id="said", role="status"),
        tag(
            "div",
            tag("div", id="languages"),
            tag("div", id="command"),
            tag("h2", "Fact by fact"),
            _tools(),
            tag("div", id="facts"),
            id="result",
            hidden=True,
        ),
    ]
    return layout.page("Compare two models", "Compare two models", main, SCRIPTS)


def _tools() -> Html:
    kinds = {
        "differ": "one of them is right",
        "a": "only A is right",
        "b": "only B is right",
        "both": "both are right",
        "neither": "neither is right",
        "all": "all facts",
        "missing": "not answered by both",
    }
    choices = [tag("option", text, value=key) for key, text in kinds.items()]
    return tag(
        "form",
        tag("label", "Language", tag("select", id="lang")),
        tag("label", "Facts where", tag("select", *choices, id="kind")),
        tag("label", "Relation", tag("select", tag("option", "all", value=""), id="relation")),
        tag("label", "Search", Html('<input type="search" id="text" autocomplete="off" spellcheck="false">')),
        class_="tools",
        role="search",
        aria_label="Filter the facts",
        id="tools",
    )

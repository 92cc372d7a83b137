"""A check as a Markdown summary for a pull request, in which no name is anything but text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from data_builders.folder import write_atomically
from leaderboard.checking import Check
from leaderboard.saying import HEAD, cells, facts, power, quiet_groups, rows, uneven
from leaderboard.text import shown


def text(value: object) -> str:
    """Any text so that it is shown as it is: no markup, no link, nobody mentioned.

    Whatever is not a letter, a digit or a space is a character reference, and all is code, where neither addresses nor
    mentions are looked for.
    """
    inner = "".join(c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in shown(value, 300))
    return f"<code>{inner}</code>"


def write(path: Path, check: Check) -> None:
    """Write what a check found."""
    mark = "❌" if check.reasons else "✅"
    lines = [
        f"### {mark} {'P@1 fell' if check.reasons else 'no drop of P@1 found'}",
        "",
        f"{text(check.run)} against {text(check.baseline)}, {text(check.means)}",
        "",
        *(f"- {text(reason)}" for reason in check.reasons),
        *([""] if check.reasons else []),
        *_table(HEAD, [[text(own[0]), *own[1:]] for own in map(cells, rows(check))]),
        "",
        *(f"- {text(line)}" for line in [*quiet_groups(check), *power(check), *uneven(check)]),
    ]
    if check.lost:
        lines += ["", "<details><summary>facts lost</summary>", "", *(f"- {text(line)}" for line in facts(check.lost))]
        lines += ["", "</details>"]
    _write(path, lines)


def write_error(path: Path, message: str) -> None:
    """Write that nothing could be compared, and why."""
    _write(path, ["### ⚠️ not comparable", "", text(message)])


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *body]
    return [f"| {' | '.join(line)} |" for line in lines]


def _write(path: Path, lines: Sequence[str]) -> None:
    whole = "\n".join(lines) + "\n"
    write_atomically(Path(path), lambda part: part.write_text(whole, encoding="utf-8"))

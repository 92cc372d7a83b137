"""A tracing on one page that needs nothing else: tables and pictures in a single file."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from data_builders.folder import write_atomically
from probe.tracing.roots.summary import ordered

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; } caption { text-align: left; font-weight: 600; }
th, td { padding: .2rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; } img { max-width: 100%; background: white; }
code { overflow-wrap: anywhere; } .scroll { overflow-x: auto; }
@media (prefers-color-scheme: dark) { body { background: #16181d; color: #e6e6e6; } }
"""
_OVERLAP = ("overlap", "null", "excess")
_CAPTIONS = {
    "roots": "Roots of right answers by language",
    "sizes": "P@1 against the size of the abstracts",
    "absence": "Right answers whose fact is absent from the language's text",
    "overlap": "Neurons in common, and those of other facts",
}


def write_page(record: dict, pictures: Iterable[Path], path: Path) -> None:
    """Write the page; everything on it is escaped."""
    shown = "".join(_picture(picture) for picture in pictures)
    model = escape(str(record["made_of"]["run"]["model"]["name"]))
    body = f"<h1>Where {model} has its facts from</h1>{shown}{_tables(record)}"
    body += f"<h2>Signature</h2><p><code>{escape(record['signature'])}</code></p>"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Roots: {model}</title>'
    text = f'<!doctype html><html lang="en"><head>{head}<style>{_STYLE}</style></head><body>{body}</body></html>\n'
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))


def _picture(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    caption = escape(_CAPTIONS[path.stem])
    return f'<h2>{caption}</h2><img alt="{caption}; the numbers stand below" src="data:image/png;base64,{data}">'


def _tables(record: dict) -> str:
    names = ordered({row["root"] for row in record["totals"]} - {"cue"})
    rows = []
    for lang in dict.fromkeys(row["lang"] for row in record["totals"]):
        own = {row["root"]: row for row in record["totals"] if row["lang"] == lang}
        cells = [_share(own[name]["share"]) if name in own else "–" for name in names]
        rows.append([lang or "all", f"{next(iter(own.values()))['right']:,}", *cells])
    parts = [_table("Roots, % of right answers (95 % interval)", ["language", "right", *names], rows)]
    rows = [
        [row["lang"], f"{row['facts']:,}", f"{row['present']:,}", f"{row['by_chance']:.0f}",
         "–" if row["precision"] is None else f"{row['precision']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"]
        for row in record["presence"]
    ]  # fmt: skip
    parts.append(_table("Presence", ["language", "facts", "present", "by chance", "precision"], rows))
    pairs = [row for row in record["neurons"] if row["lang"]]
    rows = [
        [f"{row['lang']}–{row['other']}", f"{row['facts']:,}", *(_three(row[name]) for name in _OVERLAP)]
        for row in pairs
    ]
    parts.append(
        _table("Neurons in common (Jaccard)", ["languages", "facts", "same fact", "other facts", "excess"], rows)
    )
    rows = [[row["root"], f"{row['facts']:,}", *(_three(row[name]) for name in ("drop", "effect", "specific"))]
            for row in record["silenced"]]  # fmt: skip
    head = ["root", "facts", "fall of log p", "beyond random neurons", "beyond other facts"]
    parts.append(_table("The source language's neurons silenced", head, rows))
    rows = [[row["setting"], row["value"], *(f"{row['counts'].get(name, 0):,}" for name in names)]
            for row in record["sensitivity"] or ()]  # fmt: skip
    parts.append(_table("Totals when one setting changes", ["setting", "value", *names], rows))
    return "".join(parts)


def _table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    caption = f"<caption>{escape(caption)}</caption>"
    return f'<div class="scroll"><table>{caption}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _share(share: dict) -> str:
    return f"{100 * share['value']:.1f} [{100 * share['low']:.0f}, {100 * share['high']:.0f}]"


def _three(estimate: dict) -> str:
    return f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"

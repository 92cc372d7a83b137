"""A record on one page that needs nothing else: tables and pictures in a single file, everything on it escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from data_builders.folder import write_atomically

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; } caption { text-align: left; font-weight: 600; }
th, td { padding: .2rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; } img { max-width: 100%; background: white; }
code { overflow-wrap: anywhere; } .scroll { overflow-x: auto; }
@media (prefers-color-scheme: dark) { body { background: #16181d; color: #e6e6e6; } }
"""


def write_page(path: Path, title: str, heading: str, parts: Iterable[str], signature: str) -> None:
    """Write the page; `parts` are HTML already, the rest is text."""
    body = f"<h1>{escape(heading)}</h1>{''.join(parts)}"
    body += f"<h2>Signature</h2><p><code>{escape(signature)}</code></p>"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    text = f'<!doctype html><html lang="en"><head>{head}<style>{_STYLE}</style></head><body>{body}</body></html>\n'
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))


def picture(path: Path, caption: str) -> str:
    """A PNG file under its caption, inside the page."""
    data = base64.b64encode(path.read_bytes()).decode()
    caption = escape(caption)
    return f'<h2>{caption}</h2><img alt="{caption}; the numbers stand below" src="data:image/png;base64,{data}">'


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of text; nothing where there are no rows."""
    if not rows:
        return ""
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    caption = f"<caption>{escape(caption)}</caption>"
    return f'<div class="scroll"><table>{caption}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'

"""Reading templates, one JSON object a line."""

from __future__ import annotations

from pathlib import Path

from data_builders.errors import Problems
from data_builders.facts import Template, template_fault
from data_builders.jsonl import json_lines

FILE = "templates.jsonl"


def read_templates(path: Path, problems: Problems, lang: str | None = None, made: str = "unknown") -> list[Template]:
    """All templates of a file of ``{"relation", "template", "lang", "made"}``, in its order.

    `lang` is the file's one language, where its rows name none; `made` stands for a row that does not say.
    A missing file and every bad or repeated row go to `problems`.
    """
    if not path.is_file():
        problems.add(path, 0, 'no such file; expected {"relation": ..., "template": "... [X] ... [Y] ..."} a line')
        return []
    seen: dict[Template, int] = {}
    for line, row in json_lines(path, problems):
        row = {"lang": lang, "made": made, **row}
        fault = _fault(row)
        if fault:
            problems.add(path, line, fault)
            continue
        template = Template(row["relation"], row["lang"], row["template"], row["made"])
        first = seen.setdefault(template, line)
        if first != line:
            problems.add(path, line, f"template {template.text!r} stands already at line {first}")
    return list(seen)


def _fault(row: dict) -> str | None:
    for name in ("relation", "lang", "template", "made"):
        if row.get(name) is None:
            return f"has no {name}"
        if not isinstance(row[name], str) or not row[name].strip():
            return f"{name} is {row[name]!r}, expected text"
    return template_fault(row["template"])

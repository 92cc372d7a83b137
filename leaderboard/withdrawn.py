"""``withdrawn.jsonl``: what was taken off a board, and why; a line an event, of which the last holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from data_builders.errors import FactrootsError
from data_builders.folder import write_atomically
from data_builders.schema import Record, Sha256, Share

FILE = "withdrawn.jsonl"


class Event(Record):
    """Of the entry's record with this hash: it was ``withdrawn``, or was ``submitted again`` after that.

    value, signature : of the record, which nobody sees any more.
    """

    what: Literal["withdrawn", "submitted again"]
    entry: str
    sha256: Sha256
    when: str
    why: str
    value: Share
    signature: str


def events(root: Path) -> list[Event]:
    """All of them, oldest first. Raises FactrootsError where the file is not what it should be."""
    path = root / FILE
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        try:
            if line:
                found.append(Event.model_validate_json(line))
        except ValidationError as error:
            raise FactrootsError(f"{path}:{number}: {error.errors()[0]['msg']}; mend the line") from error
    return found


def gone(root: Path) -> dict[tuple[str, str], Event]:
    """What is withdrawn now, by entry and hash."""
    last = {(event.entry, event.sha256): event for event in events(root)}
    return {key: event for key, event in last.items() if event.what == "withdrawn"}


def add(root: Path, event: Event) -> None:
    """Put an event at the end; the caller is alone in the board."""
    path = root / FILE
    held = path.read_text(encoding="utf-8") if path.exists() else ""
    text = held + json.dumps(event.model_dump(), ensure_ascii=False) + "\n"
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))

"""JSON Lines, a document a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from data_builders.corpora.by_language import ByLanguage
from data_builders.corpora.faults import Faults
from data_builders.corpora.passages import Document
from data_builders.errors import Problems
from data_builders.jsonl import json_lines


class JsonLines(ByLanguage):
    """``DIR/<lang>.jsonl`` or one file: ``{"id", "title", "qid", "text" or "paragraphs", "lead"}`` a line.

    A text's paragraphs are its lines; one of ``paragraphs`` is a text to split or a list of sentences. All fields but
    the text may be missing; ``lead`` is how many paragraphs are the abstract, all of them if it is not said.
    """

    summary = "JSON Lines: id, title, qid, text or paragraphs"
    layout = "DIR"
    parameters: ClassVar = {}
    kind, ending = "jsonl", ".jsonl"

    def rows(self, lang: str, faults: Faults) -> Iterator[Document]:
        (path,) = self.files(lang)
        problems = Problems()
        for number, row in json_lines(path, problems):
            _hand_over(problems, faults)
            fault, document = _document(row, number)
            if fault:
                faults.add("row", f"{path.name}:{number}", fault)
            else:
                yield document
        _hand_over(problems, faults)

    def document(self, row: Document, faults: Faults) -> Document:
        return row


def _hand_over(problems: Problems, faults: Faults) -> None:
    for problem in problems.found:
        reason = "encoding" if "not UTF-8" in problem.message else "row"
        faults.add(reason, f"{Path(problem.file).name}:{problem.line}", problem.message)
    problems.found.clear()


def _document(row: dict, number: int) -> tuple[str | None, Document | None]:
    """What is wrong with a row, or its document."""
    if ("text" in row) == ("paragraphs" in row):
        return 'has to have either "text" or "paragraphs"', None
    paragraphs = row["paragraphs"] if "paragraphs" in row else row["text"]
    if isinstance(paragraphs, str) and "text" in row:
        paragraphs = [line for line in paragraphs.splitlines() if line.strip()]
    elif "text" in row:
        return f"text is {type(paragraphs).__name__}, expected text", None
    if not isinstance(paragraphs, list) or not all(map(_is_paragraph, paragraphs)):
        return "paragraphs is not a list of texts, or of lists of sentences", None
    title, qid, lead = row.get("title") or "", row.get("qid"), row.get("lead", len(paragraphs))
    if not isinstance(title, str) or not (qid is None or isinstance(qid, str)):
        return "title or qid is not text", None
    if not isinstance(lead, int) or not 0 <= lead <= len(paragraphs):
        return f"lead is {lead!r}, expected how many of the {len(paragraphs)} paragraphs are the abstract", None
    document = Document(str(row.get("id", number)), title, qid, paragraphs, lead)
    return _surrogate(document), document


def _is_paragraph(value) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(s, str) for s in value))


def _surrogate(document: Document) -> str | None:
    texts = [document.id, document.title, document.qid or ""]
    for paragraph in document.paragraphs:
        texts += [paragraph] if isinstance(paragraph, str) else paragraph
    try:
        "".join(texts).encode()
    except UnicodeEncodeError as error:
        return f"holds {error.object[error.start]!r}, which is no character"
    return None

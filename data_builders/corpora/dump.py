"""Wikipedia's XML dumps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

from data_builders.corpora.dump_files import DumpFiles
from data_builders.corpora.faults import Faults
from data_builders.corpora.passages import Document
from data_builders.corpora.qids import Qids
from data_builders.corpora.unpacked import pieces
from data_builders.corpora.wikitext import HIDDEN, plain
from data_builders.corpora.xml_stream import records

_WANTED = frozenset(("id", "ns", "title", "redirect", "revision/model", "revision/text"))
_NAMESPACE = re.compile(rb'<namespace key="(-2|6|14)"[^>]*>([^<]+)</namespace>')
#: Older names of the namespaces for files and categories, which dumps do not list.
_ALIASES = frozenset(("bild", "immagine", "imagen", "afbeelding", "beeld", "ficheiro", "imagem", "plik", "grafika"))


class Page(NamedTuple):
    """An article as it stands in the dump."""

    file: str
    id: str
    title: str
    text: str
    hidden: frozenset[str]
    qid: str | None


class Dump(DumpFiles):
    """``<lang>wiki-*-pages-articles*.xml`` (.bz2, .gz), in a folder or one file: articles, without redirects.

    An article's ``qid`` is known where the dump's ``page_props.sql.gz`` lies beside it. Disambiguation pages are
    articles here.
    """

    summary = "Wikipedia's XML dumps (pages-articles)"
    layout = "DIR"
    parameters: ClassVar = {}
    kind, ending = "dump", "-pages-articles"

    def rows(self, lang: str, faults: Faults) -> Iterator[Page]:
        for path in self.files(lang):
            hidden, qids = _hidden(path), Qids(path, faults)
            for page in records(path, "page", _WANTED, faults):
                if page.get("ns", "0") != "0":
                    faults.add("namespace")
                elif "redirect" in page:
                    faults.add("redirect")
                elif page.get("revision/model", "wikitext") != "wikitext":
                    faults.add("model", f"{path.name}: {page.get('title')}", f"is {page['revision/model']}")
                else:
                    number, title = page.get("id", ""), page.get("title", "")
                    yield Page(path.name, number, title, page.get("revision/text", ""), hidden, qids.of(number))

    def document(self, row: Page, faults: Faults) -> Document:
        text = plain(row.text, row.hidden)
        if text.faults:
            faults.add("markup", f"{row.file}: {row.title}", "; ".join(dict.fromkeys(text.faults)))
        return Document(row.id, row.title, row.qid, text.paragraphs, text.lead)


def _hidden(path: Path) -> frozenset[str]:
    """The wiki's own names of the namespaces whose links are no text, from the dump's beginning."""
    begins = b""
    for piece in pieces(path, Faults()):
        begins += piece
        if b"</siteinfo>" in begins or b"<page>" in begins:
            break
    return HIDDEN | _ALIASES | {name.decode().casefold() for _, name in _NAMESPACE.findall(begins)}

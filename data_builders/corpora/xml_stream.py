"""Records out of a large XML file, one after the other, with nothing kept of what has passed.

Python's own expat, which reads several times faster than bzip2 unpacks. No dump declares a document type, so one that
does is refused, and every trick with entities with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from pathlib import Path
from xml.parsers import expat

from data_builders.corpora.faults import Faults
from data_builders.corpora.unpacked import pieces

_CODES = expat.errors.codes
#: What expat says of a file that is not at its end.
_CUT = {_CODES[name] for name in (expat.errors.XML_ERROR_NO_ELEMENTS, expat.errors.XML_ERROR_UNCLOSED_TOKEN)}


class _Forbidden(Exception):
    pass


def records(path: Path, element: str, wanted: Set[str], faults: Faults) -> Iterator[dict[str, str]]:
    """The texts of every `element` of a file by their place below it.

    `wanted` are places as ``title`` or ``revision/text``; of several with one place the last is given, and an empty
    one is ``""``. Where the XML breaks the file is left, with a fault.
    """
    reader, broken = _Reader(element, wanted), faults.bad
    try:
        for piece in pieces(path, faults):
            reader.parser.Parse(piece, False)
            yield from reader.take()
        if faults.bad == broken:
            reader.parser.Parse(b"", True)
    except expat.ExpatError as error:
        yield from reader.take()
        if error.code in _CUT:
            faults.add("truncated", f"{path.name}:{error.lineno}", "ends in the middle of its XML")
        else:
            faults.add("xml", f"{path.name}:{error.lineno}", f"broken XML: {expat.ErrorString(error.code)}")
    except _Forbidden:
        where = f"{path.name}:{reader.parser.CurrentLineNumber}"
        faults.add("xml", where, "declares a document type, as no dump does; it is not read")


class _Reader:
    """Collects the wanted texts. Text elsewhere is not even looked at."""

    def __init__(self, element: str, wanted: Set[str]):
        self.element, self.wanted = element, wanted
        self.found: list[dict[str, str]] = []
        self.record: dict[str, str] | None = None
        self.place: list[str] = []
        self.text: list[str] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.buffer_size = 1 << 20
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._forbid

    def take(self) -> Iterator[dict[str, str]]:
        """The records that have been finished since last time."""
        found, self.found = self.found, []
        return iter(found)

    def _start(self, name: str, _attributes) -> None:
        if self.record is None:
            if name == self.element:
                self.record, self.place = {}, []
            return
        self.place.append(name)
        if "/".join(self.place) in self.wanted:
            self.text = []
            self.parser.CharacterDataHandler = self.text.append

    def _end(self, _name: str) -> None:
        if self.record is None:
            return
        if not self.place:
            self.found.append(self.record)
            self.record = None
            return
        if self.parser.CharacterDataHandler is not None and (place := "/".join(self.place)) in self.wanted:
            self.record[place] = "".join(self.text)
            self.parser.CharacterDataHandler = None
        self.place.pop()

    def _forbid(self, *_) -> None:
        raise _Forbidden

"""The Wikidata items of pages, from a dump's table of page properties."""

from __future__ import annotations

import re
from array import array
from pathlib import Path

import numpy as np

from data_builders.corpora.faults import Faults
from data_builders.corpora.unpacked import lines

_ITEM = re.compile(rb"\((\d+),'wikibase_item','Q(\d+)'")


class Qids:
    """Page numbers and items of the ``page_props.sql`` (or .gz) beside a dump; empty when there is none.

    Two arrays, since the largest wiki has seven million.
    """

    def __init__(self, dump: Path, faults: Faults):
        pages, items = array("q"), array("q")
        for ending in (".sql.gz", ".sql"):
            table = dump.with_name(dump.name.partition("-pages-articles")[0] + "-page_props" + ending)
            if table.is_file() and table != dump:
                for line in lines(table, faults):
                    for page, item in _ITEM.findall(line):
                        pages.append(int(page))
                        items.append(int(item))
                break
        order = np.argsort(np.frombuffer(pages, np.int64), kind="stable") if pages else np.zeros(0, np.int64)
        self._pages, self._items = (np.array(values, np.int64)[order] for values in (pages, items))

    def of(self, page: str) -> str | None:
        """The item of a page, as ``Q42``."""
        if not (page.isdigit() and len(self._pages)):
            return None
        place = int(np.searchsorted(self._pages, int(page)))
        found = place < len(self._pages) and self._pages[place] == int(page)
        return f"Q{self._items[place]}" if found else None

"""The atlas: facts of our own making from CLDR (through Babel), with native names on both ends."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from data_builders.atlas.labels import labels
from data_builders.atlas.relations import RELATIONS
from data_builders.atlas.tables import table
from data_builders.atlas.templates import templates
from data_builders.errors import Problems, unknown
from data_builders.facts import Fact, Template, fact_key, from_rows

#: mLAMA's languages: the ones whose names in CLDR were looked at.
LANGUAGES = [row["lang"] for row in table("languages")]


class Atlas:
    """A source that needs no files: Babel's data and the small tables beside this module."""

    summary = "capitals, continents, regions, languages, currencies, cities and scripts from CLDR, in 53 languages"
    licence = "Apache-2.0 (facts and templates); names: Unicode License v3 (CLDR, through Babel)"
    needs_path = False

    def __init__(self, path: Path | None = None):
        pass

    def languages(self) -> list[str]:
        """The languages that have facts; fewer have templates."""
        return list(LANGUAGES)

    def facts(self, lang: str, problems: Problems) -> pa.Table:
        """All facts of which `lang` names both ends, and differently: "Singapore" has no capital to ask for."""
        if lang not in LANGUAGES:
            raise unknown("language of the atlas", lang, LANGUAGES)
        names = labels(lang)
        rows = []
        for relation, (subject_kind, object_kind, pairs) in RELATIONS.items():
            for subject, answer in pairs():
                ends = names[subject_kind].get(subject), names[object_kind].get(answer)
                if all(ends) and ends[0].casefold() != ends[1].casefold():
                    rows.append(Fact(fact_key(relation, subject, answer), relation, subject, answer, *ends))
        return from_rows(rows)

    def templates(self, lang: str, problems: Problems) -> list[Template]:
        """The templates written for `lang`; refuses a language that has none by naming those that do."""
        return templates(lang)

"""What facts are called: subject and object by language, from fact sets that this machine can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from data_builders.errors import FactrootsError, Problems
from data_builders.factset import FactSet
from data_builders.sources import open_source, source_class

Names = Mapping[str, tuple[str, str]]


class Labels:
    """Names of facts out of the sets `given`, and of any that comes with the package.

    A path in a submission is never followed: only what the builder of the site names is read.
    """

    def __init__(self, given: Sequence[str] = ()):
        self._given = {(parsed := FactSet.parse(text)).source: parsed for text in given}

    def of(self, spec: str, lang: str) -> Names:
        """Subject and object by fact; and by relation and subject, for questions about all objects of a subject.

        Empty where nothing is known of the set or the language.
        """
        try:
            wanted = FactSet.parse(spec)
            known = self._given.get(wanted.source)
            if known is None and source_class(wanted.source).needs_path:
                return {}
            table = open_source(wanted.source, known and known.path).facts(lang, Problems())
        except FactrootsError:
            return {}
        found: dict[str, tuple[str, str]] = {}
        columns = ("fact", "relation", "subject_uri", "subject", "object")
        for fact, relation, uri, subject, answer in zip(*(table[name].to_pylist() for name in columns), strict=True):
            found[fact] = (subject, answer)
            several = found.get(key := f"{relation}|{uri}")
            found[key] = (subject, f"{several[1]}, {answer}" if several else answer)
        return found

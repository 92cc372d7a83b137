"""The FactSet value: which facts, in which languages, under which filters; and the set opened for reading."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from data_builders import filters, sizes
from data_builders.digest import digest_of
from data_builders.errors import FactrootsError, Problems, unknown
from data_builders.facts import Template
from data_builders.sources import Source, open_source
from data_builders.spec import Spec

GOLDS = ("one", "any", "unique", "filtered")


@dataclass(frozen=True)
class FactSet:
    """A fact set and its filters. ``str`` gives the canonical text; :meth:`parse` reads it back to an equal value.

    relations, langs
        Keep these only; empty keeps all. ``langs`` stays in the order asked for.
    parallel
        Keep only facts that are present, after the other filters, in every language of ``langs``.
    one_token
        Keep only facts whose object is one token of the model's vocabulary, and only such candidates.
    no_leaks
        Leave out facts whose subject's label contains the object's label.
    sample
        Up to 1, the share of the facts to keep; an integer above 1, how many facts to keep of each relation in each
        language. Facts are chosen by a hash of their keys, after the other filters: the same in every language and
        run, and with ``parallel`` the very same facts in all.
    candidates
        Choose among at most this many candidates a question (:mod:`data_builders.choices`); 0 is all of them.
    gold
        ``one``: a fact has one right answer. ``any``: every object that the set gives for the subject is right, and
        they make one question. ``unique``: facts whose subject has several are left out. ``filtered``: the others
        leave the candidates, as in knowledge-graph completion.
    templates
        ``first`` or ``all`` of the set's own, or ``mpararel:DIR``, paraphrases that join on the relation.
    """

    source: str
    path: str | None = None
    langs: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()
    parallel: bool = False
    one_token: bool = False
    no_leaks: bool = False
    sample: float | int | None = None
    candidates: int = 0
    gold: str = "one"
    templates: str = "first"

    def __post_init__(self):
        if self.gold not in GOLDS:
            raise unknown("gold policy", self.gold, GOLDS)
        if self.sample is not None:
            object.__setattr__(self, "sample", sizes.sample_size(self.sample))
        object.__setattr__(self, "candidates", sizes.candidates_size(self.candidates))
        if self.templates not in ("first", "all") and not self.templates.startswith("mpararel:"):
            raise unknown("template set", self.templates, ("first", "all", "mpararel:DIR"))

    @classmethod
    def parse(cls, text: str) -> FactSet:
        """Read ``mlama:DIR(relations=P36;P37,langs=it;ja,parallel)``; raises FactrootsError on an unknown parameter."""
        spec = Spec.parse(text)
        known = {f.name: f for f in fields(cls)[2:]}
        values = {}
        for key, value in spec.args:
            if key not in known:
                raise unknown("fact set parameter", key, known)
            default = known[key].default
            if isinstance(default, tuple):
                values[key] = value
            elif isinstance(default, bool):
                if value:
                    raise FactrootsError(f"{key} is either there or not; it takes no value, got {';'.join(value)!r}")
                values[key] = True
            elif len(value) != 1:
                raise FactrootsError(f"{key} takes one value, as {key}=…, got {len(value)}")
            else:
                values[key] = sizes.number(key, value[0]) if key in ("sample", "candidates") else value[0]
        return cls(spec.name, spec.path, **values)

    def __str__(self) -> str:
        args = []
        for field in fields(self)[2:]:
            value = getattr(self, field.name)
            if value != field.default:
                as_tuple = () if value is True else value if isinstance(value, tuple) else (str(value),)
                args.append((field.name, as_tuple))
        return str(Spec(self.source, self.path, tuple(args)))

    @property
    def portable(self) -> str:
        """The canonical text without folders: the same on every machine."""
        kept = self.templates.partition(":")[0] + (":" if ":" in self.templates else "")
        return str(replace(self, path=None, templates=kept))

    def askable(self) -> tuple[str, ...]:
        """The languages that have templates; all of them where the rows bring prompts of their own."""
        return self.templated() or tuple(open_source(self.source, self.path).languages())

    def templated(self) -> tuple[str, ...]:
        """The languages that have templates."""
        source = open_source(self.source, self.path)
        return tuple(lang for lang in source.languages() if _templates(self, source, lang, Problems()))

    def open(self, langs: Sequence[str] | None = None, skip_bad: bool = False, pieces=None) -> OpenFactSet:
        """Read and check everything once; see :class:`OpenFactSet`. `langs` takes the place of the value's own."""
        source = open_source(self.source, self.path)
        langs = tuple(dict.fromkeys(langs or self.langs or source.languages()))
        missing = [lang for lang in langs if lang not in source.languages()]
        if missing:
            raise FactrootsError(
                f"{self.source} has no language {', '.join(missing)}; it has: {' '.join(source.languages())}"
            )
        return OpenFactSet(replace(self, langs=langs), source, skip_bad, pieces)


class OpenFactSet:
    """A fact set that has been read once and found good; languages are read again one at a time when asked for.

    `pieces` maps a list of labels to their numbers of tokens, and is needed for ``one_token`` only.
    Raises FactrootsError with every bad row of every language, unless `skip_bad`; then ``problems`` holds them.
    """

    def __init__(self, spec: FactSet, source: Source, skip_bad: bool, pieces=None):
        self.spec, self.langs, self.problems = spec, spec.langs, Problems()
        self._source, self.pieces, self._common = source, pieces, None
        self.given = False  # whether the set itself says what each answer is chosen from
        digest = hashlib.sha256()
        for lang in self.langs:
            table = source.facts(lang, self.problems)
            templates = _templates(spec, source, lang, self.problems)
            digest.update(digest_of(lang, table, templates))
            self.given |= "candidates" in table.column_names
            if spec.parallel:
                keys = self._filter(table)["fact"].unique()
                self._common = keys if self._common is None else keys.filter(pc.is_in(keys, value_set=self._common))
        self.problems.settle(skip_bad)
        if spec.relations:
            self._check_relations()
        self.sha256 = digest.hexdigest()

    @lru_cache(maxsize=1)  # noqa: B019 - the one language in hand; the set lives as long as the command
    def whole(self, lang: str) -> pa.Table:
        """All facts of a language before any filter: what candidates and other gold objects are taken from."""
        return self._source.facts(lang, Problems())

    def table(self, lang: str) -> pa.Table:
        """The facts of a language that pass every filter."""
        table, size = self._filter(self.whole(lang)), self.spec.sample
        if self._common is not None:
            table = table.filter(pc.is_in(table["fact"], value_set=self._common))
        if size is None:
            return table
        # Last, so that as many facts as were asked for are left in every language.
        return filters.some(table, size) if isinstance(size, int) else filters.sample(table, size)

    def templates(self, lang: str) -> list[Template]:
        """The templates to be used in a language, in order."""
        return _templates(self.spec, self._source, lang, Problems())

    def need_questions(self) -> None:
        """Refuse languages without templates, naming those that have some, and filters that leave nothing to ask."""
        lacking = [] if self.given else [lang for lang in self.langs if not self.templates(lang)]
        if lacking:
            able = " ".join(self.spec.templated()) or "no language; --templates mpararel:DIR brings some"
            raise FactrootsError(f"{self.spec.source} has no templates in {', '.join(lacking)}; it has them in: {able}")
        if not any(len(self.table(lang)) for lang in self.langs):
            raise FactrootsError(f"the filters leave no fact of {self.spec} to ask")

    def _filter(self, table: pa.Table) -> pa.Table:
        spec = self.spec
        if spec.relations:
            table = filters.relations(table, spec.relations)
        if spec.no_leaks:
            table = filters.no_leaks(table)
        if spec.one_token:
            table = filters.one_token(table, self.pieces)
        return table

    def _check_relations(self) -> None:
        known = {r for lang in self.langs for r in self.whole(lang)["relation"].unique().to_pylist()}
        for name in self.spec.relations:
            if name not in known:
                raise unknown("relation", name, known)


def _templates(spec: FactSet, source: Source, lang: str, problems: Problems) -> list[Template]:
    if spec.templates.startswith("mpararel:"):
        from data_builders.mpararel import paraphrases

        return paraphrases(Path(spec.templates.partition(":")[2]), lang, problems)
    found = source.templates(lang, problems)
    if spec.templates == "first":
        found = list({t.relation: t for t in reversed(found)}.values())[::-1]
    return found

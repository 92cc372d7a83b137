"""What becomes of facts under an intervention: a language's facts asked by the prober as ever, with a layer changed.

Each condition at each layer is a run of its own, whose record says what was changed, so that none can be taken for one
of the model as it is. A finished one is not asked again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from data_builders.errors import FactrootsError
from data_builders.factset import OpenFactSet
from data_builders.progress import progress
from fine_tuning.models import Loaded
from probe import passes
from probe.geometry.affine import intervening
from probe.geometry.conditions import Condition
from probe.geometry.fits import Fits
from probe.geometry.layers import blocks
from probe.geometry.parts import fits_sha256
from probe.geometry.plan import Plan
from probe.geometry.ratio_record import Facts, FactsRow
from probe.geometry.ratios import corrected
from probe.geometry.spared import Spared
from probe.pairs import ITEM, answers, paired
from probe.protocols import Protocol
from probe.running import default_folder, describe, execute
from probe.store import Store
from probe.variants.comparing import interval

#: What facts are asked under if nothing else is said.
CONDITIONS = ("own", "other", "shift", "random")


class Change(NamedTuple):
    """A condition at a layer for a language, and what its map is made with."""

    lang: str
    condition: Condition
    layer: int
    variance: float
    seed: int
    specials: bool

    def __str__(self) -> str:
        return f"{self.condition}@{self.layer}"

    def intervened(self, run: dict, fits: Fits) -> dict:
        """A run's record for the changed model: what was done, and a name and a hash that are not the model's own."""
        what = self._asdict() | {"condition": str(self.condition), "fits": fits_sha256(fits)}
        sha256 = hashlib.sha256(f"{run['model']['sha256']} {what}".encode()).hexdigest()
        model = run["model"] | {"name": f"{run['model']['name']}[{self}]", "sha256": sha256}
        return run | {"model": model, "intervened": what}


def quarters(layers: Sequence[int]) -> list[int]:
    """Of a model's layers 0..L those at ¼, ½ and ¾."""
    return sorted({max(1, round((len(layers) - 1) * part)) for part in (0.25, 0.5, 0.75)})


class Asking(NamedTuple):
    """The facts of every language, one set each, and the conditions and layers under which they are asked."""

    plan: Plan
    sets: Sequence[OpenFactSet]


def put(asking: Asking, fits: Fits, loaded: Loaded, folder: Path, quiet: bool) -> Facts:
    """Put all facts to the model as it is and changed, in runs below `folder`; p-values are corrected by condition."""
    plan, protocol = asking.plan, Protocol.parse(passes.DEFAULT[loaded.family])
    rows = []
    for data in asking.sets:
        # facts are no text that has a mean of its own
        own = [one for one in plan.of(data.langs[0], fits) if one.kind != "centre(test)"]
        changes = [
            Change(data.langs[0], one, layer, plan.variance, plan.seed, plan.specials)
            for layer in plan.layers
            for one in own
        ]
        rows += _language(data, protocol, loaded, fits, changes, folder, quiet)
    families = [[row for row in rows if row.condition == name] for name in dict.fromkeys(row.condition for row in rows)]
    rows = [row for family in families for row in corrected(family)]
    facts = replace(asking.sets[0].spec, langs=tuple(data.langs[0] for data in asking.sets))
    return Facts(facts=facts.portable, protocol=str(protocol), rows=rows)


def _language(
    data: OpenFactSet,
    protocol: Protocol,
    loaded: Loaded,
    fits: Fits,
    changes: Sequence[Change],
    folder: Path,
    quiet: bool,
) -> list[FactsRow]:
    plain = describe(data, loaded, passes.needed(protocol, loaded.family, data.langs))

    def asked(change: Change | None) -> pd.DataFrame:
        about = plain if change is None else change.intervened(plain, fits)
        store = Store(folder / default_folder(about).name)
        with store.lock():
            store.claim(about)
            if not store.items(data.langs[0]).exists():
                with _changed(loaded, fits, change), progress(quiet, f"facts, {change or 'as it is'}") as bar:
                    execute(data, loaded, store, bar)
        return answers(store, protocol, protocol.of(data.spec.gold))

    before = asked(None)
    return [_row(change, before, asked(change), protocol.aggregate) for change in changes]


def _changed(loaded: Loaded, fits: Fits, change: Change | None):
    if change is None:
        return nullcontext()
    lang, condition, layer, variance, seed, specials = change
    map = condition.map(fits, layer, lang, variance, seed)
    return intervening(blocks(loaded.model, fits.about.at), layer, map, None if specials else Spared(loaded))


def _row(change: Change, before: pd.DataFrame, after: pd.DataFrame, how: str) -> FactsRow:
    both = before.merge(after, on=ITEM, suffixes=("_before", "_after")).rename(
        columns={"p1_before": "a", "p1_after": "b"}
    )
    if both.empty:
        raise FactrootsError(f"no fact of {change.lang} has an answer both plainly and under {change}; leave it out")
    pair, _ = paired(both, how)
    return FactsRow(
        lang=change.lang,
        other=change.condition.other,
        condition=change.condition.kind,
        layer=change.layer,
        n=pair.n,
        left_out=len(before) + len(after) - 2 * pair.n,
        plain=interval(pair.a),
        under=interval(pair.b),
        difference=interval(pair.difference),
        p=pair.p,
        p_holm=pair.p,
    )

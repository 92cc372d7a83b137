"""The causal check: which facts are shared is told by what silencing another language's neurons does to them here."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from data_builders.factset import OpenFactSet
from probe.tracing.neurons.effects import Found
from probe.tracing.neurons.kept import Kept
from probe.tracing.neurons.model import Model
from probe.tracing.neurons.silenced import silence
from probe.tracing.neurons.silencing import Silencing
from probe.tracing.roots.gathering import Gathered, known
from probe.tracing.roots.kept import How


def checked(
    gathered: Gathered, how: How, facts: Collection[str], data: OpenFactSet, model: Model, made: Kept, bar
) -> Gathered:
    """What is gathered, with the effects of silencing the neurons of every other language that a fact may share.

    These are the languages where it is present and right, as it is here; `facts` are those that are looked at.
    """
    able = _able(gathered, how, facts)
    found = silence(data, model, made, _wanted(gathered, able), _silencing(able, how.alpha), bar)
    return gathered.checked(found)


def _able(gathered: Gathered, how: How, facts: Collection[str]) -> np.ndarray:
    """Which of `facts` are right and present in each language [L, F]."""
    all_ = known(gathered, how.threshold, how.cues)
    facts = set(facts)
    return (all_.right == 1) & (all_.present == 1) & np.array([fact in facts for fact in gathered.facts], bool)


def _wanted(gathered: Gathered, able: np.ndarray) -> dict[str, Found]:
    return {
        lang: {
            (other, gathered.facts[f])
            for there, other in enumerate(gathered.langs)
            if there != here
            for f in np.flatnonzero(able[here] & able[there])
        }
        for here, lang in enumerate(gathered.langs)
    }


def _silencing(able: np.ndarray, alpha: float) -> Silencing:
    """With just so many controls that a fact can be shared whatever the number of languages compared."""
    most = max(1, int(able.sum(axis=0).max(initial=0)) - 1)
    return Silencing(controls=int(most / alpha), stop=True)

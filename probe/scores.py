"""A finished run under a protocol: judged answers summed up into a result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from typing import Protocol as Shape

import numpy as np
import pandas as pd

from data_builders.errors import FactrootsError
from data_builders.factset import FactSet
from probe import passes, precision, uncertainty
from probe.judging import Judged
from probe.protocols import Protocol
from probe.provenance import code, packages
from probe.results import CI, Language, Result, Score
from probe.signature import signature
from probe.store import Store

#: What stays of a judged answer while languages are compared: enough to tell shared items and to sum them up.
KEY = ["relation", "item", "template"]


class Answers(Shape):
    """A language's answers with what could not be scored: :class:`Judged`, or the same read from elsewhere."""

    frame: pd.DataFrame
    unscored: Mapping[str, int]
    unknown: int


def judge(store: Store, protocol: Protocol, gold: str, hashed: bool = True) -> dict[str, Judged]:
    """Every language of a finished run, judged; raises FactrootsError where one is not finished.

    Items and subjects are hashes of their names, or, where not `hashed`, names.
    """
    run = store.read()
    langs = run["data"]["langs"]
    wanted = passes.needed(protocol, run["model"]["family"], langs)
    if not passes.serves(run["scoring"], wanted):
        raise FactrootsError(
            f"{store.folder} holds the pass {run['scoring']}, and {protocol} needs {wanted}; "
            f"make that with `probe run --protocol '{protocol}'`, or set the protocol's parts to the run's"
        )
    if missing := [lang for lang in langs if not store.items(lang).exists()]:
        raise FactrootsError(f"{store.folder} is not finished ({', '.join(missing)} to go); repeat its `probe run`")
    judged = {lang: Judged(store, lang, protocol, protocol.of(gold), hashed) for lang in langs}
    for one in judged.values():
        one.frame = with_majority(one.frame)
    return judged


def score(store: Store, protocol: Protocol, gold: str | None = None) -> Result:
    """The result of a finished run under a protocol. `gold` takes the place of the fact set's own policy.

    A protocol that names a policy keeps to it.
    """
    run = store.read()
    facts = FactSet.parse(run["facts"])
    facts = replace(facts, gold=protocol.of(gold or facts.gold))
    judged = judge(store, protocol, facts.gold)
    numbers = summed(judged, protocol)
    return Result(
        **numbers,
        signature=signature(run, facts, protocol, numbers["ci"].model_dump()),
        n_bad_rows=run["data"]["bad_rows"],
        float32=precision.compare(store, [j.frame for j in judged.values() if len(j.frame)], protocol, facts.gold),
        protocol=str(protocol),
        model={
            k: run["model"][k]
            for k in ("spec", "id", "family", "revision", "quantization", "dtype", "sha256", "device")
        },
        data={
            "spec": str(facts),
            "sha256": run["data"]["sha256"],
            "n": numbers["n_scored"] + sum(numbers["n_unscored"].values()),
        },
        code=code(),
        packages=packages(),
        seeds={"bootstrap": uncertainty.SEED},
    )


def summed(judged: Mapping[str, Answers], protocol: Protocol) -> dict[str, Any]:
    """Every number of a :class:`Result` that judged answers decide, by the names of its fields.

    Raises FactrootsError where there is no answer at all.
    """
    unscored = sum((Counter(j.unscored) for j in judged.values()), Counter())
    frames = [j.frame for j in judged.values() if len(j.frame)]
    if not frames:
        raise FactrootsError(f"nothing could be scored: {dict(unscored) or 'the filters leave no fact'}")
    whole = pd.concat(frames, ignore_index=True)
    overall = _summary(whole, protocol.aggregate).score
    shared = shared_items([j.frame for j in judged.values()]) if len(judged) > 1 else None
    return {
        "value": overall.value,
        "ci": overall.ci,
        "baselines": {"chance": overall.chance, "majority": overall.majority},
        "n_scored": len(whole),
        "n_unscored": dict(unscored),
        "languages": [_language(lang, one, shared, protocol) for lang, one in judged.items()],
    }


def shared_items(frames: Sequence[pd.DataFrame]) -> pd.MultiIndex:
    """The items that every frame has."""
    common = pd.MultiIndex.from_frame(frames[0][KEY])
    for frame in frames[1:]:
        common = common[common.isin(pd.MultiIndex.from_frame(frame[KEY]))]
    return common


def with_majority(frame: pd.DataFrame) -> pd.DataFrame:
    """With a column ``majority``: is the object that is right most often in the relation right here?

    It is an oracle, for it is chosen by looking at the answers: a mark on the scale, not an opponent.
    """
    right = np.zeros(len(frame))
    for rows in frame.groupby(["lang", "relation"], observed=True).indices.values():
        golds = frame["golds"].to_numpy()[rows]
        counts = Counter(gold for own in golds for gold in own)
        best = max(counts, key=lambda gold: (counts[gold], -gold))
        right[rows] = [best in own for own in golds]
    return frame.assign(majority=right)


def _only(frame: pd.DataFrame, items: pd.MultiIndex) -> pd.DataFrame:
    """The rows of these items, their majority counted anew."""
    return with_majority(frame[pd.MultiIndex.from_frame(frame[KEY]).isin(items)].reset_index(drop=True))


def _language(lang: str, judged: Answers, shared: pd.MultiIndex | None, protocol: Protocol) -> Language:
    frame, how = judged.frame, protocol.aggregate
    same = None if shared is None else _only(frame, shared)
    own = _summary(frame, how, by_relation=True)
    return Language(
        lang=lang,
        all=own.score,
        shared=None if same is None else _summary(same, how).score,
        one_token=_summary(with_majority(frame[frame["pieces"] == 1].reset_index(drop=True)), how).score,
        relations=own.relations,
        n_unscored=dict(judged.unscored),
        n_unknown_golds=judged.unknown,
    )


class _Summary(NamedTuple):
    score: Score | None
    relations: dict[str, Score]


def _summary(frame: pd.DataFrame, how: str, by_relation: bool = False) -> _Summary:
    """The score of a frame, and of each relation of its one language, from one bootstrap; None of an empty frame."""
    if not len(frame):
        return _Summary(None, {})
    at = uncertainty.cells(frame)
    drawn = uncertainty.resample(uncertainty.tally(frame, at=at))
    whole = _score(frame, how, drawn.mean(how), at)
    if not by_relation:
        return _Summary(whole, {})
    with np.errstate(invalid="ignore"):
        means = drawn.hits / drawn.counts  # a column a relation, in order of their names
    parts = zip(frame.groupby("relation", observed=True), means.T, strict=True)
    return _Summary(whole, {name: _score(rows, how, v, uncertainty.cells(rows)) for (name, rows), v in parts})


def _score(frame: pd.DataFrame, how: str, drawn: np.ndarray, at: uncertainty.Cells) -> Score:
    low, high = uncertainty.interval(drawn)
    made = {"level": uncertainty.LEVEL, "resamples": uncertainty.RESAMPLES, "seed": uncertainty.SEED}
    sums = uncertainty.total(uncertainty.tally(frame, at=at))
    return Score(
        value=sums.mean(how),
        ci=CI(low=low, high=high, **made),
        micro=sums.mean("micro"),
        macro=sums.mean("macro"),
        p5=_mean(frame, "p5", how, at),
        p10=_mean(frame, "p10", how, at),
        mrr=_mean(frame, "rr", how, at),
        chance=_mean(frame, "chance", how, at),
        majority=_mean(frame, "majority", how, at),
        n=len(frame),
    )


def _mean(frame: pd.DataFrame, column: str, how: str, at: uncertainty.Cells) -> float | None:
    """The aggregate of a column, or None where the protocol does not define it."""
    if frame[column].isna().any():
        return None
    return float(uncertainty.total(uncertainty.tally(frame, column, at)).mean(how))

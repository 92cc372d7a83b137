"""P@1 before and after, by variant, part of the facts, language and relation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from probe.corrections import holm
from probe.estimates import Drawn, Estimate, Part, ratios
from probe.judging import hashes
from probe.pairs import Paired, paired
from probe.uncertainty import p_value
from probe.variants.record import Effect, Interval, Row
from probe.variants.split import PARTS
from probe.variants.transitions import counts, mcnemar


def rows(frames: Sequence[pd.DataFrame], langs: Sequence[str], how: str) -> list[Row]:
    """Every row of the table, over one frame a variant (:class:`probe.variants.transitions.Changed`).

    `how` is the protocol's aggregation.
    """
    found = [row for frame in frames for part, own in _parts(frame) for row in _rows(part, own, langs, how)]
    families: dict[tuple, list[int]] = {}
    for i, row in enumerate(found):
        families.setdefault((row.facts, row.lang is None, row.relation is None), []).append(i)
    for places in families.values():
        for i, p in zip(places, holm([found[i].p for i in places]), strict=True):
            found[i] = found[i].model_copy(update={"p_holm": p})
    return found


def effects(frames: Sequence[pd.DataFrame], how: str) -> list[Effect]:
    """Of every variant that facts were taught to and kept from, where both were asked."""
    pairs = [(frame, *sides) for frame in frames for sides in (PARTS[:2], PARTS[2:4])]
    return [one for frame, taught, held in pairs if (one := _effect(frame, taught, held, how))]


def _parts(frame: pd.DataFrame):
    yield "all", frame
    for part in PARTS:
        own = frame[frame["taught"] == part]
        if len(own):
            yield part, own


def _rows(part: str, frame: pd.DataFrame, langs: Sequence[str], how: str):
    frame = _hashed(frame).rename(columns={"before": "a", "after": "b"})
    yield _row(part, None, None, frame, paired(frame, how)[0])
    for lang in langs:
        own = frame[frame["lang"] == lang]
        if own.empty:
            continue
        whole, relations = paired(own, how)
        yield _row(part, lang, None, own, whole)
        for relation, one in relations.items():
            yield _row(part, lang, relation, own[own["relation"] == relation], one)


def _row(part: str, lang: str | None, relation: str | None, frame: pd.DataFrame, pair: Paired) -> Row:
    number = counts(frame)
    return Row(
        variant=frame["variant"].iloc[0],
        facts=part,
        lang=lang,
        relation=relation,
        n=pair.n,
        before=interval(pair.a),
        after=interval(pair.b),
        difference=interval(pair.difference),
        p=pair.p,
        p_holm=pair.p,
        **number,
        mcnemar=mcnemar(number["gained"], number["lost"]),
    )


def _hashed(frame: pd.DataFrame) -> pd.DataFrame:
    """Subjects by their hashes, as in runs: so that the same answers have the same draws, and intervals, everywhere."""
    return frame.assign(subject_uri=hashes(frame["subject_uri"]))


def interval(estimate: Estimate) -> Interval:
    """An estimate as the record has it."""
    return Interval(**estimate._asdict())


def _effect(frame: pd.DataFrame, taught: str, held: str, how: str) -> Effect | None:
    own = _hashed(frame[frame["taught"].isin([taught, held])]).reset_index(drop=True)
    if own["taught"].nunique() < 2:
        return None
    is_taught, gain = (own["taught"] == taught).to_numpy(), (own["after"] - own["before"]).to_numpy()
    sides = {"taught": np.where(is_taught, gain, np.nan), "held": np.where(is_taught, np.nan, gain)}
    drawn = ratios(own, {side: Part(values, how=how) for side, values in sides.items()})
    effect = Drawn(drawn["taught"].value - drawn["held"].value, drawn["taught"].resamples - drawn["held"].resamples)
    p = p_value(effect.resamples[~np.isnan(effect.resamples)])
    n = int(is_taught.sum())
    return Effect(
        variant=frame["variant"].iloc[0],
        asked=taught,
        taught=n,
        held=len(own) - n,
        effect=interval(effect.estimate()),
        p=p,
    )

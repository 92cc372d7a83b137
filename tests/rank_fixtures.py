"""Submissions made up for tests of ranks: models whose answers are drawn, with records that follow from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leaderboard.answers import Kept, by_language
from leaderboard.submission import Answers, Submission, Variant
from probe.protocols import Protocol
from probe.results import CI, Language, Result, Score
from probe.scores import summed, with_majority

LANGS = ("af", "it", "ja")


@dataclass(frozen=True)
class MadeUp:
    """As :class:`leaderboard.board.Entry`, with its answers in hand."""

    name: str
    submission: Submission
    frame: pd.DataFrame = field(repr=False)
    answers_path: Path | None = Path("made-up.parquet")

    def answers(self, columns: Sequence[str] = ()) -> pd.DataFrame:
        return self.frame[list(columns)] if columns else self.frame


def questions(
    subjects: int = 40, langs: Sequence[str] = LANGS, relations: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Items of a fact set: each relation asks a share of the subjects, in every language."""
    rows = [
        (lang, relation, f"{relation}|S{i}", 0, f"S{i}")
        for lang in langs
        for relation, share in (relations or {"P1": 1, "P2": 0.7, "P3": 0.1}).items()
        for i in range(int(share * subjects))
    ]
    return pd.DataFrame(rows, columns=["lang", "relation", "item", "template", "subject_uri"])


def answers(draw: np.random.Generator, asked: pd.DataFrame, skill: float, together: float = 0.5) -> pd.DataFrame:
    """Answers to `asked`, right with the chance `skill`; `together` is how much a subject's stand or fall together."""
    subject = draw.random(asked["subject_uri"].nunique())[asked["subject_uri"].factorize()[0]]
    chance = np.where(draw.random(len(asked)) < together, subject, draw.random(len(asked)))
    return judged(asked, chance < skill)


def judged(asked: pd.DataFrame, p1) -> pd.DataFrame:
    """A frame of :data:`probe.judging.COLUMNS` with these P@1."""
    right = np.asarray(p1, float)
    names = {name: asked[name].astype("category") for name in ("lang", "relation", "item", "subject_uri")}
    golds = [(int(name.rpartition("S")[2]) % 4,) for name in asked["subject_uri"]]
    return asked.assign(
        **names, p1=right, p5=right, p10=right, rr=np.where(right > 0, right, 0.5), chance=0.25, pieces=1,
        golds=pd.Series(golds, index=asked.index, dtype=object),
    )  # fmt: skip


def entry(
    model: str,
    frame: pd.DataFrame,
    protocol: str = "kassner2021",
    data: str = "1",
    langs: Sequence[str] | None = None,
    asked: int | None = None,
    whole: bool = False,
    **more,
) -> MadeUp:
    """An entry whose record follows from its answers; `asked` is how many facts it was asked, scored or not.

    Not `whole`: the record has no true intervals, and only the means that a table takes from it, which is fast.
    """
    langs = list(langs or frame["lang"].unique())
    unscored = {"too long": asked - len(frame)} if asked and asked > len(frame) else {}
    kept = {lang: Kept(rows, unscored if lang == langs[0] else {}, 0) for lang, rows in by_language(frame, langs)}
    if whole:
        kept = {lang: one._replace(frame=with_majority(one.frame)) for lang, one in kept.items()}
    numbers = summed(kept, Protocol.parse(protocol)) if whole else _plain(kept)
    spec = f"atlas(langs={';'.join(langs)})"
    result = Result(
        signature=f"facts:{spec}|candidates:relation|model:{model}|version:0.1.0",
        **numbers, n_bad_rows=0, float32=None, protocol=protocol,
        model={"spec": model, "id": model, "family": "masked", "revision": None, "quantization": None,
               "dtype": "float32", "sha256": "0" * 64, "device": "cpu"},
        data={"spec": spec, "sha256": data * 64, "n": len(frame) + sum(unscored.values())},
        code={"version": "0.1.0", "commit": None, "dirty": None}, packages={}, seeds={"bootstrap": 0},
    )  # fmt: skip
    base = model.partition("+")[0]
    submission = Submission(
        result=result, n=result.data["n"], answers=Answers(sha256="0" * 64, rows=len(frame)), origin="factroots",
        unverified=[], variant=Variant(base=base, method="lt-sft") if base != model else None, **more,
    )  # fmt: skip
    return MadeUp(f"{model}/local/atlas/{protocol}", submission, frame)


def _plain(kept: Mapping[str, Kept]) -> dict[str, Any]:
    """The numbers of a record by means alone."""
    languages = [
        Language(
            lang=lang, all=_score(one.frame), shared=None, one_token=None, n_unscored=dict(one.unscored),
            relations={name: _score(rows) for name, rows in one.frame.groupby("relation", observed=True)},
            n_unknown_golds=0,
        )
        for lang, one in kept.items()
    ]  # fmt: skip
    whole = _score(pd.concat([one.frame for one in kept.values()]))
    unscored = {reason: n for one in kept.values() for reason, n in one.unscored.items()}
    base = {"chance": whole.chance, "majority": whole.majority}
    return {"value": whole.value, "ci": whole.ci, "baselines": base, "n_scored": whole.n, "n_unscored": unscored,
            "languages": languages}  # fmt: skip


def _score(rows: pd.DataFrame) -> Score | None:
    if not len(rows):
        return None
    micro, chance = float(rows["p1"].mean()), float(rows["chance"].mean())
    macro = float(
        rows.groupby(["lang", "relation"], observed=True)["p1"].mean().groupby("lang", observed=True).mean().mean()
    )
    ci = CI(low=0.0, high=1.0, level=0.95, resamples=0, seed=0)
    return Score(value=macro, ci=ci, micro=micro, macro=macro, p5=None, p10=None, mrr=None, chance=chance,
                 majority=0.5, n=len(rows))  # fmt: skip


def models(skills: Sequence[float], seed: int = 0, whole: bool = False, **how) -> list[MadeUp]:
    """Models of these skills on the same questions: ``m0``, ``m1``, …"""
    draw, asked = np.random.default_rng(seed), questions(**how)
    return [entry(f"m{i}", answers(draw, asked, skill), whole=whole) for i, skill in enumerate(skills)]


_LETTERS = "abcdefghilmnoprstuvz"
_OBJECTS = {"it": ["Roma", "Paris", "Lima", "Tunis"], "ja": ["東京", "本", "日本東", "首都"]}


def knower(wrong):
    """Scores for :func:`probe_fixtures.rigged` on its small world: right but where `wrong(lang, relation, i)`."""

    def score(relation: str, subject: str, label: str) -> float:
        i = _LETTERS.index(subject[1]) + 20 * (len(subject) - 2)
        lang = "it" if label in _OBJECTS["it"] else "ja"
        gold = _OBJECTS[lang][i * {"P36": 1, "P47": 3}[relation] % 4]
        return -1.0 if (label == gold) != bool(wrong(lang, relation, i)) else -2.0

    return score


def board_of(folder: Path, stores: Sequence, protocol: str = "kassner2021"):
    """A board with a submission of every run."""
    from leaderboard.board import Board
    from leaderboard.submitting import submission_of
    from leaderboard.writing import add
    from probe.scores import score

    board = Board.create(folder)
    for number, store in enumerate(stores):
        (part := folder.parent / f"{folder.name}-{number}").mkdir()
        add(board, *submission_of(store, score(store, Protocol.parse(protocol)), part))
    return board

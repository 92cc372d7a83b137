"""Boards made up for the page's tests: as many models, languages and facts as wanted, and names as bad as they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leaderboard.changes import Changed
from leaderboard.comparable import parts
from leaderboard.ranking import Mark
from leaderboard.site.content import Content, Row, Table, identity
from leaderboard.submission import Answers, Submission, Variant
from probe.estimates import Estimate
from probe.published import published
from probe.results import CI, Language, Result, Score

#: mLAMA's.
LANGS = tuple(published("zhao2024"))
#: Names that a page must show as they are, and do nothing else with.
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; alert(1); //",
    "</script><script>alert(1)</script>\u2028\u2029",
    "a\u202egnp.exe",  # an override that turns what follows around
    "مدل‌زبانی/فارسی",
    "🦜🏴‍☠️ emoji",
    '=HYPERLINK("x")',
    "x" * 300,
    "&lt;b&gt;&amp;",
    "<a href='javascript:alert(1)'>y</a>",
    "constructor",
    "__proto__",
)


@dataclass(frozen=True)
class MadeUp:
    """As :class:`leaderboard.board.Entry`, with answers that are made when they are asked for."""

    name: str
    submission: Submission
    frame: pd.DataFrame

    def answers(self, columns: Sequence[str]) -> pd.DataFrame:
        return self.frame[list(columns)]


def made_up(
    models: Sequence[str],
    langs: Sequence[str] = LANGS[:4],
    relations: int = 2,
    subjects: int = 10,
    seed: int = 0,
    full: bool = True,
) -> Content:
    """A board of one table; every third model lacks the last language, every fourth is a variant of the first.

    Not `full`: records without scores by relation, which thousands of would be slow to make.
    """
    draw = np.random.default_rng(seed)
    rows: list[Row] = []
    abilities = np.sort(draw.uniform(0.2, 0.7, len(models)))[::-1]
    for number, (model, ability) in enumerate(zip(models, abilities, strict=True)):
        own = langs[:-1] if number % 3 == 2 and len(langs) > 1 else langs
        frame = _answers(draw, ability, own, relations, subjects)
        submission = _submission(model, number, frame, own, full)
        name = f"model-{number}/local/atlas/kassner2021"
        entry = MadeUp(name, submission, frame)
        lacks = [f"languages: {lang}" for lang in langs if lang not in own]
        counts = {"kept": 12, "gained": 9, "lost": 3, "wrong": 16}
        change = Changed(entry, rows[0].entry, [], Estimate(0.031, 0.012, 0.05), counts) if number % 4 == 3 else None
        rows.append(Row(identity(entry, "t-1"), entry, model, None, lacks, True, change))
    marks = [Mark("chance", 0.08, 0.08), Mark("majority", 0.2, 0.22)]
    rows.sort(key=lambda row: (bool(row.lacks), -row.submission.result.value))
    whole = sum(not row.lacks for row in rows)
    rows = [
        row if row.lacks else row._replace(rank=(max(1, place - 1), min(place + 1, whole)))
        for place, row in enumerate(rows, 1)
    ]
    first = rows[0].submission
    table = Table("t-1", "atlas, kassner2021", parts(first), [], rows, marks, dict.fromkeys(langs, marks))
    return Content("Facts in many languages", [table])


def _answers(draw, ability: float, langs, relations: int, subjects: int) -> pd.DataFrame:
    size = len(langs) * relations * subjects
    rank = 1 + draw.geometric(ability, size) - 1
    relation = np.tile(np.repeat([f"P{i}" for i in range(relations)], subjects), len(langs))
    subject = np.tile([f"Q{i}" for i in range(subjects)], relations * len(langs))
    return pd.DataFrame(
        {
            "lang": np.repeat(langs, relations * subjects),
            "relation": relation,
            "item": [f"{r}|{s}|O{s}" for r, s in zip(relation, subject, strict=True)],
            "template": 0,
            "subject_uri": subject,
            "p1": (rank == 1).astype(float),
            "rr": 1 / rank,
        }
    )


def _score(rows: pd.DataFrame) -> Score:
    value = float(rows["p1"].mean())
    half = 1.96 * (value * (1 - value) / len(rows)) ** 0.5
    ci = CI(low=max(0.0, value - half), high=min(1.0, value + half), level=0.95, resamples=1000, seed=0)
    return Score(value=value, ci=ci, micro=value, macro=value, p5=None, p10=None, mrr=float(rows["rr"].mean()),
                 chance=0.08, majority=0.21, n=len(rows))  # fmt: skip


def _submission(model: str, number: int, frame: pd.DataFrame, langs, full: bool) -> Submission:
    by_lang = dict(iter(frame.groupby("lang")))
    languages = [
        Language(
            lang=lang,
            all=_score(by_lang[lang]),
            shared=_score(by_lang[lang]) if full else None,
            one_token=None,
            relations={name: _score(rows) for name, rows in by_lang[lang].groupby("relation")} if full else {},
            n_unscored={"the object has no token": 1} if lang == "ar" else {},
            n_unknown_golds=0,
        )
        for lang in langs
    ]
    whole = _score(frame)
    signature = (
        f"facts:atlas|data:1c7335bf|protocol:kassner2021|kind:typed|candidates:relation|model:{model}|version:0.1.0"
    )
    result = Result(
        signature=signature,
        value=whole.value,
        ci=whole.ci,
        baselines={"chance": 0.08, "majority": 0.21},
        n_scored=len(frame),
        n_unscored={},
        n_bad_rows=0,
        float32=None,
        protocol="kassner2021",
        languages=languages,
        model={
            "spec": model, "id": model, "family": ("masked", "causal")[number % 2], "revision": "0" * 40,
            "sha256": "0" * 64, "dtype": "float32",
        },
        data={"spec": "atlas", "sha256": "1c7335bf" + "0" * 56, "n": len(frame)},
        code={"version": "0.1.0", "commit": None, "dirty": None},
        packages={"torch": "2.13.0", "transformers": "5.24.0"},
        seeds={"bootstrap": 0},
    )  # fmt: skip
    shares = {"shared": 0.4, "independent": 0.35, "transferred": 0.15, "cue": 0.08, "undecided": 0.02}
    return Submission(
        result=result,
        n=len(frame),
        answers=Answers(sha256="0" * 64, rows=len(frame)),
        origin="factroots",
        unverified=[],
        command=f"probe run --model '{model}' --langs {','.join(langs)}",
        seconds=60.0 * (number + 1),
        parameters=10_000_000 * (number + 1),
        variant=Variant(base="demo", method="lt-sft") if number % 4 == 3 else None,
        roots=dict.fromkeys(("", *langs), shares) if number % 5 == 0 else None,
        note="trained with <b>care</b>" if number == 1 else "",
    )


def until(met: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until `met()` holds. Playwright's own waiting evaluates text in the page, which the policy forbids."""
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)

"""The result record: one schema that both writes and validates, refusing what it does not know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from data_builders.errors import FactrootsError
from data_builders.schema import Count, Record, Share

SCHEMA_VERSION = 1


class CI(Record):
    """An interval and how it was made: percentiles of a bootstrap over `unit`."""

    low: Share
    high: Share
    level: Share
    method: Literal["percentile-bootstrap"] = "percentile-bootstrap"
    resamples: Count
    seed: int
    unit: str = "subject"


class Score(Record):
    """A score on one set of items. None where the protocol does not define a number; never a stand-in.

    ``value`` is P@1 under the protocol's own aggregation; ``micro`` and ``macro`` are both always there.
    """

    value: Share
    ci: CI
    micro: Share
    macro: Share
    p5: Share | None
    p10: Share | None
    mrr: Share | None
    chance: Share | None
    majority: Share
    n: Annotated[int, Field(gt=0)]


class Language(Record):
    """One language: its own facts, those of them that every language of the result shares, and one-token objects.

    A score is None where there is nothing to score, and ``shared`` also where the result has one language only.
    """

    lang: str
    all: Score | None
    shared: Score | None
    one_token: Score | None
    relations: dict[str, Score]
    n_unscored: dict[str, Count]
    n_unknown_golds: Count


class Precision(Record):
    """Of `items` asked in float32 too: how many have another rank of the gold there, and how many another P@1."""

    items: Count
    ranks_differ: Count | None
    answers_differ: Count


class Result(Record):
    """A number with everything that decided it. The overall ``value`` averages or pools languages by the protocol."""

    schema_version: Literal[1] = SCHEMA_VERSION
    signature: str
    metric: Literal["P@1"] = "P@1"
    value: Share
    ci: CI
    baselines: dict[Literal["chance", "majority"], Share | None]
    n_scored: Count
    n_unscored: dict[str, Count]
    n_bad_rows: Count
    float32: Precision | None
    protocol: str
    languages: list[Language]
    model: dict[str, str | int | None]
    data: dict[str, str | int]
    code: dict[str, str | bool | None]
    packages: dict[str, str]
    seeds: dict[str, int]


def read_result(path: Path) -> Result:
    """Read and check a record; raises FactrootsError with everything that is wrong with it."""
    try:
        return Result.model_validate(json.loads(Path(path).read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise FactrootsError(f"{path}: no such result; make one with `probe run` or `probe score`") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise FactrootsError(f"{path} is not readable JSON: {error}") from error
    except ValidationError as error:
        faults = "\n".join(f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise FactrootsError(f"{path} is not a result:\n{faults}") from error

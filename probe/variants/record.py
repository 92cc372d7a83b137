"""``comparison.json``: one schema that both writes and validates, refusing what it does not know."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from data_builders.errors import FactrootsError
from data_builders.folder import read_json
from data_builders.schema import Count, Record, Sha256, Share

SCHEMA_VERSION = 1
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Interval(Record):
    """A value with its percentile interval over subjects."""

    value: Finite
    low: Finite
    high: Finite


class Row(Record):
    """One variant on `n` facts of a language and relation; None is all of them together.

    facts : which of them, ``all`` or one of :data:`probe.variants.split.PARTS`. difference : after − before. p : of the
    difference, by the bootstrap; p_holm : corrected for all rows of the table of the same kind (over all, by language,
    or by language and relation) and the same facts. kept, gained, lost, wrong : how many facts became what
    (:data:`probe.variants.transitions.KINDS`). mcnemar : the exact p of gained against lost, which takes facts as
    independent and is not corrected.
    """

    variant: str
    facts: str
    lang: str | None
    relation: str | None
    n: Annotated[int, Field(gt=0)]
    before: Interval
    after: Interval
    difference: Interval
    p: Share
    p_holm: Share
    kept: Count
    gained: Count
    lost: Count
    wrong: Count
    mcnemar: Share


class Effect(Record):
    """What teaching did beyond what training did: the difference of `taught` facts minus that of `held` held-out ones.

    asked : ``taught``, in the languages of the training, or ``taught elsewhere``, in others: what crossed over.
    """

    variant: str
    asked: Literal["taught", "taught elsewhere"]
    taught: Count
    held: Count
    effect: Interval
    p: Share


class Cost(Record):
    """Of a variant, or of several together: parameters trained, numbers stored, their share of the base's parameters,
    bytes of weights on disk, seconds of training, and its peak memory in MB (of several, the greatest).

    None is not known: a variant that was composed or copied has no training of its own to tell of.
    """

    trained: Count
    stored: Count
    density: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    bytes: Count
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None
    peak_mb: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None


class Part(Record):
    """A variant's folder by its own name, how many times it is applied, and what it is."""

    folder: str
    scale: Finite
    method: str
    lang: str | None
    sha256: Sha256


class Taught(Record):
    """How many of the facts asked were taught and how many held out, and in which languages."""

    taught: Count
    held: Count
    langs: list[str]


class Compared(Record):
    """A variant that was compared. ``only_before`` and ``only_after`` are answers that one of the two models lacks."""

    name: str
    spec: str
    sha256: Sha256
    parts: list[Part]
    split: Taught | None
    n: Count
    only_before: Count
    only_after: Count
    cost: Cost


class Moved(Record):
    """How many facts of a language had the root ``before`` in the base and have ``after`` in the variant."""

    variant: str
    lang: str
    before: str
    after: str
    n: Count


class CI(Record):
    """How every interval was made."""

    level: Share
    method: Literal["percentile-bootstrap"] = "percentile-bootstrap"
    resamples: Count
    seed: int
    unit: str = "subject"


class Comparison(Record):
    """A base and its variants on the same questions. ``roots`` is None where none were traced."""

    schema_version: Literal[1] = SCHEMA_VERSION
    signature: str
    metric: Literal["P@1"] = "P@1"
    base: str
    base_sha256: Sha256
    protocol: str
    gold: str
    facts: str
    langs: list[str]
    variants: list[Compared]
    rows: list[Row]
    effects: list[Effect]
    roots: list[Moved] | None
    n_bad_rows: Count
    ci: CI
    code: dict[str, str | bool | None]
    packages: dict[str, str]


def read_comparison(path: Path) -> Comparison:
    """Read and check a record; raises FactrootsError with everything that is wrong with it."""
    if not Path(path).is_file():
        raise FactrootsError(f"{path}: no such comparison; make one with `probe compare-variants`")
    try:
        return Comparison.model_validate(read_json(Path(path)))
    except ValidationError as error:
        faults = "\n".join(f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise FactrootsError(f"{path} is not a comparison:\n{faults}") from error

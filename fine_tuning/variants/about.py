"""``variant.json``: what a variant is, of which model, and how it came about; one schema writes and validates it."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import Field

from data_builders.schema import Count, Record, Sha256

SCHEMA_VERSION = 1


class Base(Record):
    """The model that a variant changes. ``sha256`` is of its tensors (:mod:`fine_tuning.variants.base`), ``tokenizer``
    of its vocabulary in order, ``parameters`` how many it has, tied ones once."""

    spec: str
    id: str
    sha256: Sha256
    tokenizer: Sha256
    model_type: str
    family: str
    parameters: Count


class Parent(Record):
    """A variant that was applied to the base while this one was made, or that this one was composed of; `lang` is that
    of the batches for which it was, where it was not for all."""

    name: str
    sha256: Sha256
    scale: float
    lang: str | None = None


class About(Record):
    """``kind`` says how it is applied (:data:`fine_tuning.variants.applying.KINDS`); ``method`` is the method's
    canonical text, ``config`` what the kind needs to be applied.

    tie : the vocabulary head and the embeddings while it was made: ``tied`` (one matrix), ``untied`` (the head was
        given a copy before), or ``separate`` (the base has two).
    data : what it was trained on, with hashes; of a composition, nothing.
    trained : parameters that were trained; stored : numbers that are kept. Density is stored / base parameters.
    files : SHA-256 of every other file.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    kind: str
    method: str
    config: dict[str, Any] = Field(default_factory=dict)
    base: Base
    tie: Literal["tied", "untied", "separate"]
    parents: list[Parent] = Field(default_factory=list)
    lang: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    schedule: dict[str, Any] = Field(default_factory=dict)
    seed: int | None = None
    trained: Count
    stored: Count
    packages: dict[str, str]
    files: dict[str, Sha256]

    @property
    def density(self) -> float:
        """The share of the base's number of parameters that is kept."""
        return self.stored / self.base.parameters

    @property
    def sha256(self) -> str:
        """One hash of all that decides what the variant does to a model."""
        deciding = {"kind": self.kind, "config": self.config, "tie": self.tie, "files": self.files}
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()

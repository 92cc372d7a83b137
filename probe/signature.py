"""The line beside every number that says everything that decided it (after sacreBLEU's signatures)."""

from __future__ import annotations

from importlib.metadata import version as installed

from data_builders.factset import FactSet
from probe.protocols import Protocol


def version() -> str:
    """This package's version."""
    return installed("factroots")


def signature(run: dict, facts: FactSet, protocol: Protocol, bootstrap: dict) -> str:
    """``key:value`` pairs joined by ``|``, the version last; hashes by their first eight digits.

    `run` is a run's ``run.json``; `bootstrap` says how the interval was made.
    """
    model = run["model"]
    candidates = run["candidates"] if protocol.kind == "typed" else "vocabulary"
    parts = {
        "facts": facts.portable,
        "data": run["data"]["sha256"][:8],
        "protocol": protocol,
        "kind": protocol.kind,
        "candidates": candidates,
        "by": protocol.identity,
        "scoring": run["scoring"],
        **meaning(facts, protocol),
        "model": model["name"],
        "family": model["family"],
        "revision": model["revision"] and model["revision"][:8],
        "weights": model["sha256"][:8],
        "quantization": model["quantization"],
        "dtype": model["dtype"],
        "ci": f"bootstrap,{bootstrap['unit']},n={bootstrap['resamples']},seed={bootstrap['seed']}",
        "version": version(),
    }
    return "|".join(f"{key}:{value}" for key, value in parts.items() if value is not None)


def meaning(facts: FactSet, protocol: Protocol) -> dict[str, object]:
    """The parts of a signature in which a protocol and a gold policy say what a number means; None is left out."""
    return {
        "shots": protocol.shots or None,
        "length": protocol.length,
        "combine": protocol.combine,
        "prior": None if protocol.prior == "none" else protocol.prior,
        "match": protocol.match if protocol.kind == "decoded" else None,
        "gold": facts.gold,
        "aggregate": protocol.aggregate,
        "ties": protocol.ties,
        "unk": protocol.unk,
        "skip": protocol.skip or None,
        "templates": facts.templates.partition(":")[0],
    }

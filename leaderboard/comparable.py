"""Which results mean the same: the class of a submission is the part of its signature that decides meaning."""

from __future__ import annotations

from data_builders.factset import FactSet
from leaderboard.submission import OURS, Submission, part
from probe.protocols import Protocol
from probe.signature import meaning

#: Parts of a signature that a result's own fields do not have: what answers were chosen from.
_SIGNED = ("candidates",)


def parts(submission: Submission) -> dict[str, str]:
    """What decides the meaning of a number, by name. The model, its weights, number format, way of scoring (which the
    protocol and the model's family decide), intervals and versions do not.

    A result of another tool has its origin and its own signature's words for it, and so a class of its own.
    """
    result = submission.result
    if submission.origin != OURS:
        own = dict(word.partition(":")[::2] for word in result.signature.split("|"))
        return {"origin": submission.origin, "metric": result.metric, "protocol": result.protocol} | {
            key: value for key, value in own.items() if key not in ("model", "revision", "version", "weights", "dtype")
        }
    facts, protocol = FactSet.parse(str(result.data["spec"])), Protocol.parse(result.protocol)
    decided = {
        "facts": facts.portable,
        "data": result.data["sha256"],
        "protocol": protocol,
        "kind": protocol.kind,
        **{key: part(result.signature, key) for key in _SIGNED},
        "by": protocol.identity,
        **meaning(facts, protocol),
    }
    return {key: str(value) for key, value in decided.items() if value is not None}


def comparable(submission: Submission) -> str:
    """The class in one text: submissions may be ranked together exactly where it is the same."""
    return "|".join(f"{key}:{value}" for key, value in parts(submission).items())


def differing(a: Submission, b: Submission) -> list[str]:
    """The parts in which two classes differ, as ``gold: one / any``; empty where they are one."""
    own, other = parts(a), parts(b)
    named = [key for key in {**own, **other} if own.get(key) != other.get(key)]
    return [f"{key}: {_brief(key, own.get(key))} / {_brief(key, other.get(key))}" for key in named]


def _brief(key: str, value: str | None) -> str:
    return "–" if value is None else value[:8] if key == "data" else value

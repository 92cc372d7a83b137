"""The signature, put together again from what the record says, and the facts, protocol and model that it names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from data_builders.errors import FactrootsError
from data_builders.factset import FactSet
from fine_tuning.model_spec import ALIASES, Scaled
from leaderboard.submission import part
from leaderboard.text import shown
from probe.protocols import Protocol
from probe.results import Result
from probe.signature import signature


def faults(result: Result) -> Iterator[str]:
    """Where facts, protocol, languages, model and signature contradict each other, a line each."""
    try:
        facts, protocol = FactSet.parse(str(result.data.get("spec"))), Protocol.parse(result.protocol)
    except (FactrootsError, ValueError) as error:
        yield f"the facts or the protocol cannot be read: {shown(error, 300)}"
        return
    if str(protocol) != result.protocol:
        yield f"protocol: {shown(result.protocol)} is written {protocol}"
    if str(facts) != result.data.get("spec"):
        yield f"data.spec: {shown(result.data.get('spec'))} is written {shown(facts, 300)}"
    if protocol.gold != "set" and facts.gold != protocol.gold:
        yield f"data.spec: its gold policy is {facts.gold}, and the protocol's is {protocol.gold}"
    names = [language.lang for language in result.languages]
    if list(facts.langs) != names:
        lacking = [shown(lang) for lang in facts.langs if lang not in names]
        more = [shown(lang) for lang in names if lang not in facts.langs]
        yield (
            f"languages: {', '.join(lacking) or 'none'} of the facts' are missing, {', '.join(more) or 'none'} are "
            "there beside them, or their order is another"
        )
    expected, held = _expected(result, facts, protocol).split("|"), result.signature.split("|")
    if expected != held:
        wrong = [shown(own, 160) for own in held if own not in expected][:9]
        right = [shown(own, 160) for own in expected if own not in held][:9]
        yield f"signature: has {' | '.join(wrong) or 'less'} where the record makes it {' | '.join(right) or 'less'}"
    spec, id_ = (str(result.model.get(name)) for name in ("spec", "id"))
    if spec.split("+")[1:] != id_.split("+")[1:] or not _one(spec.partition("+")[0], id_.partition("+")[0]):
        yield f"model.spec: is {shown(spec)}, and its id is {shown(id_)}"
    name = part(result.signature, "model")
    if name not in (allowed := _names(id_)):
        yield f"signature: calls the model {shown(name)}, and its id makes it {shown(' or '.join(allowed))}"


def _expected(result: Result, facts: FactSet, protocol: Protocol) -> str:
    """The signature that a record with these parts has; what only the signature says is taken from it."""
    model = {"sha256": "", "revision": None, "quantization": None, "dtype": "", "family": ""} | result.model
    words = {key: None if model[key] is None else str(model[key]) for key in ("sha256", "revision")}
    run = {
        "data": {"sha256": str(result.data.get("sha256"))},
        "candidates": part(result.signature, "candidates"),
        "scoring": part(result.signature, "scoring"),
        "model": {**model, **words, "name": part(result.signature, "model")},
    }
    made = signature(run, facts, protocol, result.ci.model_dump()).rpartition("|version:")[0]
    return f"{made}|version:{result.code.get('version')}"


def _one(spec: str, id_: str) -> bool:
    """Whether a model is called by its id, by a name for it, or with its revision."""
    name = spec if spec == id_ else spec.partition("@")[0]
    return id_ in (name, ALIASES.get(name))


def _names(id_: str) -> list[str]:
    """What a signature may call a model of this id: a folder by its own name alone, and so its variants."""
    base, *variants = id_.split("+")
    try:
        scaled = [Scaled.parse(one) for one in variants]
    except FactrootsError:
        return [base]
    own = [str(one._replace(folder=PurePosixPath(one.folder).name)) for one in scaled]
    return list(dict.fromkeys("+".join([name, *own]) for name in (base, PurePosixPath(base).name)))

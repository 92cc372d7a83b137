"""The record: what it refuses, what it says of itself, and that it follows from the rows that were kept."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from dataclasses import fields, replace
from statistics import mean

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from probe_fixtures import rigged, small_world

from data_builders.errors import FactrootsError
from data_builders.factset import FactSet
from data_builders.folder import write_json
from probe.cli import main
from probe.commands.output import result_path
from probe.protocols import PRESETS, Protocol
from probe.results import Result, read_result
from probe.scores import score
from probe.signature import signature


def likes(relation: str, subject: str, label: str) -> float:
    """Some opinion, the same every time, in which several candidates tie."""
    return -float((len(relation) + sum(map(ord, subject)) * 7 + sum(map(ord, label)) * 3) % 5)


def chooses(relation: str, subject: str, masks: int) -> list[int]:
    return [(sum(map(ord, subject)) + place) % 190 for place in range(masks)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    return rigged(folder / "run", small_world(folder / "facts"), likes, chooses)


@pytest.fixture(scope="module")
def record(run) -> dict:
    return score(run, Protocol.parse("kassner2021")).model_dump()


def places(value, path=()) -> Iterator[tuple]:
    """The path of every dictionary and of every number below a record."""
    if isinstance(value, dict | list):
        yield path
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))
    elif isinstance(value, float):
        yield path


def at(value, path):
    for key in path:
        value = value[key]
    return value


def refused(record: dict) -> bool:
    try:
        Result.model_validate(record)
    except ValueError:
        return True
    return False


FREE = {"model", "data", "code", "packages", "seeds", "baselines", "n_unscored", "relations"}  # keys are data there


def test_unknown_keys_are_refused(record):
    """Whatever the schema does not know is refused, however deep it stands."""
    found = [p for p in places(record) if isinstance(at(record, p), dict) and not (p and p[-1] in FREE)]
    assert len(found) > 10
    for path in found:
        changed = copy.deepcopy(record)
        at(changed, path)["surprise"] = 1
        assert refused(changed), path


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.001, 1.001, "much"])
def test_numbers_that_are_no_share_are_refused(record, value):
    """No score, bound or baseline anywhere may be NaN, infinite or outside 0..1."""
    found = [p for p in places(record) if isinstance(at(record, p), float)]
    assert len(found) > 50
    for path in found:
        changed = copy.deepcopy(record)
        at(changed, path[:-1])[path[-1]] = value
        assert refused(changed), path


@pytest.mark.parametrize("name", Result.model_fields)
def test_every_field_is_needed(record, name):
    """A record without one of its fields is refused; two have but one value and may be left out."""
    changed = {key: value for key, value in record.items() if key != name}
    assert refused(changed) == (name not in ("schema_version", "metric"))


@pytest.mark.parametrize("changes", [{"schema_version": 2}, {"metric": "MRR"}, {"n_scored": -1}, {"n_scored": 1.5}])
def test_wrong_values_are_refused(record, changes):
    assert refused(record | changes)


#: The presets that a run of independent masks, joined by spaces, gives.
VIEWS = [name for name, p in PRESETS.items() if (p.scoring, p.join) == ("masks", "space")]


@pytest.mark.parametrize("preset", VIEWS)
def test_what_is_written_reads_back(run, preset, tmp_path):
    """A record survives its file unchanged, and the file holds nothing but JSON."""
    result = score(run, Protocol.parse(preset))
    write_json(tmp_path / "result.json", result.model_dump())
    assert read_result(tmp_path / "result.json") == result
    assert json.loads((tmp_path / "result.json").read_text()) == json.loads(result.model_dump_json())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not readable JSON"),
        ("[]", "is not a result"),
        ("{}", "signature: Field required"),
        ('{"value": NaN}', "value"),
        ("\udc80", "not readable JSON"),
    ],
)
def test_files_that_are_no_result(tmp_path, text, message):
    """A file that is no record is refused with its name and everything that is wrong with it."""
    path = tmp_path / "x.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(FactrootsError, match=message) as caught:
        read_result(path)
    assert str(path) in str(caught.value)


BOOTSTRAP = {"unit": "subject", "resamples": 1000, "seed": 0}
FACTS = FactSet("mlama", "somewhere", relations=("P36",))


def changed_runs(run: dict) -> Iterator[tuple[str, dict, FactSet, Protocol, dict]]:
    """One change at a time of all that decides a number."""
    protocol = Protocol.parse("kassner2021")
    for key, value in [("sha256", "1" * 64), ("revision", "1" * 40), ("name", "other/model"), ("dtype", "float16")]:
        yield key, run | {"model": run["model"] | {key: value}}, FACTS, protocol, BOOTSTRAP
    yield "data", run | {"data": run["data"] | {"sha256": "1" * 64}}, FACTS, protocol, BOOTSTRAP
    yield "family", run | {"model": run["model"] | {"family": "causal"}}, FACTS, protocol, BOOTSTRAP
    yield "scoring", run | {"scoring": "l2r"}, FACTS, protocol, BOOTSTRAP
    yield "candidates", run | {"candidates": "given"}, FACTS, protocol, BOOTSTRAP
    others = {"langs": ("it",), "relations": ("P19",), "parallel": True, "one_token": True, "no_leaks": True}
    others |= {"sample": 0.5, "candidates": 50, "gold": "any", "templates": "all", "source": "facts"}
    assert set(others) == {f.name for f in fields(FactSet)} - {"path"}
    for name, value in others.items():
        yield name, run, replace(FACTS, **{name: value}), protocol, BOOTSTRAP
    for name, value in [("combine", "sum"), ("identity", "label"), ("ties", "optimistic"), ("unk", "drop")]:
        yield name, run, FACTS, replace(protocol, **{name: value}), BOOTSTRAP
    for name, value in [("aggregate", "micro"), ("skip", ""), ("prior", "removed"), ("shots", 3), ("gold", "any")]:
        yield name, run, FACTS, replace(protocol, **{name: value}), BOOTSTRAP
    yield "kind, length", run, FACTS, Protocol.parse("zhao2024-full"), BOOTSTRAP
    for name in BOOTSTRAP:
        yield name, run, FACTS, protocol, BOOTSTRAP | {name: 7}


def test_signature_has_every_part(run):
    """Whatever is changed of all that decides a number, the line beside it changes; a folder's name does not count."""
    plain = signature(run.read(), FACTS, Protocol.parse("kassner2021"), BOOTSTRAP)
    found = {what: signature(*parts) for what, *parts in changed_runs(run.read())}
    assert len({plain, *found.values()}) == len(found) + 1
    assert signature(run.read(), replace(FACTS, path="other"), Protocol.parse("kassner2021"), BOOTSTRAP) == plain
    keys = [part.partition(":")[0] for part in plain.split("|")]
    assert keys[-1] == "version" and len(keys) == len(set(keys)) >= 18


def rows_of(run, lang: str) -> Iterator[tuple[dict, list[dict]]]:
    candidates: dict[str, list[dict]] = {}
    for row in pq.read_table(run.candidates(lang)).to_pylist():
        candidates.setdefault(row["relation"], []).append(row)
    for row in pq.read_table(run.items(lang)).to_pylist():
        if row["facts"]:
            yield row, candidates[row["relation"]]


def typed_hit(row: dict, choice: list[dict], gold: int) -> float:
    """The gold's share of the first place, by mean log-probability."""
    means = [value / len(c["tokens"]) for value, c in zip(row["logprob"], choice, strict=True)]
    return 0.0 if means[gold] < max(means) else 1 / sum(value == max(means) for value in means)


def vocabulary_hit(row: dict, choice: list[dict], gold: int) -> float:
    """Whether for any number of masks the tokens chosen are the gold's."""
    start, hit = 0, False
    for masks in range(1, max(len(c["tokens"]) for c in choice) + 1):
        hit |= row["argmax"][start : start + masks] == choice[gold]["tokens"]
        start += masks
    return float(hit)


@pytest.mark.parametrize(("preset", "hit"), [("kassner2021", typed_hit), ("zhao2024-full", vocabulary_hit)])
def test_value_follows_from_the_rows_kept(run, preset, hit):
    """Micro, macro and overall P@1 come out of the items' files by plain arithmetic."""
    result = score(run, Protocol.parse(preset))
    macros, everything = [], []
    for language in result.languages:
        hits: dict[str, list[float]] = {}
        for row, choice in rows_of(run, language.lang):
            hits.setdefault(row["relation"], []).extend(hit(row, choice, gold) for gold in row["golds"])
        pooled = [value for values in hits.values() for value in values]
        assert language.all.micro == pytest.approx(mean(pooled))
        assert language.all.macro == pytest.approx(mean(map(mean, hits.values())))
        assert {r: s.value for r, s in language.relations.items()} == pytest.approx(
            {r: mean(v) for r, v in hits.items()}
        )
        macros.append(mean(map(mean, hits.values())))
        everything += pooled
    assert result.value == pytest.approx(mean(macros) if preset == "kassner2021" else mean(everything))
    assert result.n_scored == len(everything)


def invoke(*words: str) -> str:
    done = CliRunner().invoke(main, [str(w) for w in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_score_command_equals_the_function(run, tmp_path):
    """`probe score` keeps and prints the record that the function gives, under any protocol and gold policy."""
    for protocol, gold in [
        ("kassner2021", None),
        ("zhao2024-partial", "any"),
        ("typed(join=space,skip=a/b)", "filtered"),
    ]:
        words = ["score", run.folder, "--protocol", protocol, "--json", *(["--gold", gold] if gold else [])]
        shown = Result.model_validate_json(invoke(*words))
        expected = score(run, Protocol.parse(protocol), gold)
        assert shown == expected == read_result(result_path(run, Protocol.parse(protocol), gold))


def test_show_prints_what_is_kept(run):
    """`probe show` prints a table a record, each with its languages and signature; --json gives the records."""
    invoke("score", run.folder, "--protocol", "kassner2021", "--protocol", "zhao2024-full")
    kept = sorted(p for p in run.folder.glob("*.json") if p.name not in ("run.json", "timing.json"))
    shown = invoke("show", run.folder)
    for path in kept:
        result = read_result(path)
        assert result.signature in shown.replace("\n", "")
        assert f"{100 * result.value:.1f}" in shown
    assert shown.count("majority") >= len(kept)
    lines = invoke("show", run.folder, "--json").splitlines()
    assert [Result.model_validate_json(line) for line in lines] == [read_result(path) for path in kept]
    one = invoke("show", kept[0], "--json")
    assert json.loads(one) == json.loads(kept[0].read_text())


def test_show_of_a_run_without_records(tmp_path):
    """A finished run that has not been scored says so in one line."""
    store = rigged(tmp_path / "run", small_world(tmp_path / "facts", 2), likes)
    done = CliRunner().invoke(main, ["show", str(store.folder)])
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1 and "probe score" in done.stderr

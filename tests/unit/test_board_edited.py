"""An edited score is caught wherever it stands and however small the edit, in the record or in the answers."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from board_fixtures import a_run, good, resealed, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaderboard.validation import check

#: What the answers decide.
DECIDED = ("value", "ci", "baselines", "n_scored", "n_unscored", "languages")
_SETTINGS = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("edited")
    return good(a_run(folder, subjects=6), "kassner2021", folder / "good")


def numbers(value, path=()) -> Iterator[tuple]:
    """The path of every number below a record's part; how many golds are unknown does not follow from answers."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from numbers(inner, (*path, key))
    elif isinstance(value, int | float) and path[-1] not in ("n_unknown_golds", "seed"):
        yield path


def at(value, path):
    for key in path:
        value = value[key]
    return value


def faults(record: dict, plain) -> list[str]:
    return check(json.dumps(record).encode(), plain.answers).faults


def test_nothing_is_wrong_before(plain):
    assert faults(plain.record, plain) == []


@settings(max_examples=60, **_SETTINGS)
@given(data=st.data())
def test_an_edited_number_is_caught(plain, data):
    """Any number that the answers decide, changed to any other: by a lot, or in its last digit."""
    record = plain.record
    places = [path for name in DECIDED for path in numbers(record["result"][name], (name,))]
    assert len(places) > 100
    path = data.draw(st.sampled_from(places))
    own = at(record["result"], path)
    if isinstance(own, int):
        new = data.draw(st.integers(0, 100).filter(lambda value: value != own))
    else:
        near = st.sampled_from([math.nextafter(own, 2), math.nextafter(own, -1)])
        new = data.draw((near | st.floats(0, 1)).filter(lambda value: value != own and 0 <= value <= 1))
    changed = copy.deepcopy(record)
    at(changed["result"], path[:-1])[path[-1]] = new
    assert faults(changed, plain), (path, own, new)


@settings(max_examples=25, **_SETTINGS)
@given(data=st.data())
def test_a_score_in_another_place_is_caught(plain, data):
    """Two scores that differ, each in the other's place; a relation or a language left out, or one more."""
    record = plain.record
    languages = record["result"]["languages"]
    lang = data.draw(st.sampled_from(languages))
    what = data.draw(st.sampled_from(["swap", "drop relation", "drop language", "more", "null"]))
    if what == "swap":
        one, other = data.draw(st.sampled_from([("all", "shared"), ("all", "one_token"), ("shared", "one_token")]))
        if lang[one] == lang[other]:
            return
        lang[one], lang[other] = lang[other], lang[one]
    elif what == "drop relation":
        lang["relations"].pop(data.draw(st.sampled_from(sorted(lang["relations"]))))
    elif what == "drop language":
        languages.remove(lang)
    elif what == "more":
        lang["relations"]["P999"] = lang["all"]
    else:
        lang[data.draw(st.sampled_from(["all", "shared", "one_token"]))] = None
    assert faults(record, plain), what


@settings(max_examples=25, **_SETTINGS)
@given(data=st.data())
def test_an_edited_answer_is_caught(plain, data, tmp_path):
    """One answer more is right, or one less, and the file has its own hash: the record's numbers are not those."""
    table = pq.read_table(plain.answers)
    row = data.draw(st.integers(0, len(table) - 1))
    right = table["p1"][row].as_py() < 0.5
    for name in ("p1", "p5", "p10", "rr"):
        values = table[name].to_pylist()
        values[row] = 1.0 if right else 0.0 if name == "p1" else values[row]
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values))
    path = written(plain, tmp_path / "s")
    pq.write_table(table, path.with_suffix(".parquet"))
    resealed(path)
    said = check(path.read_bytes(), path.with_suffix(".parquet")).faults
    assert any(fault.startswith("value: says") for fault in said), said


def test_the_hash_is_of_the_file(plain, tmp_path):
    """The same answers in other bytes are not the file that the record speaks of."""
    path = written(plain, tmp_path / "s")
    pq.write_table(pq.read_table(plain.answers), path.with_suffix(".parquet"), compression="none")
    (fault,) = check(path.read_bytes(), path.with_suffix(".parquet")).faults
    assert fault.startswith("answers.sha256: says")
    resealed(path)
    assert check(path.read_bytes(), path.with_suffix(".parquet")).faults == []

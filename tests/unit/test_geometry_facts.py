"""Facts under interventions: runs that say what was done, answers as by hand, and nothing from what does nothing."""

from __future__ import annotations

import json

import pytest
import torch
from neuron_fixtures import tiny
from probe_fixtures import probed, small_world
from sweep_fixtures import fits_of, plan, texts_of

from data_builders.factset import FactSet
from probe.geometry import facts as under
from probe.geometry.affine import intervening
from probe.geometry.conditions import Condition
from probe.geometry.facts import Asking, Change, put, quarters
from probe.geometry.layers import blocks
from probe.pairs import answers
from probe.protocols import Protocol
from probe.store import Store

LANGS = ("it", "ja")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("facts")
    one = tiny("bert")
    facts = small_world(folder / "facts")
    fits = fits_of(folder / "fits", one, texts_of(one, LANGS))
    return one, fits, facts


def asking(facts: str, **more) -> Asking:
    sets = [FactSet.parse(f"{facts}(langs={lang})").open() for lang in LANGS]
    return Asking(
        plan(langs=LANGS, others=LANGS, **{"layers": (1, 2), "conditions": ("full", "random", "shift")} | more), sets
    )


def test_every_run_says_what_was_done(world, tmp_path):
    one, fits, facts = world
    made = put(asking(facts), fits, one, tmp_path, True)
    runs = [json.loads(path.read_text()) for path in tmp_path.glob("*/run.json")]
    changed = [run for run in runs if "intervened" in run]
    assert len(runs) == 2 * (1 + 2 * 3)
    assert len(changed) == 2 * 2 * 3
    assert {run["model"]["sha256"] for run in changed}.isdisjoint({one.sha256})
    assert len({run["model"]["sha256"] for run in runs}) == 1 + len(changed)
    names = {run["model"]["name"] for run in changed}
    assert "tiny/model[shift(ja)@2]" in names
    assert {run["intervened"]["layer"] for run in changed} == {1, 2}
    assert made.facts == "facts(langs=it;ja)"
    assert len(made.rows) == 2 * 2 * 3


def test_what_does_nothing_changes_no_answer(world, tmp_path):
    one, fits, facts = world
    rows = put(asking(facts, conditions=("full",)), fits, one, tmp_path, True).rows
    for row in rows:
        assert row.difference.model_dump() == {"value": 0, "low": 0, "high": 0}
        assert row.p == row.p_holm == 1
        assert (row.n, row.left_out) == (24, 0)


def test_answers_are_those_of_the_model_with_the_map_in_it(world, tmp_path):
    one, fits, facts = world
    asked = asking(facts, layers=(1,), conditions=("random",))
    put(asked, fits, one, tmp_path / "ours", True)
    map = Condition("random").map(fits, 1, "it", 0.9, 0)
    with intervening(blocks(one.model), 1, map):
        by_hand = probed(tmp_path / "by-hand", f"{facts}(langs=it)", one)
    protocol = Protocol.parse("kassner2021")
    found = {
        json.loads(path.read_text())["model"]["name"]: Store(path.parent)
        for path in (tmp_path / "ours").glob("*/run.json")
        if json.loads(path.read_text())["data"]["langs"] == ["it"]
    }
    ours, plain = (answers(found[name], protocol, "one") for name in ("tiny/model[random@1]", "tiny/model"))
    assert ours.equals(answers(by_hand, protocol, "one"))
    items = [store.items("it").read_bytes() for store in (found["tiny/model[random@1]"], by_hand)]
    assert items[0] == items[1]
    assert found["tiny/model"].items("it").read_bytes() != items[0]
    assert len(plain) == 24


def test_a_finished_run_is_not_asked_again(world, tmp_path, monkeypatch):
    one, fits, facts = world
    first = put(asking(facts), fits, one, tmp_path, True)
    monkeypatch.setattr(under, "execute", None)
    assert put(asking(facts), fits, one, tmp_path, True) == first


def test_another_seed_or_share_is_another_run(world):
    _, fits, _ = world
    run = {"model": {"name": "m", "sha256": "0" * 64}}
    usual = Change("it", Condition("random"), 1, 0.9, 0, True)
    hashes = {
        change.intervened(run, fits)["model"]["sha256"]
        for change in (
            usual,
            usual._replace(seed=1),
            usual._replace(variance=0.5),
            usual._replace(layer=2),
            usual._replace(specials=False),
        )
    }
    hashes.add(usual._replace(lang="ja").intervened(run, fits)["model"]["sha256"])
    assert len(hashes) == 6
    assert run["model"]["name"] == "m"


def test_a_text_s_own_mean_is_of_no_facts(world, tmp_path):
    one, fits, facts = world
    rows = put(asking(facts, conditions=("centre(test)", "centre"), layers=(1,)), fits, one, tmp_path, True).rows
    assert {row.condition for row in rows} == {"centre"}


def test_p_values_are_corrected_by_condition(world, tmp_path):
    one, fits, facts = world
    rows = put(asking(facts, conditions=("random", "own")), fits, one, tmp_path, True).rows
    for name in ("random", "own"):
        own = [row for row in rows if row.condition == name]
        assert min(row.p_holm for row in own) == pytest.approx(min(1, len(own) * min(row.p for row in own)))


@pytest.mark.parametrize(
    ("layers", "expected"), [(4, [1, 2]), (13, [3, 6, 9]), (3, [1, 2]), (2, [1]), (19, [4, 9, 14])]
)
def test_quarters(layers, expected):
    assert quarters(range(layers)) == expected


def test_the_model_is_as_it_was(world, tmp_path):
    one, fits, facts = world
    ids = torch.tensor([[2, 7, 8, 3]])
    with torch.no_grad():
        before = one.model(input_ids=ids).logits
        put(asking(facts, layers=(1,)), fits, one, tmp_path, True)
        assert torch.equal(before, one.model(input_ids=ids).logits)

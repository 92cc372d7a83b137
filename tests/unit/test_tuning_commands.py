"""The commands that manage variants: list, show, diff, compose, merge, arithmetic, export, import."""

import json

import pytest
import torch
from click.testing import CliRunner
from peft import LoraConfig, PeftModel

from data_builders.factset import FactSet
from fine_tuning.commands.arithmetic import arithmetic, compose, merge
from fine_tuning.commands.asking import asker
from fine_tuning.commands.exchange import export, import_
from fine_tuning.commands.manage import diff, list_, show
from fine_tuning.models import load
from fine_tuning.variants.delta_file import read_delta
from fine_tuning.variants.folder import read_variant
from probe.protocols import Protocol
from probe.scores import score
from tests.probe_fixtures import probed, small_world
from tests.variant_fixtures import delta_variant, logits, noise, peft_adapter, tiny_base


class World:
    def __init__(self, folder):
        self.folder, self.base = folder, tiny_base(folder / "base")
        model = load(self.base).model
        for n, name in enumerate("ab"):
            delta_variant(folder / "runs" / name, self.base, noise(model, n, 0.3, True), lang="it", method=f"full{n}")
        self.a, self.b = (str(folder / "runs" / name) for name in "ab")
        self.facts = small_world(folder / "facts")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("world"))


def done(command, *args):
    result = CliRunner().invoke(command, list(map(str, args)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def record(command, *args) -> dict:
    return json.loads(done(command, *args, "--json").stdout)


def test_variants_are_listed_and_shown(world):
    rows = [json.loads(line) for line in done(list_, world.folder, "--json").stdout.splitlines()]
    assert [row["folder"] for row in rows] == [world.a, world.b]
    variant = read_variant(world.folder / "runs" / "a")
    assert rows[0]["bytes"] == variant.bytes and rows[0]["base"]["spec"] == world.base
    assert "full0" in done(list_, world.folder).stdout
    shown = record(show, world.a)
    assert shown["density"] == variant.about.density and shown["sha256"] == variant.about.sha256
    assert variant.about.base.sha256[:10] in done(show, world.a).stdout
    (world.folder / "runs" / "a" / "training.json").write_text(json.dumps({"seconds": 3.5, "losses": {"train": 0.25}}))
    assert "training.losses.train" in done(show, world.a).stdout
    broken = world.folder / "broken"
    broken.mkdir()
    (broken / "variant.json").write_text("{}")
    result = done(list_, world.folder, "--json")
    assert len(result.stdout.splitlines()) == 2 and "broken/variant.json" in result.stderr


def test_two_variants_are_compared(world):
    found = record(diff, world.a, world.b)
    whole, parts = found["groups"]["all"], [o for group, o in found["groups"].items() if group != "all"]
    assert whole["entries"] == sum(part["entries"] for part in parts)
    assert abs(whole["cosine"]) < 0.1 and whole["jaccard"] == pytest.approx(whole["chance"], rel=0.1)
    assert found["settings"]["method"] == ["full0", "full1"]
    assert {"layer 0", "layer 1", "embeddings", "cls"} < set(found["groups"])
    text = done(diff, world.a, world.b).stdout
    assert "layer 1" in text and max(map(len, text.splitlines())) <= 80
    assert record(diff, world.a, world.a)["groups"]["all"]["cosine"] == pytest.approx(1)


def test_compositions_are_planned_made_and_equal_in_any_order(world, tmp_path):
    planned = record(compose, world.a, f"{world.b}*0.5", "--dry-run")
    assert planned["output"] is None and not list(tmp_path.iterdir())
    one = record(compose, world.a, f"{world.b}*0.5", "--output", tmp_path / "1")
    record(compose, f"{world.b}*0.5", world.a, "--output", tmp_path / "2")
    assert read_variant(tmp_path / "1").about == read_variant(tmp_path / "2").about
    assert {k: v for k, v in planned.items() if k not in ("output", "bytes")} == {
        k: v for k, v in one.items() if k not in ("output", "bytes")
    }
    assert 0 < one["bytes"] - planned["bytes"] < 20_000  # the names
    assert one["stored"] == read_variant(tmp_path / "1").about.stored
    stack = record(compose, world.a, world.b, "--stack", "--output", tmp_path / "stack")
    assert stack["kind"] == "stack" and record(compose, world.a, world.b, "--stack", "--dry-run")["bytes"] > 0
    one, two = (load(f"{world.base}+{path}").model for path in (tmp_path / "stack", f"{world.a}+{world.b}"))
    assert torch.equal(logits(one), logits(two))
    assert [row["kind"] for row in map(json.loads, done(list_, tmp_path, "--json").stdout.splitlines())].count(
        "stack"
    ) == 1


def test_merging_is_recorded_and_seeded(world, tmp_path):
    for name, how in (("1", "dare(seed=4)"), ("2", "dare(seed=4)"), ("3", "dare(seed=5)")):
        record(merge, world.a, world.b, "--how", how, "--weights", "1,0.5", "--output", tmp_path / name)
    one, two, three = (read_variant(tmp_path / name).about for name in "123")
    assert one == two and one.sha256 != three.sha256
    assert "seed" in one.method and [p.scale for p in one.parents] == [1.0, 0.5]
    assert record(merge, world.a, world.b, "--dry-run")["stored"] > 0


def test_arithmetic_searches_a_scale_that_the_control_holds(world, tmp_path):
    facts = f"{world.facts}(langs=it)"
    made = record(
        arithmetic, f"{world.base} - 20*{world.a}", "--search", "--target", facts, "--control", facts,
        "--output", tmp_path / "v",
    )  # fmt: skip
    rows = made["search"]["rows"]
    assert len(rows) == 21 and [row["target"] for row in rows] == [row["control"] for row in rows]
    scale = max(row["scale"] for row in rows if row["control"] >= 0.95 * rows[0]["control"])
    assert made["search"]["scale"] == scale and made["parents"][0]["scale"] == -20 * scale
    about = read_variant(tmp_path / "v").about
    assert about.data["search"] == made["search"] and about.parents[0].scale == -20 * scale
    for row in (rows[0], rows[7]):  # the numbers are those of `probe run`
        loaded = load(f"{world.base}+{world.a}*{-20 * row['scale']!r}")
        value = score(probed(tmp_path / f"run{row['scale']}", facts, loaded), Protocol.parse("kassner2021")).value
        assert row["target"] == pytest.approx(value)
    text = done(
        arithmetic, f"{world.base} - 20*{world.a}", "--search", "--target", facts, "--control", facts, "--dry-run"
    ).stdout
    assert "control P@1" in text


def test_p_at_1_is_that_of_a_run(world, tmp_path):
    loaded = load(world.base)
    store = probed(tmp_path / "run", str(FactSet.parse(world.facts)), loaded)
    assert asker(world.facts, loaded)() == pytest.approx(score(store, Protocol.parse("kassner2021")).value)


def test_exports_are_loaded_by_the_tools_that_they_are_for(world, tmp_path):
    planned = record(export, f"{world.a}*0.5", tmp_path / "plain", "--dry-run")
    made = record(export, f"{world.a}*0.5", tmp_path / "plain")
    assert abs(planned["bytes"] - made["bytes"]) < 30_000 and planned["stored"] == made["stored"]
    ours, plain = load(f"{world.base}+{world.a}*0.5").model, load(str(tmp_path / "plain")).model
    assert torch.equal(logits(ours), logits(plain))
    theirs = peft_adapter(tmp_path / "theirs", world.base, LoraConfig(target_modules=["query"]))
    record(import_, "peft", theirs, "--model", world.base, "--dry-run")
    imported = record(import_, "peft", theirs, "--model", world.base, "--output", tmp_path / "lora")
    assert imported["kind"] == "peft" and imported["stored"] == 2 * 2 * 8 * 16
    record(export, tmp_path / "lora", tmp_path / "back", "--to", "peft")
    one, two = (PeftModel.from_pretrained(load(world.base).model, f).eval() for f in (theirs, tmp_path / "back"))
    assert torch.equal(logits(one), logits(two))
    assert "kept in" in done(export, tmp_path / "lora", tmp_path / "again", "--to", "peft").stdout


def test_sparse_variants_go_through_composable_sfts_file(world, tmp_path):
    pytest.importorskip("fine_tuning.sparse.pytorch_diff")
    record(export, world.a, tmp_path / "diff", "--to", "pytorch-diff")
    record(import_, "pytorch-diff", tmp_path / "diff", "--model", world.base, "--output", tmp_path / "back")
    one, two = read_delta(world.folder / "runs" / "a"), read_delta(tmp_path / "back")
    for name, part in two.items():
        whole = part.dense() if hasattr(part, "dense") else part
        torch.testing.assert_close(whole, one[name].dense(), atol=2e-7, rtol=0)

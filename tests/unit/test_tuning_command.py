"""From a command to a variant: what is written, gone on with, refused, and said beforehand."""

import json
from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner
from neuron_fixtures import tiny
from probe_fixtures import probed, save_model, small_world

from data_builders.errors import FactrootsError
from data_builders.factset import FactSet
from fine_tuning.commands.group import COMMANDS, tune
from fine_tuning.methods.full import Full
from fine_tuning.models import load
from fine_tuning.training import tune as tuning
from fine_tuning.training.facts import fact_examples
from fine_tuning.training.schedule import Schedule
from fine_tuning.variants.applying import applied
from fine_tuning.variants.folder import read_variant
from fine_tuning.variants.names import copy_of, parameters
from probe.protocols import Protocol
from probe.scores import score


@pytest.fixture
def base(tmp_path):
    one = tiny("bert")
    return str(save_model(tmp_path / "base", one.model, one.tokenizer))


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "it.txt"
    path.write_text("".join(f"Roma is la capital of Italia {i % 7} is {'la ' * (i % 4)}Par\n" for i in range(120)))
    return str(path)


def run(*args):
    return CliRunner().invoke(tune, [str(a) for a in args])


def test_text_is_learned_and_the_variant_says_all_of_it(base, text, tmp_path):
    output = tmp_path / "it"
    learned = ("--text", text, "--lang", "it", "--length", 24, "--steps", 6, "--batch", 4, "--rate", 1e-3, "--every", 3)
    found = run("full", "--model", base, *learned, "--output", output, "--quiet")
    assert found.exit_code == 0, found.output
    assert f"probe run --model {base}+{output}" in found.output
    about = read_variant(output).about
    assert about.method == "full" and about.lang == "it" and about.kind == "delta" and about.seed == 0
    assert about.schedule["steps"] == 6 and about.schedule["rate"] == 1e-3 and about.schedule["clip"] == 1.0
    assert about.data["text"] == "it.txt" and about.data["documents"] + about.data["held_documents"] == 120
    timing = json.loads((output / "training.json").read_text())
    assert timing["phases"]["train"]["steps"] == 6 and timing["peak_mb"] > 50 and timing["seconds"] > 0
    assert [json.loads(line)["step"] for line in (output / "train.jsonl").read_text().splitlines()] == [
        1,
        2,
        3,
        3,
        4,
        5,
        6,
        6,
    ]
    assert not list(tmp_path.glob(".*"))
    plain, made = parameters(load(base).model), parameters(load(f"{base}+{output}").model)
    assert any(not torch.equal(p, made[name]) for name, p in plain.items())
    again = run("full", "--model", base, *learned, "--output", tmp_path / "again", "--quiet", "--json")
    assert json.loads(again.output)["files"] == about.files
    assert "is there already" in str(run("full", "--model", base, *learned, "--output", output).exception)


@pytest.mark.parametrize("method", ["full", "lt-sft(density=0.05,l1=0)", "lora", "madx-lang"])
def test_a_variant_of_a_rounded_training_goes_on_and_comes_off_bit_for_bit(base, text, tmp_path, method):
    learned = ("--text", text, "--length", 24, "--steps", 4, "--batch", 4, "--rate", 1e-3, "--quiet")
    for precision in ("float32", "bfloat16"):
        found = run(method, "--model", base, *learned, "--precision", precision, "--output", tmp_path / precision)
        assert found.exit_code == 0, found.output
    one, other = (read_variant(tmp_path / precision) for precision in ("float32", "bfloat16"))
    assert other.about.schedule["precision"] == "bfloat16" and one.about.files != other.about.files
    model = load(base).model
    before, ids = copy_of(model), torch.arange(5, 12)[None]
    with torch.no_grad():
        plain = model(input_ids=ids).logits
        with applied(model, [(other, 1.0)]):
            assert not torch.equal(model(input_ids=ids).logits, plain)
        assert torch.equal(model(input_ids=ids).logits, plain)
    assert all(torch.equal(p.view(torch.int32), before[n].view(torch.int32)) for n, p in copy_of(model).items())
    with pytest.raises(FactrootsError, match="there are: bfloat16, float32"):
        Schedule(precision="half")


def test_a_variant_on_a_variant_names_its_parent_and_is_probed_with_it(base, text, tmp_path):
    facts = small_world(tmp_path / "facts", subjects=6)
    first, second = tmp_path / "it", tmp_path / "capital"
    short = ("--steps", 2, "--batch", 2, "--rate", 1e-2, "--quiet")
    assert run("full", "--model", base, "--text", text, *short, "--output", first).exit_code == 0
    model = f"{base}+{first}*0.5"
    found = run("full", "--model", model, "--factset", facts, "--facts-langs", "it", *short, "--output", second)
    assert found.exit_code == 0, found.output
    about = read_variant(second).about
    assert [(p.name, p.scale) for p in about.parents] == [("it", 0.5)] and about.base == read_variant(first).about.base
    assert about.data["langs"] == ["it"] and len(about.data["taught_sha256"]) == 64
    assert load(f"{model}+{second}").sha256 != load(model).sha256


def test_p1_is_asked_in_training_as_the_prober_asks_it(base, tmp_path):
    facts = small_world(tmp_path / "facts", subjects=6)
    found = run(
        *("full", "--model", base, "--factset", facts, "--facts-langs", "it", "--steps", 4, "--batch", 4, "--every", 2),
        *("--rate", 1e-2, "--score-facts", facts, "--output", tmp_path / "v", "--quiet"),
    )
    assert found.exit_code == 0, found.output
    asked = [json.loads(line) for line in (tmp_path / "v" / "train.jsonl").read_text().splitlines()]
    asked = [line for line in asked if "P@1 it" in line]
    assert [line["step"] for line in asked] == [2, 4]
    one = load(f"{base}+{tmp_path / 'v'}")
    for lang in ("it", "ja"):
        only = str(replace(FactSet.parse(facts), langs=(lang,)))
        assert (
            score(probed(tmp_path / lang, only, one), Protocol.parse("kassner2021")).value == asked[-1][f"P@1 {lang}"]
        )


def test_a_broken_off_command_goes_on_and_ends_with_the_same_file(base, tmp_path, monkeypatch):
    data = FactSet.parse(small_world(tmp_path / "facts", subjects=6)).open()
    wanted = tuning.Tuning(base, Full(), Schedule(steps=20, batch=4, rate=1e-3))

    def examples(one, folder):
        return fact_examples(data, one)

    def make(name, tuned=wanted):
        return tuning.tune(tuned, examples, tmp_path / name, quiet=True)

    whole = make("whole")
    from fine_tuning.training.log import Log

    write = Log.write

    def killed(self, step, **values):
        if step == 13:
            raise KeyboardInterrupt
        write(self, step, **values)

    monkeypatch.setattr(Log, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        make("broken")
    monkeypatch.undo()
    assert not (tmp_path / "broken").exists() and (tmp_path / ".broken.work" / "train" / "checkpoint-12").is_dir()
    with pytest.raises(FactrootsError, match="its schedule differ"):
        make("broken", replace(wanted, schedule=Schedule(steps=21, batch=4)))
    assert make("broken").about == whole.about and not (tmp_path / ".broken.work").exists()


def test_a_dry_run_says_what_it_takes_and_writes_nothing(base, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    found = run("full", "--model", base, "--steps", 7, "--dry-run", "--json")
    plan, size = json.loads(found.output), sum(p.numel() for p in load(base).model.parameters())
    assert plan["trained"] == plan["parameters"] == size and plan["share"] == 1 and plan["phases"] == {"train": 7}
    assert plan["memory_mb"] == pytest.approx(5 * 4 * size / 1e6) and plan["disk_mb"] == pytest.approx(4 * size / 1e6)
    assert "(100.00%)" in run("full", "--model", base, "--dry-run").output
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("nothing",), "unknown method 'nothing'; there are: "),
        (("full(rate=1)",), "unknown parameter of full"),
        (("full",), "say what to learn from"),
        (("full", "--text", "TEXT", "--factset", "atlas"), r"got text, factset"),
        (("full", "--corpus", "somewhere"), "--corpus needs --lang"),
        (("full", "--factset", "atlas"), "needs --facts-langs"),
        (("full", "--text", "TEXT", "--batch", 4000), "fewer than a batch of 4000.*--batch"),
        (("full", "--text", "TEXT", "--batch", 4, "--accumulate", 3), "cannot be made of 3 equal parts"),
        (("full", "--text", "TEXT", "--patience", 2), "--patience needs"),
        (("full", "--text", "TEXT", "--rate", 0), "rate must be above 0"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(base, text, tmp_path, args, said):
    args = [text if a == "TEXT" else a for a in args]
    found = run(args[0], "--model", base, *args[1:], "--output", tmp_path / "v", "--quiet")
    assert isinstance(found.exception, FactrootsError), found.output
    with pytest.raises(FactrootsError, match=said):
        raise found.exception
    assert "\n" not in str(found.exception)
    assert {p.name for p in tmp_path.iterdir()} == {"base", "it.txt"}


def test_tensorboard_is_an_extra(base, text, tmp_path):
    args = ("full", "--model", base, "--text", text, "--steps", 2, "--batch", 2, "--tensorboard", tmp_path / "board")
    found = run(*args, "--output", tmp_path / "v", "--quiet")
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        assert "pip install tensorboard" in str(found.exception)
    else:
        assert list((tmp_path / "board" / "train").iterdir()) and found.exit_code == 0


def test_the_group_knows_methods_from_commands():
    found = run("--help")
    assert all(name in found.output for name in (*COMMANDS, "METHOD", "lt-sft"))
    assert "--train-share" in run("full", "--help").output
    assert run("--model", "x", "full", "--help").exit_code == 0

"""What a user can get wrong: each is one clear line (bad files: one a row), exit code 2, and nothing is left behind."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from probe_fixtures import fact, save_model, small_world, tiny_model, wordpiece, write_facts
from transformers import BertModel, GPT2Config, GPT2LMHeadModel

from data_builders.export import export
from data_builders.factset import FactSet
from probe.cli import main


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    """A folder with a model and a fact set that are in order."""
    folder = tmp_path_factory.mktemp("good")
    tokenizer = wordpiece()
    save_model(folder / "model", tiny_model("bert", tokenizer), tokenizer)
    small_world(folder / "facts", 4)
    return folder


@pytest.fixture
def here(good, tmp_path, monkeypatch) -> Path:
    """A working folder of its own with copies of both, so that a test may break them."""
    shutil.copytree(good, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


RUN = ("run", "--model", "./model", "--factset", "facts:facts", "--output", "out", "--quiet")


def said(*words: str) -> str:
    """What a command that must fail says on standard error; asserts that it does so cleanly."""
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2, (done.exit_code, done.output, done.exception)
    assert isinstance(done.exception, SystemExit), done.exception
    assert "Traceback" not in done.output
    return done.stderr


def refuses(words: tuple[str, ...], *parts: str) -> None:
    """`words` fail with one line that holds all of `parts`, before anything is written."""
    line = said(*words)
    assert line.startswith("Error: ") and line.count("\n") == 1, line
    assert all(part in line for part in parts), line
    assert not Path("out").exists() and not Path("runs").exists()


def changed(name: str, value: str) -> tuple[str, ...]:
    """The good command with one option changed or added."""
    words = list(RUN)
    if name in words:
        words[words.index(name) + 1] = value
        return tuple(words)
    return (*words, name, value)


def test_the_good_command_is_good(here):
    """The command that the others spoil does run."""
    done = CliRunner().invoke(main, RUN, catch_exceptions=False)
    assert done.exit_code == 0 and Path("out/kassner2021.json").exists()


@pytest.mark.parametrize(
    ("name", "value", "parts"),
    [
        ("--langs", "it,xx", ["no language xx", "it ja"]),
        ("--relations", "P99", ["unknown relation 'P99'", "P36, P47"]),
        ("--protocol", "kassner", ["unknown protocol 'kassner'", "kassner2021", "zhao2024-full"]),
        ("--protocol", "kassner2021(tie=x)", ["unknown protocol part 'tie'", "ties=…"]),
        ("--protocol", "kassner2021(ties=x)", ["unknown ties 'x'", "expected", "optimistic"]),
        ("--factset", "lama:facts", ["unknown fact set 'lama'", "atlas", "mlama"]),
        ("--factset", "facts", ["needs a folder", "facts:DIR"]),
        ("--factset", "atlas:facts", ["takes no folder"]),
        ("--factset", "facts:nowhere", ["facts:nowhere", "no such folder"]),
        ("--factset", "facts:facts(gold=x)", ["unknown gold policy 'x'", "filtered"]),
        ("--factset", "facts:facts(golds=one)", ["unknown fact set parameter 'golds'", "gold"]),
        ("--factset", "mlama:model", ["no language in it"]),
        ("--templates", "none", ["unknown template set 'none'", "mpararel:DIR"]),
        ("--templates", "mpararel:nowhere", ["nowhere"]),
        ("--sample", "0", ["between 0 and 1"]),
        ("--sample", "2.5", ["between 0 and 1", "number of facts"]),
        ("--candidates", "1", ["2 or more"]),
        ("--model", "xlmrr", ["unknown model 'xlmrr'", "demo", "xlmr", "mbert", "./dir", "org/name"]),
        ("--model", "./nowhere", ["./nowhere", "no such folder"]),
        ("--model", "not/a/model", ["not/a/model"]),
        ("--model", "some/model", ["some/model", "hub"]),
        ("--dtype", "float8", ["unknown dtype 'float8'", "float16"]),
        ("--device", "cuda:9", ["cuda:9", "--device cpu"]),
        ("--device", "toaster", ["toaster", "--device cpu"]),
    ],
)
def test_options(here, name, value, parts):
    """A value that is not there is named, beside those that are."""
    refuses(changed(name, value), *parts)


def test_gold_is_a_choice(here):
    """click's own refusal lists the policies too."""
    assert all(name in said(*changed("--gold", "best")) for name in ("one", "any", "unique", "filtered"))


def test_folder_without_a_model(here):
    Path("empty").mkdir()
    refuses(changed("--model", "./empty"), "./empty", "no *.safetensors")


def test_model_without_a_masked_head(here):
    """A decoder cannot fill masks, and the line names a protocol that it can follow."""
    GPT2LMHeadModel(GPT2Config(vocab_size=200, n_embd=16, n_layer=1, n_head=2)).save_pretrained("gpt")
    tokenizer = wordpiece()
    tokenizer.save_pretrained("gpt")
    refuses(changed("--model", "./gpt"), "./gpt", "no bos or eos token")
    tokenizer.bos_token = "[CLS]"
    tokenizer.save_pretrained("gpt")
    words = [*changed("--model", "./gpt"), "--protocol", "kassner2021"]
    refuses(words, "kassner2021 needs a masked LM", "causal", "--protocol bear")


def test_model_saved_without_its_head(here):
    """An encoder alone is not given a head of random numbers."""
    BertModel(tiny_model("bert", wordpiece()).config).save_pretrained("encoder")
    wordpiece().save_pretrained("encoder")
    refuses(changed("--model", "./encoder"), "has no masked-LM head", "cls.predictions")


def test_pickled_weights(here):
    """Pickles are never opened, and the line says how to convert them."""
    weights = tiny_model("bert", wordpiece()).state_dict()
    Path("model/model.safetensors").unlink()
    torch.save(weights, "model/pytorch_model.bin")
    refuses(RUN, "pickled weights", "never opened", "save_pretrained")


@pytest.mark.parametrize(
    ("file", "text", "parts"),
    [
        ("config.json", "{", ["cannot be loaded"]),
        ("config.json", "{}", ["cannot be loaded"]),
        ("config.json", '{"model_type": "brandnew"}', ["cannot be loaded", "brandnew"]),
        ("tokenizer.json", "{", ["cannot be loaded"]),
        ("model.safetensors", "half", ["cannot be loaded"]),
    ],
)
def test_broken_model_files(here, file, text, parts):
    """A file of the model that is broken is one line, not the library's traceback."""
    Path("model", file).write_text(text)
    refuses(RUN, "./model", *parts)


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json"])
def test_missing_model_files(here, file):
    Path("model", file).unlink()
    refuses(RUN, "./model", "cannot be loaded")


def test_tokenizer_without_a_mask(here):
    wordpiece_without = wordpiece()
    wordpiece_without.mask_token = None
    wordpiece_without.save_pretrained("model")
    refuses(RUN, "tokenizer", "no mask token")


def test_tokenizer_larger_than_the_model(here):
    """Token ids that the model has no row for are found before the run, not in its midst."""
    wordpiece(words=[f"word{i}" for i in range(300)]).save_pretrained("model")
    refuses(RUN, "./model", "tokenizer")


def lists(words: tuple[str, ...], *places: str) -> None:
    """`words` fail with a list of rows, each of `places` among them, before anything is written."""
    text = said(*words)
    assert text.startswith("Error: ") and "--skip-bad" in text
    assert all(place in text for place in places), text
    assert text.count("\n") == len(places) + 1
    assert not Path("out").exists()


def test_template_without_its_slot(here):
    with open("facts/templates.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps({"relation": "P36", "lang": "it", "template": "[X] e basta"}) + "\n")
    lists(RUN, "templates.jsonl:5: template '[X] e basta' has no [Y]")


def test_broken_json_in_the_middle(here):
    """The line is named; with --skip-bad the rest is run, and the record counts what was left out."""
    lines = Path("facts/facts-it.jsonl").read_text().splitlines(keepends=True)
    Path("facts/facts-it.jsonl").write_text("".join([*lines[:2], lines[2][:30] + "\n", *lines[3:]]))
    lists(RUN, "facts-it.jsonl:3: ")
    done = CliRunner().invoke(main, [*RUN, "--skip-bad", "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["n_bad_rows"] == 1 and json.loads(done.stdout)["data"]["n"] == 15


def test_truncated_parquet(here):
    opened = FactSet.parse("facts:facts").open()
    export([(x, opened.table(x), opened.templates(x)) for x in opened.langs], "parquet", "parquet")
    path = Path("parquet/facts-it.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    lists(changed("--factset", "facts:parquet"), "facts-it.parquet: is no whole Parquet file")


@pytest.mark.parametrize(
    "words",
    [
        ("--no-leaks",),
        ("--parallel",),
        ("--one-token",),
        ("--sample", "0.0000001"),
    ],
)
def test_filters_that_leave_nothing(here, words):
    """A run without a single question is refused before it leaves a folder."""
    it = [fact("P36", "Lima e Roma", "Roma", object="Lima e")]
    ja = [fact("P36", "Tunis", "Tunis Tunis")]
    template = {"P36": "[X] la [Y]"}
    write_facts(here / "facts", {"it": it, "ja": ja}, {"it": template, "ja": template})
    langs = () if "--parallel" in words else ("--langs", "it")
    refuses((*RUN, *words, *langs), "no fact")


def test_languages_without_templates(here):
    path = Path("facts/templates.jsonl")
    path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if '"ja"' not in line))
    refuses((*RUN, "--langs", "it,ja"), "no templates in ja", "it has them in: it")


@pytest.mark.parametrize("command", [("score", "nowhere"), ("show", "nowhere"), ("score", "facts"), ("show", "facts")])
def test_no_run_there(here, command):
    line = said(*command)
    assert line.count("\n") == 1 and "probe run" in line
    assert not Path("nowhere").exists() and not Path("facts/.lock").exists()


def python(code: str) -> tuple[str, float]:
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout, time.monotonic() - began


HEAVY = ("torch", "transformers", "pyarrow", "pandas", "numpy", "scipy", "datasets", "tokenizers", "pydantic", "rich")


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["run", "--help"], ["score", "--help"], ["show", "--help"]]
)
def test_help_is_light(words):
    """Help loads none of the heavy packages, and so is there at once."""
    code = f"""
import sys
from probe.cli import main
try:
    main({words!r})
except SystemExit:
    print("LOADED", sorted(name for name in {HEAVY!r} if name in sys.modules))
"""
    shown, took = python(code)
    heavy = re.search(r"LOADED (.*)", shown).group(1)
    if words[0].startswith("-"):
        assert heavy == "[]"
    else:
        assert not {"torch", "transformers", "pandas", "scipy", "datasets"} & set(eval(heavy))
    assert took < 5

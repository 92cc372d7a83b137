"""What can be wrong with a comparison of variants: one line that says it, and nothing half-written."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from probe_fixtures import save_model, small_world, tiny_model, wordpiece

from data_builders.errors import FactrootsError
from fine_tuning.models import load
from probe.cli import main
from probe.variants.plan import models
from probe.variants.record import read_comparison
from tests.variant_fixtures import delta_variant, noise


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    bases = {
        name: str(save_model(folder / name, tiny_model("bert", words, seed=seed), words))
        for name, seed, words in (("base", 0, wordpiece()), ("other", 9, wordpiece()))
    }
    variants = {
        name: str(delta_variant(folder / f"of-{name}", base, noise(load(base).model)).folder)
        for name, base in bases.items()
    }
    return folder, bases, variants, small_world(folder / "facts")


def ask(world, tmp_path, **more) -> list[str]:
    _, bases, variants, facts = world
    given = {"base": bases["base"], "variants": variants["base"], "factset": facts, "output": tmp_path / "out"} | more
    return [word for key, value in given.items() if value is not None for word in (f"--{key}", str(value))]


def refused(words) -> str:
    done = CliRunner().invoke(main, ["compare-variants", *words, "--quiet"])
    assert done.exit_code == 2, done.output
    assert len(done.output.strip().splitlines()) == 1, done.output
    return done.output


def test_a_variant_of_another_base(world, tmp_path):
    """Told with both hashes before anything is run, though the base itself could have been."""
    _, bases, variants, _ = world
    said = refused(ask(world, tmp_path, variants=f"{variants['base']},{variants['other']}"))
    assert "was made for" in said and said.count("SHA-256") == 1 and bases["other"] in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"langs": "it,xx"}, "has no language xx; it has: it ja"),
        ({"variants": None}, "say which variants to compare, as --variants"),
        ({"variants": "nowhere"}, "is no variant (it has no variant.json); make one with `probe tune`"),
        ({"variants": "x*much"}, "perhaps times a number"),
        ({"base": "nobody"}, "unknown model 'nobody'"),
        ({"factset": "facts:nowhere"}, "nowhere"),
        ({"protocol": "vibes"}, "unknown protocol 'vibes'"),
        ({"relations": "P99"}, "unknown relation 'P99'"),
        ({"roots": "nowhere"}, "nowhere"),
        ({"roots": "planted", "neurons": "magic"}, "unknown method for neurons 'magic'"),
        ({"taught": "nowhere"}, "is no variant"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(world, tmp_path, change, message):
    assert message in refused(ask(world, tmp_path, **change))
    assert not (tmp_path / "out").exists()


def test_a_variant_named_twice(world, tmp_path):
    own = world[2]["base"]
    assert "is named twice in --variants" in refused(ask(world, tmp_path, variants=f"{own}, {own}*1"))


def test_folders_of_one_name_are_told_apart(world, tmp_path):
    delta_variant(tmp_path / "a" / "it", world[1]["base"], {})
    named = models("demo", [f"{tmp_path}/a/it", f"{tmp_path}/b/it", f"{tmp_path}/a/it*0.5", f"-{tmp_path}/c"])
    assert [one.name for one in named] == ["demo", f"{tmp_path}/a/it", f"{tmp_path}/b/it", "it*0.5", "-c"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("base: [", "is not readable YAML"),
        ("", "holds no keys; write one a line, as 'base: demo'"),
        ("- demo", "holds no keys"),
        ("bases: demo", "unknown key 'bases'; there are: base, candidates,"),
        ("langs: [it, no]", "langs takes names, got False; put a name like no or 12 in quotes"),
        ("variants: {a: b}", "variants takes names, got {'a': 'b'}"),
        ("base: [demo]", "base takes one value, got ['demo']"),
        ("parallel: sure", "parallel takes true or false, got 'sure'"),
        ("protocol: yes", "protocol takes one value, got True"),
        ("base: !!python/object/apply:os.system ['true']", "is not readable YAML"),
    ],
)
def test_bad_yaml(tmp_path, text, message):
    path = tmp_path / "comparison.yaml"
    path.write_text(text, encoding="utf-8")
    said = refused([str(path)])
    assert message in said and str(path) in said


def test_a_yaml_file_that_is_not_there(tmp_path):
    assert "cannot be read" in refused([str(tmp_path / "none.yaml")])


def test_a_folder_of_something_else_or_of_another_comparison(world, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("mine")
    assert "is not empty and holds no comparison; choose another --output" in refused(ask(world, tmp_path))
    assert [p.name for p in out.iterdir() if p.name[0] != "."] == ["thesis.tex"]
    (out / "thesis.tex").unlink()
    (out / "asked.json").write_text(json.dumps({"base": "demo", "variants": ["demo+x"]}))
    said = refused(ask(world, tmp_path))
    assert "holds another comparison (its base, data, facts, gold, protocol differ); choose another --output" in said
    assert not (out / "runs").exists()


def test_a_record_that_is_none(tmp_path):
    path = tmp_path / "comparison.json"
    for text, message in (
        (None, "no such comparison"),
        ("{", "is not readable JSON"),
        ("{}", "signature: Field required"),
    ):
        if text:
            path.write_text(text)
        with pytest.raises(FactrootsError, match=message):
            read_comparison(path)

"""Mistakes with variants: each is one line that names what is wrong and what to do, and nothing half made is left."""

import re

import pytest
from click.testing import CliRunner

from data_builders.errors import FactrootsError
from fine_tuning.commands.arithmetic import arithmetic, compose, merge
from fine_tuning.commands.exchange import export, import_
from fine_tuning.commands.manage import diff, list_, show
from fine_tuning.models import load
from fine_tuning.variants.folder import write_variant
from fine_tuning.variants.names import embeddings_name
from tests.probe_fixtures import WORDS, save_model, small_world, tiny_model, wordpiece
from tests.variant_fixtures import delta_variant, noise, tiny_base

COMMANDS = {"list": list_, "show": show, "diff": diff, "export": export, "import": import_} | {
    "arithmetic": arithmetic,
    "compose": compose,
    "merge": merge,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Variants a and b of base, o of other, an adapter with layers, and models that are not like base."""
    folder = tmp_path_factory.mktemp("world")
    base, other = tiny_base(folder / "base"), tiny_base(folder / "other", seed=7)
    loaded = load(base)
    for n, name in enumerate("ab"):
        made = delta_variant(folder / name, base, noise(loaded.model, n))
    delta_variant(folder / "o", other, noise(loaded.model, 3))
    delta_variant(folder / "bad", base, {embeddings_name(loaded.model): noise(loaded.model)["cls.predictions.bias"]})
    about = made.about.model_dump(exclude={"files", "kind", "schema_version"})
    write_variant(
        folder / "layers", lambda part: (part / "adapter.safetensors").write_bytes(b""), kind="bottleneck", **about
    )
    tiny_base(folder / "roberta", "xlm-roberta")
    tiny_base(folder / "wide", intermediate_size=64)
    more = wordpiece([*WORDS[::-1]])
    save_model(folder / "words", tiny_model("bert", more, seed=3), more)
    small_world(folder / "facts")
    (folder / "empty").mkdir()
    return folder


FAULTS = {
    "arithmetic base + nothing-here --output new": r"'.*nothing-here' is neither a variant's folder nor a model",
    "arithmetic base + a + o --output new": r"o was made for .*SHA-256 \w{64}; those of .* have \w{64}; "
    r"name the model that it was made for",
    "arithmetic base + layers --output new": r"layers is a bottleneck variant: .*compose --stack",
    "arithmetic base + bad + a --output new": r"word_embeddings.weight has shapes .* and .*; they cannot be added",
    "arithmetic roberta - base --output new": r"roberta is a xlm-roberta and .*base a bert; only like models",
    "arithmetic wide - base --output new": r"wide - .*base: .* has shape \[64, 16\] in one model and \[32, 16\]",
    "arithmetic words - base --output new": r"the vocabulary of .*words has SHA-256 \w{64} and that of .*base \w{64}",
    "arithmetic base + other --output new": r"add up to 2 models; they must to 1, as in .*, or to 0",
    "arithmetic a - base --output new": r"add up to -1 models",
    "arithmetic 3*base - other - wide - words --output new": r"subtracts several models; .*--model",
    "arithmetic base + * a --output new": r"at character \d+: expected a variant",
    "arithmetic base + a --output b": r"b is there already; remove it, or choose another --output",
    "arithmetic base + a --merge tees --output new": r"unknown way to merge 'tees'; there are: dare, dare-ties",
    "arithmetic base + a --merge ties(density=2) --output new": r"density must be above 0 and at most 1, got 2",
    "arithmetic base + a --merge ties(x=2) --output new": r"unknown parameter of ties 'x'",
    "arithmetic base + a --merge sum(density=0.5) --output new": r"sum keeps all entries; leave density out",
    "arithmetic base + a --merge dare(seed=x) --output new": r"dare: seed takes one value",
    "compose a o --output new": r"o was made for .*\w{64}; those of .* have \w{64}",
    "compose a o --stack --output new": r"\w{64}, and .*o for .*\w{64}; name variants of one model",
    "compose a*x --output new": r"expected a folder, perhaps times a number",
    "merge a b --weights 1 --output new": r"--weights 1: 1 numbers for 2 variants",
    "merge a b --weights 1,x --output new": r"--weights 1,x: expected numbers",
    "diff a o": r"\w{64}, and .*o for .*\w{64}; name variants of one model",
    "diff a layers": r"layers is a bottleneck variant",
    "show empty": r"empty is no variant",
    "list nowhere": r"nowhere is no folder",
    "export layers new": r"adds layers, which a plain checkpoint has no room for; export it with --to adapterhub",
    "export a new --to peft": r"a is a delta variant and no peft adapter; choose another --to",
    "export a*2 new --to peft": r"leave the scale of .* out",
    "export a base": r"base is there already",
    "import peft empty --model base --output new": r"empty is no peft adapter: it has no adapter_config.json",
}


@pytest.mark.parametrize("line", FAULTS)
def test_each_mistake_is_one_line(line, folder, monkeypatch):
    monkeypatch.chdir(folder)
    before = sorted(p.name for p in folder.iterdir())
    name, *args = line.split(" ")
    if name == "arithmetic":
        at = next(i for i, arg in enumerate(args) if arg.startswith("--"))
        args = [" ".join(_named(args[:at])), *args[at:]]
    elif "--model" in args:
        args[args.index("--model") + 1] = "./base"
    result = CliRunner().invoke(COMMANDS[name], args)
    assert isinstance(result.exception, FactrootsError), result.output
    assert re.search(FAULTS[line], str(result.exception)), str(result.exception)
    assert "\n" not in str(result.exception)
    assert sorted(p.name for p in folder.iterdir()) == before


def _named(words):
    """Names of folders as the user would write them."""
    return [f"./{w}" if w.isalpha() else w.replace("*base", "*./base") for w in words]


def test_what_is_not_asked_rightly_is_a_usage_error(folder):
    for command, args in (
        (arithmetic, ["x", "--search", "--output", "new"]),
        (arithmetic, ["x"]),
        (compose, ["x"]),
        (import_, ["other", "x", "--model", "demo", "--output", "new"]),
    ):
        assert CliRunner().invoke(command, args).exit_code == 2

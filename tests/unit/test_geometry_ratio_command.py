"""``probe geometry ratio`` from end to end, and what it says to mistakes."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from neuron_fixtures import tiny
from probe_fixtures import save_model, small_world

from data_builders.errors import FactrootsError
from probe.commands.geometry.fit import fit
from probe.commands.geometry.ratio import ratio
from probe.geometry.conditions import DEFAULT
from probe.geometry.ratio_record import Ratios
from probe.geometry.ratio_report import _digits

WORDS = {
    "it": ["Roma", "Italia", "Par", "capital", "is", "the", "of", "la"],
    "ja": ["東京", "本", "日", "都", "首", "都は", "です。", "京"],
}


def text(folder, lines: int = 400) -> str:
    """Lines that are all different, in two languages."""
    folder.mkdir()
    for lang, words in WORDS.items():
        made = (" ".join(words[(i >> 3 * k) % 8] for k in range(4)) + f" {words[i % 7]}" for i in range(lines))
        (folder / f"{lang}.txt").write_text("\n".join(made), encoding="utf-8")
    return str(folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A model's folder, fits, and a fact set."""
    folder = tmp_path_factory.mktemp("ratio")
    one = tiny("bert")
    model = save_model(folder / "model", one.model, one.tokenizer)
    options = ["--sequences", "6", "--test", "6", "--length", "16", "--output", str(folder / "fits"), "--quiet"]
    run(fit, "--model", str(model), "--text", text(folder / "text"), *options)
    return folder, str(folder / "fits"), small_world(folder / "facts")


def run(command, *words: str):
    result = CliRunner().invoke(command, [*words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def files(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in {".json", ".parquet"}
    }


def test_a_table_a_record_and_a_parquet_file(made, tmp_path):
    _, fits, facts = made
    words = ["--fits", fits, "--facts", facts, "--sample", "0.5", "--output", str(tmp_path / "out"), "--quiet"]
    shown = run(ratio, *words)
    for said in (*DEFAULT, "mlm perplexity", "B's text itself", "P@1 of facts", "control of own", "model:"):
        assert said in shown
    record = Ratios.model_validate_json((tmp_path / "out" / "ratio.json").read_text())
    assert record.langs == ["it", "ja"]
    assert record.layers == [0, 1, 2]
    assert all(
        row.ratio.value == row.ratio.low == row.ratio.high == 1 for row in record.ratios if row.condition == "full"
    )
    assert len(record.ratios) == 2 * 3 * len(DEFAULT)
    assert {row.condition for row in record.facts.rows} == {"own", "other", "shift", "random"}
    assert {row.layer for row in record.facts.rows} == {1, 2}
    table = pq.read_table(tmp_path / "out" / "ratio.parquet").to_pylist()
    assert [row["ratio"] for row in table] == [row.ratio.value for row in record.ratios]
    before = files(tmp_path / "out")
    assert json.loads(run(ratio, *words, "--json")) == json.loads((tmp_path / "out" / "ratio.json").read_text())
    assert files(tmp_path / "out") == before


def test_its_own_folder_lies_in_that_of_the_fits(made):
    folder, fits, _ = made
    few = ["--fits", fits, "--conditions", "own", "--layers", "1", "--quiet"]
    run(ratio, *few)
    run(ratio, *few, "--seed", "1")
    assert len([*(folder / "fits").glob("ratio-*/ratio.json")]) == 2


def test_special_tokens_are_moved_where_the_fits_count_them(made, tmp_path):
    folder, fits, _ = made
    few = ["--conditions", "shift", "--layers", "1", "--json", "--quiet"]
    without = ["--model", str(folder / "model"), "--text", str(folder / "text"), "--sequences", "6", "--test", "6"]
    run(fit, *without, "--length", "16", "--no-specials", "--output", str(tmp_path / "fits"), "--quiet")
    for where, usual in ((fits, "moved"), (str(tmp_path / "fits"), "kept")):
        told = {
            name: Ratios.model_validate_json(run(ratio, "--fits", where, *few, *option))
            for name, option in (("", []), ("moved", ["--specials"]), ("kept", ["--no-specials"]))
        }
        assert told[""] == told[usual]
        assert told["moved"].means != told["kept"].means
        for name in ("moved", "kept"):
            assert f"|specials:{name}|" in told[name].signature


def test_conditions_and_layers_that_are_named_are_those_of_facts_too(made, tmp_path):
    _, fits, facts = made
    words = ["--conditions", "shift(ja),centre", "--layers", "2", "--langs", "it", "--measure", "pseudo(share=0.1)"]
    shown = run(ratio, "--fits", fits, *words, "--facts", facts, "--output", str(tmp_path), "--json", "--quiet")
    record = Ratios.model_validate_json(shown)
    assert [(row.lang, row.condition, row.other, row.layer) for row in record.facts.rows] == [
        ("it", "shift", "ja", 2),
        ("it", "centre", None, 2),
    ]
    assert {(row.condition, row.layer) for row in record.ratios} == {("shift", 2), ("centre", 2)}
    assert record.measure == "pseudo(share=0.1)"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--langs", "it,fr"], "there is no fr for --langs; there are: it, ja"),
        (["--others", "fr"], "there is no fr for --others; there are: it, ja"),
        (["--layers", "3"], "there is no 3 for --layers; there are: 0, 1, 2"),
        (["--conditions", "twist"], "unknown condition 'twist'"),
        (["--measure", "causal"], "causal perplexity is of causal LMs, and .* choose --measure mlm or pseudo"),
        (["--measure", "bleu"], "unknown measure 'bleu'"),
        (["--variance", "1.5"], "--variance takes a share above 0"),
        (["--langs", "it", "--others", "it"], "condition other needs a language beside it"),
        (["--facts", "wikidata:x"], "unknown"),
    ],
)
def test_mistakes(made, words, said):
    with pytest.raises(FactrootsError, match=said):
        run(ratio, "--fits", made[1], *words, "--quiet")


def test_fits_of_another_model(made, tmp_path):
    one = tiny("bert", seed=1)
    model = save_model(tmp_path / "model", one.model, one.tokenizer)
    with pytest.raises(FactrootsError, match="SHA-256"):
        run(ratio, "--fits", made[1], "--model", str(model), "--quiet")


def test_no_fits(tmp_path):
    with pytest.raises(FactrootsError, match="holds no fits"):
        run(ratio, "--fits", str(tmp_path), "--quiet")


def test_ratios_keep_their_digits_however_large_or_small():
    values = (7.1e10, 53291.4, 253.7, 18.62, 2.516, 1.0, 0.297, 0.0301, 3.5e-11)
    assert [*map(_digits, values)] == ["7.1e+10", "53,291", "254", "18.6", "2.52", "1.00", "0.30", "0.030", "3.5e-11"]

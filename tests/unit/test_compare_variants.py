"""`probe compare-variants` on tiny models: every number by plain loops, and what it must be where that is known."""

from __future__ import annotations

import json
import re
from collections import Counter
from html.parser import HTMLParser
from statistics import mean

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from probe_fixtures import save_model, small_world, tiny_model, wordpiece
from scipy.stats import binom, binomtest

from data_builders.factset import FactSet
from fine_tuning.models import load
from fine_tuning.training.facts import fact_examples, sides
from fine_tuning.variants.delta import scaled
from leaderboard.comparison import compare
from probe.cli import main
from probe.protocols import Protocol
from probe.scores import score
from probe.store import Store
from probe.variants.comparing import effects, rows
from probe.variants.record import read_comparison
from probe.variants.roots import moved, moves
from probe.variants.split import PARTS, Split, parts
from probe.variants.transitions import KINDS, TRANSITIONS, change, mcnemar
from tests.variant_fixtures import delta_variant, noise

KASSNER = Protocol.parse("kassner2021")


def invoke(*words):
    return CliRunner().invoke(main, ["compare-variants", *map(str, words)], catch_exceptions=False)


def call(*words) -> str:
    done = invoke(*words, "--quiet")
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A base with two languages' facts, and three variants: nothing, noise, and noise that says it was taught facts."""
    folder = tmp_path_factory.mktemp("variants")
    base = str(save_model(folder / "base", tiny_model("bert", wordpiece(), seed=2), wordpiece()))
    facts = small_world(folder / "facts", subjects=30)
    spec = f"{facts}(langs=it,relations=P36)"
    data = FactSet.parse(spec).open()
    taught = fact_examples(data, load(base), share=0.5).about
    small = noise(load(base).model)
    delta_variant(folder / "zero", base, {}, trained=77)
    delta_variant(folder / "noise", base, scaled(small, 3), timing={"seconds": 7.5, "peak_mb": 12.5}, lang="it")
    delta_variant(folder / "taught", base, scaled(small, 8), data=taught)
    return folder, base, facts


def ask(world, output, *more, variants=("zero", "noise", "taught", "taught*0.5+noise")):
    folder, base, facts = world
    spelled = ",".join("+".join(f"{folder}/{part}" for part in one.split("+")) for one in variants)
    return [*more, "--base", base, "--variants", spelled, "--factset", facts, "--output", output]


@pytest.fixture(scope="module")
def made(world):
    folder = world[0] / "out"
    printed = call(*ask(world, folder, "--json"))
    assert json.loads(printed) == json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    return folder, read_comparison(folder / "comparison.json")


def table(folder, name="transitions") -> list[dict]:
    return pq.read_table(folder / f"{name}.parquet").to_pylist()


def of(record, variant, facts="all", lang=None, relation=None):
    found = [r for r in record.rows if (r.variant, r.facts, r.lang, r.relation) == (variant, facts, lang, relation)]
    assert len(found) == 1
    return found[0]


def runs(folder) -> dict[str, Store]:
    """Every model's run by the name that the record gives it."""
    stores = [Store(path.parent) for path in folder.glob("runs/*/run.json")]
    return {store.read()["model"]["name"]: store for store in stores}


def test_every_row_against_plain_loops(made):
    folder, record = made
    facts = table(folder)
    assert pq.read_schema(folder / "transitions.parquet").equals(TRANSITIONS)
    names = ["zero", "noise", "taught", "taught*0.5+noise"]
    assert [one.name for one in record.variants] == names and len(facts) == 4 * 2 * 2 * 30
    assert Counter(row["change"] for row in facts if row["variant"] == "noise").keys() == set(KINDS)
    for row in record.rows:
        own = [
            f for f in facts
            if f["variant"] == row.variant and row.facts in ("all", f["taught"])
            and row.lang in (None, f["lang"]) and row.relation in (None, f["relation"])
        ]  # fmt: skip
        assert row.n == len(own) > 0
        cells = {(f["lang"], f["relation"]) for f in own}

        def macro(value, own=own, cells=cells):
            means = {cell: mean(value(f) for f in own if (f["lang"], f["relation"]) == cell) for cell in cells}
            langs = {lang for lang, _ in cells}
            return mean(mean(v for (of_lang, _), v in means.items() if of_lang == lang) for lang in langs)

        assert row.before.value == pytest.approx(macro(lambda f: f["before"]), abs=1e-12)
        assert row.after.value == pytest.approx(macro(lambda f: f["after"]), abs=1e-12)
        assert row.difference.value == pytest.approx(macro(lambda f: f["after"] - f["before"]), abs=1e-12)
        for side in (row.before, row.after, row.difference):
            assert side.low <= side.value <= side.high
        knew = [(f["before"] >= 0.5, f["after"] >= 0.5) for f in own]
        assert [row.kept, row.gained, row.lost, row.wrong] == [
            knew.count(pair) for pair in ((True, True), (False, True), (True, False), (False, False))
        ]
        if row.gained + row.lost:
            expected = binomtest(min(row.gained, row.lost), row.gained + row.lost).pvalue
            assert row.mcnemar == pytest.approx(expected, rel=1e-9)
        else:
            assert row.mcnemar == 1


def test_p_values_are_corrected_for_their_own_kind_of_rows(made):
    _, record = made
    families = {}
    for row in record.rows:
        families.setdefault((row.facts, row.lang is None, row.relation is None), []).append(row)
    assert len(families) == 3 * (1 + len({row.facts for row in record.rows} - {"all"}))
    for own in families.values():
        ordered, least = sorted(own, key=lambda row: row.p), 0.0
        for place, row in enumerate(ordered):
            least = max(least, min(1.0, (len(ordered) - place) * row.p))
            assert row.p_holm == pytest.approx(least)


def test_scores_are_those_of_probe_score_and_differences_those_of_probe_compare(made):
    folder, record = made
    stores = runs(folder)
    assert set(stores) == {"base", "base+zero", "base+noise", "base+taught", "base+taught*0.5+noise"}
    for one in record.variants:
        after = stores[f"base+{one.name}"]
        for side, store in (("before", stores["base"]), ("after", after)):
            result = score(store, KASSNER)
            whole = getattr(of(record, one.name), side)
            assert (whole.value, whole.low, whole.high) == (result.value, result.ci.low, result.ci.high)
            for language in result.languages:
                own = getattr(of(record, one.name, lang=language.lang), side)
                assert (own.value, own.low, own.high) == (
                    language.all.value, language.all.ci.low, language.all.ci.high
                )  # fmt: skip
        for difference in compare(after, stores["base"], KASSNER):
            row = of(record, one.name, lang=difference.lang)
            assert (row.difference.value, row.difference.low, row.difference.high, row.p) == (
                difference.difference, difference.low, difference.high, difference.p
            )  # fmt: skip


def test_a_variant_that_changes_nothing_gains_and_loses_nothing(made):
    _, record = made
    own = [row for row in record.rows if row.variant == "zero"]
    assert {(row.lang, row.relation) for row in own} >= {(None, None), ("it", None), ("ja", "P47")}
    for row in own:
        assert (row.difference.value, row.difference.low, row.difference.high) == (0, 0, 0)
        assert row.gained == row.lost == 0 and row.p == row.p_holm == row.mcnemar == 1
        assert row.before == row.after


def test_taught_facts_are_told_from_held_out_ones(made, world):
    """By language too; a composition has the split of its part, and a variant without one has none."""
    folder, record = made
    data = FactSet.parse(f"{world[2]}(langs=it,relations=P36)").open()
    taught, held = sides(data, 0.5, 0)
    assert 5 < len(taught) < 25 and len(taught) + len(held) == 30
    expected = {("taught", "it"): taught, ("held out", "it"): held}
    expected |= {("taught elsewhere", "ja"): taught, ("held out elsewhere", "ja"): held}
    for name in ("taught", "taught*0.5+noise"):
        found = {}
        for row in table(folder):
            if row["variant"] == name:
                found.setdefault((row["taught"], row["lang"]), set()).add(row["fact"])
        others = {f"P47-{i}" for i in range(30)}
        assert found == expected | {("other", lang): others for lang in ("it", "ja")}
    assert {row["taught"] for row in table(folder) if row["variant"] in ("zero", "noise")} == {None}
    (one,) = [one for one in record.variants if one.name == "taught"]
    assert (one.split.taught, one.split.held, one.split.langs) == (len(taught), len(held), ["it"])
    assert [(row.variant, row.asked) for row in record.effects] == [
        (name, asked) for name in ("taught", "taught*0.5+noise") for asked in ("taught", "taught elsewhere")
    ]
    for effect in record.effects:
        gains = {True: [], False: []}
        for row in table(folder):
            lang = "it" if effect.asked == "taught" else "ja"
            if (row["variant"], row["lang"], row["relation"]) == (effect.variant, lang, "P36"):
                gains[row["fact"] in taught].append(row["after"] - row["before"])
        assert effect.effect.value == pytest.approx(mean(gains[True]) - mean(gains[False]), abs=1e-12)
        assert (effect.taught, effect.held) == (len(gains[True]), len(gains[False]))


def test_what_a_variant_cost(made, world):
    _, record = made
    zero, some, _, both = (one.cost for one in record.variants)
    assert (zero.trained, zero.stored, zero.density, zero.seconds, zero.peak_mb) == (77, 0, 0.0, None, None)
    assert (some.seconds, some.peak_mb) == (7.5, 12.5) and 0.9 < some.density <= 1
    assert some.bytes == (world[0] / "noise" / "delta.safetensors").stat().st_size
    assert (both.trained, both.stored, both.bytes) == tuple(2 * one for one in (some.trained, some.stored, some.bytes))
    assert both.seconds is both.peak_mb is None  # of one part it is not known
    assert [(part.folder, part.scale) for part in record.variants[3].parts] == [("taught", 0.5), ("noise", 1.0)]


def test_tables_pictures_and_page(made):
    folder, record = made
    flat = table(folder, "comparison")
    assert len(flat) == len(record.rows)
    for row, own in zip(flat, record.rows, strict=True):
        assert (row["variant"], row["lang"], row["gained"]) == (own.variant, own.lang, own.gained)
        assert (row["difference"], row["difference_low"]) == (own.difference.value, own.difference.low)
    page = (folder / "comparison.html").read_text(encoding="utf-8")
    HTMLParser().feed(page)
    assert page.count("data:image/png;base64,") == 4 and "http" not in page
    assert {path.stem for path in folder.glob("*.png")} == {"p1", "changes", "taught", "costs"}
    words = re.sub(r'src="data:[^"]*"', "", page)
    assert len(words) < len(page) / 2 and not re.search(r"\b(nan|inf|None)\b", words) and str(folder) not in words


def test_again_with_another_variant_less_and_the_same_bytes(made, world, tmp_path, monkeypatch):
    """Finished runs are not asked again, whatever else is compared beside them."""
    folder, _ = made
    names = [p.name for p in folder.iterdir() if p.is_file() and p.name[0] != "."]
    before = {name: (folder / name).read_bytes() for name in names}

    def fail(*_):
        raise AssertionError("asked again")

    monkeypatch.setattr("probe.scoring.masked.MaskedScorer.score", fail)
    few = json.loads(call(*ask(world, folder, "--json", variants=("noise",))))
    assert [one["name"] for one in few["variants"]] == ["noise"]
    out = call(*ask(world, folder))
    assert {name: (folder / name).read_bytes() for name in names} == before
    lines = [line for line in out.splitlines() if "facts:" not in line and "kept in" not in line]
    assert max(map(len, lines)) <= 100 and "teaching a fact added" in out and "in other languages" in out


def test_an_interrupted_comparison_goes_on_to_the_same_bytes(made, world, tmp_path):
    from probe.scoring.masked import MaskedScorer

    plain, asked = MaskedScorer.score, []

    def stop(self, *args):
        asked.append(1)
        if len(asked) == 5:
            raise KeyboardInterrupt
        return plain(self, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MaskedScorer, "score", stop)
        done = CliRunner().invoke(main, ["compare-variants", *map(str, ask(world, tmp_path / "out", "--quiet"))])
    assert done.exit_code == 130 and not (tmp_path / "out" / "comparison.json").exists()
    call(*ask(world, tmp_path / "out"))
    for path in sorted(made[0].rglob("*")):
        if path.is_file() and path.name not in (".lock",):
            assert path.read_bytes() == (tmp_path / "out" / path.relative_to(made[0])).read_bytes(), path


def test_a_yaml_file_says_the_same_and_the_command_line_goes_before(made, world, tmp_path):
    folder, base, facts = world
    file = tmp_path / "comparison.yaml"
    file.write_text(
        f"base: {base}\nvariants:\n  - {folder}/zero\n  - {folder}/noise\nfactset: {facts}\nlangs: [it, ja]\n"
        f"one-token: true\noutput: {tmp_path / 'out'}\n",
        encoding="utf-8",
    )
    record = json.loads(call(file, "--json", "--langs", "it"))
    assert record["langs"] == ["it"] and [one["name"] for one in record["variants"]] == ["zero", "noise"]
    assert "one_token" in record["facts"]
    words = ["--base", base, "--variants", f"{folder}/zero,{folder}/noise", "--factset", facts, "--langs", "it"]
    again = json.loads(call(*words, "--one-token", "--json", "--output", tmp_path / "two"))
    assert again == record


def test_one_split_for_all(world, tmp_path):
    folder = world[0]
    words = ask(world, tmp_path / "out", "--taught", folder / "taught", "--json", variants=("noise",))
    record = json.loads(call(*words))
    assert {row["facts"] for row in record["rows"]} == {"all", *PARTS}
    done = invoke(*ask(world, tmp_path / "x", "--taught", folder / "noise", "--quiet", variants=("zero",)))
    assert done.exit_code == 2 and "was taught no facts" in done.output


def test_with_several_right_objects_a_subject_is_one_item(world, tmp_path):
    record = json.loads(call(*ask(world, tmp_path / "out", "--gold", "any", "--json", variants=("taught",))))
    assert {row["facts"] for row in record["rows"]} == {"all", *PARTS} and record["gold"] == "any"
    assert {row["fact"].partition("|")[0] for row in table(tmp_path / "out")} == {"P36", "P47"}


# Numbers without models


def test_kinds_of_change_against_a_loop():
    before, after = np.array([1, 1, 0, 0, 0.5, 0.49]), np.array([1, 0.25, 1, 0, 0.5, 0.5])
    assert change(before, after).tolist() == ["kept", "lost", "gained", "wrong", "kept", "gained"]


@pytest.mark.parametrize("pair", [(0, 0), (3, 3), (0, 7), (9, 2), (150, 101), (4000, 3800)])
def test_mcnemar_against_scipy(pair):
    gained, lost = pair
    expected = binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert mcnemar(gained, lost) == pytest.approx(expected, rel=1e-9)
    assert mcnemar(gained, lost) == mcnemar(lost, gained)


def test_mcnemar_where_nothing_happens_is_rarely_small():
    """Over all outcomes of 30 changes that go either way, p is at most .05 with a probability of at most .05."""
    found = sum(binom.pmf(k, 30, 0.5) for k in range(31) if mcnemar(k, 30 - k) <= 0.05)
    assert 0.01 < found <= 0.05


def frame(draw, taught_gain: float) -> pd.DataFrame:
    """100 subjects in two languages, half of them taught; the taught ones become right by `taught_gain` more often."""
    made = []
    for i in range(100):
        for lang in ("it", "ja"):
            side = ("taught", "held out")[i % 2] + ("" if lang == "it" else " elsewhere")
            before = float(draw.random() < 0.3)
            after = max(before, float(draw.random() < (0.2 + taught_gain * (i % 2 == 0))))
            made.append((f"f{i}", lang, "P1", f"S{i}", "v", before, after, change([before], [after])[0], side))
    return pd.DataFrame(made, columns=TRANSITIONS.names)


def test_teaching_that_adds_nothing_is_rarely_called_an_effect():
    draw = np.random.default_rng(0)
    null = [one.p for _ in range(40) for one in effects([frame(draw, 0.0)], "macro")]
    real = [one.p for _ in range(5) for one in effects([frame(draw, 0.6)], "macro")]
    assert len(null) == 80 and np.mean(np.array(null) <= 0.05) < 0.1 and 0.35 < np.mean(null) < 0.7
    assert max(real) < 0.05


def test_rows_of_parts_are_of_their_facts_alone():
    own = frame(np.random.default_rng(1), 0.5)
    found = {(row.facts, row.lang): row for row in rows([own], ["it", "ja"], "micro") if row.relation is None}
    assert set(found) == {("all", None), ("all", "it"), ("all", "ja")} | {
        (part, lang) for part in PARTS[:4] for lang in (None, "ja" if "elsewhere" in part else "it")
    }
    for (part, lang), row in found.items():
        some = own[((own["taught"] == part) | (part == "all")) & ((own["lang"] == lang) | (lang is None))]
        assert row.n == len(some) and row.after.value == pytest.approx(some["after"].mean())


def test_parts_against_a_loop():
    split = Split(frozenset("ab"), frozenset("cd"), ("it", "en"))
    asked = pd.DataFrame([(f, lang) for f in "abcde" for lang in ("it", "ja")], columns=["fact", "lang"])
    expected = ["taught", "taught elsewhere"] * 2 + ["held out", "held out elsewhere"] * 2 + ["other"] * 2
    assert parts(asked, split).tolist() == expected
    assert parts(asked, None).tolist() == [None] * 10


def test_roots_that_moved():
    key = {"lang": "it", "relation": "P36"}
    sides_ = [
        pd.DataFrame([
            {**key, "fact": f, "subject_uri": f, "root": root, "source": "en" if root == "transferred" else None}
            for f, root in zip("abcde", own, strict=True)
        ])
        for own in (("shared", "shared", "wrong", "wrong", "transferred"),
                    ("transferred", "shared", "transferred", "wrong", "unscored"))
    ]  # fmt: skip
    both = moves("v", *sides_)
    assert both["fact"].tolist() == list("abce")
    assert both["source_after"].fillna("").tolist() == ["en", "", "en", ""]
    assert {(m.before, m.after): m.n for m in moved([both])} == {
        ("shared", "transferred"): 1, ("shared", "shared"): 1, ("wrong", "transferred"): 1,
        ("transferred", "unscored"): 1,
    }  # fmt: skip
    assert {m.before == m.after for m in moved([moves("v", sides_[0], sides_[0])])} == {True}

"""`probe consistency` on runs whose numbers are known beforehand: equal languages, random ones, and none to compare."""

from __future__ import annotations

import hashlib
import json
import math

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from probe_fixtures import fact, loaded, probed, rigged, small_world, tiny_model, wordpiece, write_facts

from data_builders.errors import FactrootsError
from probe.cli import main
from probe.portrait import portrait
from probe.profile import asked_again, paraphrased
from probe.protocols import Protocol
from probe.ranked import Ranked

KASSNER = Protocol.parse("kassner2021")


def noise(*key: str) -> float:
    """A number between -8 and 0 that goes with its key and nothing else."""
    return -int.from_bytes(hashlib.sha256("|".join(key).encode()).digest()[:4]) / 2**29


def spelled(number: int) -> str:
    return "".join("abcdefghil"[int(digit)] for digit in f"{number:03}")


def world(folder, langs=("it", "ja"), subjects: int = 40, objects: int = 4, namesakes: bool = False) -> str:
    """One relation, the same facts in each language; objects are called by their language and number."""
    rows = {
        lang: [
            fact(
                "P36",
                f"{lang}{spelled(i)}",
                f"{lang}{'ABCDEFGIJL'[0 if namesakes else i % objects]}",
                subject_uri=f"S{i}",
                object_uri=f"O{i % objects}",
                fact=f"f{i}",
            )
            for i in range(subjects)
        ]
        for lang in langs
    }
    return write_facts(folder, rows, {lang: {"P36": "[X] is [Y]."} for lang in langs})


def test_equal_languages(tmp_path):
    """Identity: what is scored alike is consistent in every sense, and nothing is left to test."""
    store = rigged(tmp_path / "run", world(tmp_path / "facts"), lambda r, s, label: noise(s[2:], label[2:]))
    (pair,) = portrait(store, KASSNER).pairs
    assert (pair.n, pair.ranked) == (40, 40)
    for whole in (pair.rankc, pair.corrected, pair.overlap, pair.agree):
        assert whole == pytest.approx((1, 1, 1))
    assert 0 < pair.wrong.value < 1
    assert pair.gap == (0, 0, 0)
    assert pair.p == pair.p_holm == 1


def test_unrelated_languages(tmp_path):
    """Null control: RankC is the floor, and overlap and agreement are what chance gives, within 3 standard errors."""
    facts = world(tmp_path / "facts", subjects=500, objects=3)
    (pair,) = portrait(rigged(tmp_path / "run", facts, lambda r, s, label: noise(s, label)), KASSNER).pairs
    assert pair.floor == pytest.approx(0.4749, abs=5e-5)
    for found, expected in (
        (pair.rankc, pair.floor),
        (pair.corrected, 0),
        (pair.agree, 1 / 3),
        (pair.overlap, pair.independent),
    ):
        error = (found.high - found.low) / (2 * 1.96)
        assert abs(found.value - expected) < 3 * error < 0.2


def test_a_language_that_knows_everything(tmp_path):
    """The smallest p that so many resamples give, three times for three pairs; the other two do not differ."""
    facts = world(tmp_path / "facts", ("it", "ja", "af"), subjects=20)

    def score(relation: str, subject: str, label: str) -> float:
        right = label[2:] == "ABCD"[[spelled(i) for i in range(20)].index(subject[2:]) % 4]
        return float(right == (subject[:2] == "it")) + noise(subject, label) / 100

    pairs = {(pair.a, pair.b): pair for pair in portrait(rigged(tmp_path / "run", facts, score), KASSNER).pairs}
    for other in ("it", "ja"):
        pair = pairs["af", other]
        assert abs(pair.gap.value) == (other == "it")
        assert pair.overlap == (None if other == "ja" else (0, 0, 0))
        assert (pair.p, pair.p_holm) == pytest.approx((2 / 1001, 6 / 1001) if other == "it" else (1, 1))


def test_always_one_answer(tmp_path):
    """A model that ignores the question: its templates agree, and by chance they would as well."""
    rows = {
        "it": [fact("P36", f"S{c}", answer) for c, answer in zip("abcd", ["Roma", "Par", "Par", "la"], strict=True)]
    }
    facts = write_facts(tmp_path / "facts", rows, {"it": {"P36": ["[X] is [Y].", "[Y] la [X]."]}})
    store = rigged(tmp_path / "run", f"{facts}(templates=all)", lambda r, s, label: float(label == "Roma"))
    (row,) = portrait(store, KASSNER).paraphrases
    assert (row.facts, row.one, row.by_chance) == (4, 0, 1)
    assert (row.agree.value, row.right.value, row.accuracy.value) == (1, 0.25, 0.25)


def test_chance_is_of_the_answers_that_are_compared():
    """A fact with one answer only (its other sentence was too long, say) is left out, and so is that answer."""
    asked = pd.DataFrame({"item": [1, 1, 2, 2, 3], "template": [0, 1, 0, 1, 0]})
    frame = asked.assign(subject_uri=asked["item"], lang="it", relation="P36")
    scores = np.eye(2)[[0, 0, 0, 0, 1]]
    facts = asked_again(Ranked("P36", "it", frame, scores, scores > 0, np.array(["O0", "O1"])))
    assert facts["templates"].tolist() == [2, 2, 1]
    assert facts["by_chance"].tolist() == [1, 1, 1]
    row = paraphrased("it", facts)
    assert (row.facts, row.one, row.by_chance, row.agree) == (2, 1, 1, (1, 1, 1))


def test_namesakes_tie_or_are_one(tmp_path):
    """Objects of one spelling: entities that tie, so that nothing but chance ranks them; or one candidate, as asked."""
    facts = world(tmp_path / "facts", objects=2, namesakes=True)
    store = rigged(tmp_path / "run", facts, lambda r, s, label: noise(s, label))
    (pair,) = portrait(store, KASSNER).pairs
    assert pair.rankc.value == pytest.approx(pair.floor) == pytest.approx(0.6345, abs=5e-5)
    assert pair.agree.value == pytest.approx(0.5)
    (pair,) = portrait(store, Protocol.parse("kassner2021(identity=label)")).pairs
    assert (pair.n, pair.ranked, pair.rankc, pair.floor, pair.corrected) == (40, 0, None, None, None)
    assert pair.agree.value == 1


def test_gold_policies(tmp_path):
    """Whichever object is right, what was said stays; with ``filtered`` it is said among fewer."""
    rows = {
        lang: [
            fact("P47", f"{lang}{i}", f"{lang}{o}", subject_uri=f"S{i}", object_uri=f"O{o}", fact=f"f{i}{o}")
            for i in "abcdef"
            for o in "ABC"
        ]
        for lang in ("it", "ja")
    }
    facts = write_facts(tmp_path / "facts", rows, {lang: {"P47": "[X] is [Y]."} for lang in rows})
    store = rigged(tmp_path / "run", facts, lambda r, s, label: noise(s[2:], label[2:]))
    found = {gold: portrait(store, KASSNER, gold) for gold in ("one", "any", "filtered")}
    pairs = {gold: one.pairs[0] for gold, one in found.items()}
    assert {gold: pair.n for gold, pair in pairs.items()} == {"one": 18, "any": 6, "filtered": 18}
    assert pairs["one"].wrong.value == pytest.approx(2 / 3)
    assert pairs["any"].wrong.value == 0
    assert [row.brier.value for row in found["any"].confidence] == pytest.approx([0, 0])
    assert (pairs["filtered"].ranked, pairs["filtered"].rankc) == (0, None)
    with pytest.raises(FactrootsError, match="nothing could be scored"):
        portrait(store, KASSNER, "unique")


def test_right_in_one_language_is_not_wrong(tmp_path):
    """Both say A, which the set has as an object in one of the languages only."""
    rows = {
        "it": [fact("P47", "ita", f"it{o}", subject_uri="S", object_uri=f"O{o}", fact=o) for o in "AB"],
        "ja": [
            fact("P47", f"ja{s}", f"ja{o}", subject_uri=u, object_uri=f"O{o}", fact=o) for s, u, o in ("aSB", "bTA")
        ],
    }
    facts = write_facts(tmp_path / "facts", rows, {lang: {"P47": "[X] is [Y]."} for lang in rows})
    store = rigged(tmp_path / "run", facts, lambda r, s, label: float(label[2:] == "A"))
    (pair,) = portrait(store, KASSNER, "any").pairs
    assert (pair.n, pair.agree.value, pair.wrong.value) == (1, 1, 0)
    assert pair.overlap.value == 0  # known in it, not in ja


def test_two_spellings_of_a_subject(tmp_path):
    """One item by its subject, two questions: they meet in the order of the set, and none is left out."""
    rows = {
        lang: [
            fact("P47", f"{lang}{s}", f"{lang}{o}", subject_uri="S", object_uri=f"O{o}", fact=f"{s}{o}")
            for s, o in (("a", "A"), ("b", "B"))
        ]
        for lang in ("it", "ja")
    }
    facts = write_facts(tmp_path / "facts", rows, {lang: {"P47": ["[X] is [Y].", "[Y] la [X]."]} for lang in rows})
    store = rigged(tmp_path / "run", f"{facts}(templates=all)", lambda r, s, label: float(s[2:] == label[2:].lower()))
    found = portrait(store, KASSNER, "any")
    (pair,) = found.pairs
    assert (pair.n, pair.rankc.value, pair.agree.value) == (4, 1, 1)
    assert [(row.facts, row.agree.value) for row in found.paraphrases] == [(2, 1), (2, 1)]


def test_candidates_that_come_with_the_question(tmp_path):
    """BMLAMA's rows: each is ranked among its own, and one that has a single candidate is counted, not ranked."""
    folder, header = tmp_path / "bmlama", "Prompt\tAns\tCandidate Ans\tSubject\n"
    folder.mkdir()
    for lang in ("en", "it"):
        own = ["Roma\tRoma, Par", "Par\tPar, la, capital", "la\tla"]
        rows = [f"the {i} of {lang}{i} is <mask>.\t{row}\t{lang}{i}\n" for i, row in zip("abc", own, strict=True)]
        (folder / f"{lang}.tsv").write_text(header + "".join(rows), encoding="utf-8")
    tokenizer = wordpiece()
    store = probed(tmp_path / "run", f"bmlama:{folder}", loaded(tiny_model("bert", tokenizer), tokenizer))
    (pair,) = portrait(store, KASSNER).pairs
    assert (pair.n, pair.ranked) == (3, 2)
    assert pair.floor == pytest.approx((0.6345 + 0.4749) / 2, abs=5e-5)


def test_protocol_that_chooses_tokens(tmp_path):
    """Without candidates what is right can be compared, and nothing is ranked or invented."""
    store = rigged(tmp_path / "run", small_world(tmp_path / "facts"), lambda r, s, label: noise(s, label))
    found = portrait(store, Protocol.parse("zhao2024-full"))
    (pair,) = found.pairs
    assert (pair.rankc, pair.agree, pair.wrong, found.all, found.paraphrases, found.confidence) == (*[None] * 4, [], [])
    assert (pair.gap.value, pair.overlap) == (0, None)  # token 0 is never right
    assert found.strata


@pytest.fixture
def run(tmp_path):
    facts = world(tmp_path / "facts", ("it", "ja", "af"), subjects=20)
    return rigged(tmp_path / "run", facts, lambda r, s, label: noise(s, label))


def test_tables(run):
    """On a terminal of 80 columns no cell is cut."""
    done = CliRunner().invoke(main, ["consistency", str(run.folder)], env={"COLUMNS": "80"})
    assert done.exit_code == 0, done.output
    assert "…" not in done.output
    for expected in ("RankC", "it ja", "COverlap", "p (Holm)", "all languages", "Brier", "calibrated", "frequency"):
        assert expected in done.output
    assert "templates" not in done.output.partition("95 %")[0]  # there is one only
    assert "protocol:kassner2021" in done.output.replace("\n", "")


def test_json(run):
    options = ["--protocol", "kassner2021(aggregate=micro)", "--gold", "any", "--weights", "square", "--json"]
    done = CliRunner().invoke(main, ["consistency", str(run.folder), *options])
    assert done.exit_code == 0, done.output
    record = json.loads(done.output)
    assert (record["gold"], record["weights"], len(record["pairs"])) == ("any", "square", 3)
    pair = record["pairs"][0]
    assert (pair["a"], pair["b"]) == tuple(sorted((pair["a"], pair["b"])))
    assert pair["floor"] == pytest.approx((16 * 1 + 9 * 2 + 4 * 3 + 1 * 4) / 30 / 4)
    assert pair["rankc"].keys() == {"value", "low", "high"}
    assert record["confidence"][0]["bins"][0].keys() == {"n", "confidence", "accuracy"}
    numbers = [pair[name]["value"] for name in ("rankc", "corrected", "overlap", "agree", "wrong", "gap")]
    assert all(math.isfinite(number) for number in numbers)


def test_mistakes(run, tmp_path):
    """One line each: no run there, one that is not finished, a protocol that does not exist."""
    run.items("ja").unlink()
    for arguments, expected in (
        ([str(tmp_path / "none")], "holds no run"),
        ([str(run.folder)], "not finished"),
        ([str(run.folder), "--protocol", "kassner"], "kassner2021"),
    ):
        done = CliRunner().invoke(main, ["consistency", *arguments])
        assert done.exit_code == 2
        assert expected in done.output and len(done.output.splitlines()) == 1

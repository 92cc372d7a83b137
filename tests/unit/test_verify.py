"""The published table, what it adds up to, and a run held against it."""

from __future__ import annotations

import json
import random
from statistics import mean

import pytest
from click.testing import CliRunner
from probe_fixtures import rigged, wordpiece
from scipy.stats import pearsonr, spearmanr

from data_builders.errors import FactrootsError
from data_builders.folder import write_json
from probe.cli import main
from probe.published import published
from probe.results import read_result
from probe.verifying import Row, column, correlation, exceeding, read_sizes

MBERT = "google-bert/bert-base-multilingual-cased"
TABLE, SIZES = published("zhao2024"), published("abstracts")


@pytest.mark.parametrize(
    ("name", "micro", "macro"),
    [
        ("mbert-full", 8.85, 7.25),
        ("mbert-partial", 11.84, 9.91),
        ("xlmr-large-full", 6.88, 5.79),
        ("xlmr-large-partial", 9.52, 8.14),
    ],
)
def test_the_table_adds_up(name, micro, macro):
    """The overall numbers that the paper prints follow from its languages and from mLAMA's numbers of facts."""
    n = sum(row["n"] for row in TABLE.values())
    assert (len(TABLE), n) == (53, 843_143)
    assert round(sum(row[name] * row["n"] for row in TABLE.values()) / n, 2) == micro
    assert round(mean(row[name] for row in TABLE.values()), 2) == macro
    assert all(row[name] <= row[name.replace("full", "partial")] for row in TABLE.values())


def test_the_number_of_facts(shared_data):
    """As many facts as mLAMA 1.1 has lines, in every language."""
    folder = shared_data("mlama1.1")
    for lang, row in TABLE.items():
        files = [path for path in (folder / lang).glob("*.jsonl") if path.name != "templates.jsonl"]
        assert sum(path.read_bytes().count(b"\n") for path in files) == row["n"], lang


def test_the_published_correlation():
    """The paper's r = 0.51, and what is known of its variants, follow from the table and the sizes."""
    langs = sorted(TABLE)
    sizes = [SIZES[lang]["kib"] for lang in langs]
    assert [round(SIZES[lang]["kib"] / 1024, 2) for lang in ("it", "ja", "af")] == [144.63, 132.94, 8.64]
    full = [TABLE[lang]["mbert-full"] for lang in langs]
    assert pearsonr(full, sizes)[0] == pytest.approx(0.515, abs=5e-4)
    assert spearmanr(full, sizes)[0] == pytest.approx(0.446, abs=5e-4)
    assert pearsonr([TABLE[lang]["xlmr-large-full"] for lang in langs], sizes)[0] == pytest.approx(0.461, abs=5e-4)
    own = [Row(lang, TABLE[lang]["mbert-full"], TABLE[lang]["mbert-full"], 1, 1) for lang in langs if lang != "en"]
    found = correlation(own, read_sizes(None))
    assert found.published == found.ours == pytest.approx(0.438, abs=5e-4)
    assert found.languages == 52


def test_correlation_of_shuffled_sizes():
    """Sizes dealt out at random explain nothing on average; two languages or equal numbers have no correlation."""
    langs, draw = sorted(TABLE), random.Random(0)
    own = [Row(lang, TABLE[lang]["mbert-full"], 2 * TABLE[lang]["mbert-full"] + 1, 1, 1) for lang in langs]
    sizes = [SIZES[lang]["kib"] for lang in langs]
    drawn = [correlation(own, dict(zip(langs, draw.sample(sizes, 53), strict=True))).ours for _ in range(300)]
    assert abs(mean(drawn)) < 0.03 < 0.2 < max(drawn)
    assert correlation(own[:2], read_sizes(None)) == (None, None, 2)
    level = [row._replace(ours=1.0) for row in own]
    assert correlation(level, read_sizes(None)).ours is None
    unscored = [row._replace(ours=None) for row in own[:3]] + own[3:]
    assert correlation(unscored, read_sizes(None)).languages == 50


def test_exceeding():
    """Beyond the tolerance either way, at it not; and what has no number is never within it."""
    found = [Row("a", 10, 10.1, 1, 1), Row("b", 10, 9.89, 1, 1), Row("c", 10, None, 1, 0), Row(None, 10, 10.2, 3, 2)]
    assert exceeding(found, 0.1) == ["b", "c", "all"]
    assert exceeding(found, 0.2) == ["c"]


def made_up(folder, full: int, partial: int, name: str = MBERT, lang: str = "it", filters: str = ""):
    """A run of 500 facts of which so many are right under either protocol."""
    tokenizer = wordpiece()
    gold = tokenizer("Roma Par", add_special_tokens=False)["input_ids"]
    row = {"obj_uri": "Q220", "obj_label": "Roma Par"}
    (folder / "mlama" / lang).mkdir(parents=True)
    lines = (json.dumps({"sub_uri": f"S{i}", "sub_label": f"s{i}", "uuid": f"u{i}", **row}) for i in range(500))
    (folder / "mlama" / lang / "P36.jsonl").write_text("".join(f"{line}\n" for line in lines))
    (folder / "mlama" / lang / "templates.jsonl").write_text('{"relation": "P36", "template": "[X] is [Y]"}\n')

    def choose(_, subject: str, masks: int) -> list[int]:
        number = int(subject[1:])
        said = gold if number < full else gold[::-1] if number < partial else [0, 0]
        return said if masks == 2 else [0] * masks

    return rigged(folder / "run", f"mlama:{folder / 'mlama'}{filters}", lambda *_: -1.0, choose, tokenizer, name)


def verify(*words) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["verify", "zhao2024", *(str(w) for w in words)])
    assert not done.exception or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_a_run_with_the_published_numbers(tmp_path):
    """17.0 and 19.8 in Italian (16.94 and 19.78 published) are within 0.1 points, and every number is shown."""
    store = made_up(tmp_path, 85, 99)
    code, text = verify(store.folder, "--json")
    said = json.loads(text)
    assert code == 0 and [one["exceeding"] for one in said["results"]] == [[], []]
    full, partial = (one["rows"] for one in said["results"])
    assert [row["lang"] for row in full] == ["it", None]
    assert full[0]["published"] == 16.94 and partial[0]["published"] == 19.78
    assert (full[0]["ours"], partial[0]["ours"]) == (pytest.approx(17.0), pytest.approx(19.8))
    assert full[0]["difference"] == pytest.approx(0.06)
    assert (full[0]["n_published"], full[0]["n"]) == (27_648, 500)
    assert {one["protocol"]: one["model"] for one in said["results"]} == {
        "zhao2024-full": "mbert",
        "zhao2024-partial": "mbert",
    }
    code, text = verify(store.folder)
    assert code == 0
    assert all(
        part in text for part in ("16.94", "17.00", "+0.06", "27,648", "500", "reproduced", "number of facts: it")
    )


def test_a_run_with_other_numbers(tmp_path):
    """Half a point off is named and fails, unless so much is tolerated; the records are kept and used."""
    store = made_up(tmp_path, 87, 99)
    code, text = verify(store.folder)
    assert code == 1 and "more than 0.1 points off: it, all" in text
    assert verify(store.folder, "--tolerance", 0.5)[0] == 0
    path = store.folder / "zhao2024-full.json"
    record = read_result(path).model_dump()
    record["languages"][0]["all"] |= {"micro": 0.1694}
    write_json(path, record)
    assert verify(store.folder)[0] == 0
    write_json(path, record | {"data": record["data"] | {"sha256": "1" * 64}})
    code, text = verify(store.folder)
    assert code == 2 and "is not this run's record" in text


def test_runs_of_two_models(tmp_path):
    """Each run has its own model's columns; one that is off fails them all."""
    one = made_up(tmp_path / "a", 85, 99)
    other = made_up(tmp_path / "b", 54, 68, "xlm-roberta-large")
    code, text = verify(one.folder, other.folder, "--json")
    said = json.loads(text)["results"]
    assert code == 0 and [r["rows"][0]["published"] for r in said] == [16.94, 19.78, 10.80, 13.53]
    wrong = made_up(tmp_path / "c", 85, 99, "xlm-roberta-large")
    assert verify(one.folder, wrong.folder)[0] == 1


def run_of(facts: str = "mlama:x", name: str = MBERT, spec: str = "mbert") -> dict:
    return {"facts": facts, "model": {"name": name, "spec": spec}}


def test_models_by_name():
    assert column(run_of()) == column(run_of("mlama:x(langs=it;ja)", "bert-base-multilingual-cased", "./a")) == "mbert"
    assert column(run_of(name="FacebookAI/xlm-roberta-large", spec="xlmr-large")) == "xlmr-large"


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (run_of(name="FacebookAI/xlm-roberta-base", spec="xlmr"), r"\(mbert\), xlm-roberta-large .* only; .* xlmr"),
        (run_of(spec="mbert+runs/sft-it"), r"only; this run is of mbert\+runs"),
        (run_of("atlas"), "all facts of mLAMA; this run is of atlas"),
        (run_of("mlama:x(langs=it,sample=60)"), r"of mlama\(sample=60\); run it unfiltered"),
        (run_of("mlama:x(templates=all)"), "run it unfiltered"),
    ],
)
def test_what_nobody_published(run, message):
    with pytest.raises(FactrootsError, match=message):
        column(run)


def test_a_language_that_nobody_published(tmp_path):
    code, text = verify(made_up(tmp_path, 1, 1, lang="xx").folder)
    assert code == 2 and "this run has none of these languages" in text


def test_sizes_of_ones_own(tmp_path):
    path = tmp_path / "sizes.tsv"
    path.write_text("it\t148000000\naf\t9000000\n")
    assert read_sizes(path) == {"it": 148e6, "af": 9e6}
    for bad in ("it 148", "148\tit", "it\t", "it\t0", "it\t-3", ""):
        path.write_text(f"af\t1\n{bad}\n")
        with pytest.raises(FactrootsError, match=":2: .* is not a language, a tab and a number"):
            read_sizes(path)

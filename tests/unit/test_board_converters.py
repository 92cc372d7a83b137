"""Results of other tools: what they hold is taken, what they lack is said, and they are ranked with none of ours."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from board_fixtures import a_board, a_run, call, files, good
from probe_fixtures import tiny_model, wordpiece

from leaderboard.board import Board
from leaderboard.comparable import comparable, differing, parts
from leaderboard.converters.table import CONVERTERS, converter
from leaderboard.submission import OURS

#: As lm-evaluation-harness 0.4 writes it, cut to what stands for all.
LM_EVAL = {
    "results": {
        "lambada_it": {
            "alias": "lambada_it",
            "perplexity,none": 12.5,
            "perplexity_stderr,none": 0.7,
            "acc,none": 0.4375,
            "acc_stderr,none": 0.0121,
        },
        "xnli_it": {"alias": "xnli_it", "acc,none": 0.5, "acc_stderr,none": "N/A", "acc_norm,none": 0.25},
        "gsm8k": {"exact_match,strict-match": 0.0625, "exact_match_stderr,strict-match": 0.01},
    },
    "group_subtasks": {},
    "configs": {"lambada_it": {"task": "lambada_it", "num_fewshot": 0}},
    "versions": {"lambada_it": 1.0, "xnli_it": 1.0, "gsm8k": 3.0},
    "n-shot": {"lambada_it": 0, "xnli_it": 0, "gsm8k": 5},
    "higher_is_better": {"lambada_it": {"acc": True, "perplexity": False}},
    "n-samples": {"lambada_it": {"original": 5153, "effective": 5153}, "xnli_it": {"original": 5010, "effective": 100}},
    "config": {
        "model": "hf",
        "model_args": "pretrained=org/tiny,token=SECRET",
        "model_num_parameters": 270_000_000,
        "model_dtype": "torch.bfloat16",
        "model_revision": "main",
        "model_sha": "a" * 40,
        "batch_size": "8",
        "limit": None,
        "random_seed": 0,
    },
    "git_hash": "abc1234",
    "date": 1735689600.5,
    "transformers_version": "4.48.0",
    "lm_eval_version": "0.4.7",
    "task_hashes": {"lambada_it": "0123456789abcdef0123"},
    "model_source": "hf",
    "model_name": "org/tiny",
    "total_evaluation_time_seconds": "61.25",
}
#: As mteb 2 writes it.
MTEB = {
    "dataset_revision": "abcdef",
    "task_name": "XPQARetrieval",
    "mteb_version": "2.1.0",
    "scores": {
        "test": [
            {"ndcg_at_10": 0.5, "main_score": 0.5, "hf_subset": "fra-fra", "languages": ["fra-Latn", "fra-Latn"]},
            {"ndcg_at_10": 0.25, "main_score": 0.25, "hf_subset": "default", "languages": ["ita-Latn"]},
        ]
    },
    "evaluation_time": 12.5,
    "kg_co2_emissions": None,
}


def lm_eval(folder: Path, **more) -> Path:
    path = folder / "results_2025-01-01.json"
    path.write_text(json.dumps(LM_EVAL | more))
    return path


def mteb(folder: Path, **more) -> Path:
    own = folder / "results" / "org__tiny" / ("b" * 40)
    own.mkdir(parents=True)
    (own / "XPQARetrieval.json").write_text(json.dumps(MTEB | more))
    (own / "model_meta.json").write_text(json.dumps({"name": "org/tiny", "revision": "b" * 40, "n_parameters": 1000}))
    return folder / "results"


@pytest.fixture(scope="module")
def quiz(tmp_path_factory) -> Path:
    """A result folder that LM-PUB-QUIZ itself made of a tiny model on a data set of two relations."""
    package = pytest.importorskip("lm_pub_quiz")
    folder = tmp_path_factory.mktemp("quiz")
    data = folder / "TINY"
    data.mkdir()
    about = {}
    rows = {
        "P36": [("Italia", "Roma"), ("la", "Par"), ("the", "Roma"), ("is", "of")],
        "P47": [("Par", "is"), ("a", "la")],
    }
    for relation, facts in rows.items():
        objects = list(dict.fromkeys(answer for _, answer in facts))
        about[relation] = {
            "templates": ["the capital of [X] is [Y].", "[X] la [Y]."],
            "answer_space_labels": objects,
            "answer_space_ids": [f"{relation}-{place}" for place in range(len(objects))],
        }
        lines = [
            {
                "sub_id": f"Q{n}",
                "sub_label": subject,
                "obj_id": f"{relation}-{objects.index(answer)}",
                "obj_label": answer,
            }
            for n, (subject, answer) in enumerate(facts)
        ]
        pd.DataFrame(lines).to_json(data / f"{relation}.jsonl", orient="records", lines=True)
    (data / "metadata_relations.json").write_text(json.dumps(about))
    tokenizer = wordpiece()
    evaluator = package.Evaluator.from_model(
        tiny_model("bert", tokenizer), model_type="MLM", tokenizer=tokenizer, model_name="org/tiny"
    )
    for name, more in (("reduced", {}), ("raw", {"reduction": None})):
        dataset = package.Dataset.from_path(data)
        evaluator.evaluate_dataset(dataset, template_index=[0, 1], save_path=folder / name, batch_size=8, **more)
    return folder


MAKERS = {"lm-eval": lm_eval, "mteb": mteb}


@pytest.fixture
def made(request, tmp_path):
    """A function from a tool's name to what it wrote."""

    def make(name: str) -> Path:
        return request.getfixturevalue("quiz") / "reduced" if name == "lm-pub-quiz" else MAKERS[name](tmp_path)

    return make


@pytest.fixture
def board(tmp_path) -> Board:
    return Board.create(tmp_path / "board")


@pytest.mark.parametrize("name", CONVERTERS)
def test_every_tool(made, board, tmp_path, name):
    """What is read can be submitted, is whole on the board, and comes through an export and back."""
    path = made(name)
    done = call("submit", path, "--from", name, "--note", "from elsewhere", "--board", board.root)
    assert done.exit_code == 0 and "not verified:" in done.output, done.output
    entries = board.entries()
    assert entries and done.output.count("is on the board now") == len(entries)
    for entry in entries:
        assert entry.submission.origin == name and entry.submission.unverified and entry.submission.note
    before = files(board.root)
    assert "is there already" in call("submit", path, "--from", name, "--board", board.root).output
    assert files(board.root) == before
    assert call("validate", "--board", board.root).output == f"{len(entries)} checked, 0 things are wrong\n"
    assert call("list", "--board", board.root).exit_code == 0
    for entry in entries:
        assert "not verified: " in call("show", entry.name, "--board", board.root).output
    call("export", tmp_path / "out.zip", "--to", "json", "--board", board.root)
    call("init", tmp_path / "again")
    done = call("submit", tmp_path / "out.zip", "--board", tmp_path / "again")
    assert done.exit_code == 0, done.output
    assert [e.submission for e in Board.open(tmp_path / "again").entries()] == [e.submission for e in entries]


@pytest.mark.parametrize("name", CONVERTERS)
def test_a_class_of_its_own(made, tmp_path, name):
    """None of another tool's numbers is comparable to ours, and the origin is the first thing that differs."""
    ours = good(a_run(tmp_path / "run"), "kassner2021", tmp_path / "good").submission
    (tmp_path / "into").mkdir()
    theirs = [one for one, _ in converter(name)(made(name), tmp_path / "into")]
    assert ours.origin == OURS
    for one in theirs:
        assert parts(one)["origin"] == name and comparable(one) != comparable(ours)
        assert any(line.startswith("origin: – / ") for line in differing(ours, one))
    if name != "lm-pub-quiz":
        assert len({comparable(one) for one in theirs}) == len(theirs)


def test_lm_eval(tmp_path):
    """Shares of right answers by task, metric and filter, and nothing that was not said."""
    found = {one.result.protocol + " " + str(one.result.data["spec"]): one for one, _ in
             converter("lm-eval")(lm_eval(tmp_path), tmp_path)}  # fmt: skip
    assert set(found) == {
        "acc,none lambada_it",
        "acc,none xnli_it",
        "acc_norm,none xnli_it",
        "exact_match,strict-match gsm8k",
    }
    one = found["acc,none lambada_it"]
    assert (one.result.value, one.result.stderr, one.n, one.parameters, one.seconds) == (
        0.4375, 0.0121, 5153, 270_000_000, 61.25
    )  # fmt: skip
    assert one.started == "2025-01-01T00:00:00+00:00" and one.answers is None
    assert one.result.model == {"spec": "org/tiny", "revision": "a" * 40, "dtype": "bfloat16"}
    assert found["acc,none xnli_it"].result.stderr is None and found["acc,none xnli_it"].n == 100
    told = found["exact_match,strict-match gsm8k"]
    assert told.n is None and "number of facts" in told.unverified and parts(told)["shots"] == "5"
    assert "SECRET" not in "".join(one.model_dump_json() for one in found.values())


def test_mteb(tmp_path):
    """The mean of a task's subsets, each of which is a language of its own."""
    ((one, answers),) = converter("mteb")(mteb(tmp_path), tmp_path)
    assert answers is None and one.result.value == 0.375 and one.parameters == 1000 and one.seconds == 12.5
    assert [(own.lang, own.value) for own in one.result.languages] == [("fra-fra", 0.5), ("ita-Latn", 0.25)]
    assert one.model == "org/tiny" and one.result.model["revision"] == "b" * 40
    (tmp_path / "results" / "org__tiny" / ("b" * 40) / "model_meta.json").unlink()
    ((again, _),) = converter("mteb")(tmp_path / "results", tmp_path)
    assert again.model == "org/tiny" and again.parameters is None


@pytest.mark.parametrize("kind", ["reduced", "raw"])
def test_lm_pub_quiz(quiz, tmp_path, kind):
    """Its accuracy and its precision at k are what our record says, and our record follows from its scores."""
    from lm_pub_quiz import DatasetResults

    theirs = DatasetResults.from_path(quiz / kind)
    if kind == "raw":
        theirs = theirs.reduced("sum")
    ((one, answers),) = converter("lm-pub-quiz")(quiz / kind, tmp_path)
    (language,) = one.result.languages
    assert one.n == 12 and language.lang == "und" and language.one_token is None
    for relation in theirs:
        accuracy = relation.get_metric("accuracy")
        assert language.relations[relation.relation_code].value == pytest.approx(accuracy)
        at_k = relation.get_metric("precision_at_k")
        frame = pd.read_parquet(answers)
        frame = frame[frame["relation"] == relation.relation_code]
        assert frame["p1"].mean() == pytest.approx(at_k[0])
        ranks = [1 + int((np.array(row) > row[gold]).sum()) for row, gold in
                 zip(*(relation.instance_table[c] for c in ("pll_scores", "answer_idx")), strict=True)]  # fmt: skip
        assert frame["rr"].tolist() == pytest.approx([1 / rank for rank in ranks])
    assert one.result.value == pytest.approx(theirs.get_metrics("accuracy"))
    assert one.result.protocol == "bear" and one.model == "org/tiny"
    assert one.result.code["version"] and one.result.data["spec"] == "TINY"


def test_raw_and_reduced_results_are_one(quiz, tmp_path):
    """The same scores, token by token or summed by the tool, ask the same questions and give the same number."""
    found = []
    for kind in ("reduced", "raw"):
        (tmp_path / kind).mkdir()
        found += [one for one, _ in converter("lm-pub-quiz")(quiz / kind, tmp_path / kind)]
    assert found[0].result.value == found[1].result.value
    assert found[0].result.data["sha256"] == found[1].result.data["sha256"]
    assert differing(*found) == ["reduction: sum / –"]


def test_an_edited_result_of_lm_pub_quiz_is_caught(quiz, tmp_path):
    """With its answers there, its numbers are derived again as ours are."""
    board = Board.create(tmp_path / "b")
    call("submit", quiz / "reduced", "--from", "lm-pub-quiz", "--board", board.root)
    path = board.entries()[0].path
    record = json.loads(path.read_text())
    record["result"]["value"] = 0.99
    path.write_text(json.dumps(record))
    assert "value: says 0.99, and the answers give" in call("validate", "--board", board.root).output


def _quiz(folder: Path, line: dict | str, **about) -> Path:
    folder.mkdir()
    (folder / "metadata_results.json").write_text(json.dumps({"P36": {"model_name_or_path": "m"} | about}))
    text = (
        line
        if isinstance(line, str)
        else json.dumps({"sub_id": "Q1", "answer_idx": 0, "pll_scores": [-1.0, -2.0]} | line)
    )
    (folder / "P36_results.jsonl").write_text(text + "\n")
    return folder


def _write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


BAD = {
    "no results": ("lm-eval", lambda f: _write(f / "x.json", "{}"), "is no results file of lm-evaluation-harness"),
    "not even JSON": ("lm-eval", lambda f: _write(f / "x.json", "{"), "x.json is not JSON"),
    "a NaN": ("lm-eval", lambda f: _write(f / "x.json", '{"results": {"a": {"acc,none": NaN}}}'), "NaN is no number"),
    "a pickle": (
        "lm-eval",
        lambda f: _write(f / "result.pkl", pickle.dumps({})),
        "result.pkl: its name should end in .json",
    ),
    "no accuracy": ("lm-eval", lambda f: lm_eval(f, results={"a": {"perplexity,none": 3.0}}), "has no acc, acc_norm"),
    "a score of two": (
        "lm-eval",
        lambda f: lm_eval(f, results={"a": {"acc,none": 2.0}}),
        "is 2.0, and a board ranks shares",
    ),
    "no model": ("lm-eval", lambda f: lm_eval(f, model_name=None, config={}), "its config names no model"),
    "a commit that is a list": ("lm-eval", lambda f: lm_eval(f, git_hash=[1]), "gives no submission: code.commit"),
    "a script": ("lm-eval", lambda f: lm_eval(f, model_name="<script>"), "looks like HTML"),
    "no scores": ("mteb", lambda f: _write(f / "x.json", '{"task_name": "x"}'), "is no result of mteb"),
    "a correlation": ("mteb", lambda f: mteb(f, scores={"test": [{"main_score": -0.1}]}), "main_score is -0.1"),
    "no subsets": ("mteb", lambda f: mteb(f, scores={"test": []}), "test has no subsets"),
    "an empty folder": ("mteb", lambda f: (f / "x").mkdir() or f / "x", "holds no task's file"),
    "nothing there": ("mteb", lambda f: f / "nothing", "nothing is not there"),
    "no metadata": ("lm-pub-quiz", lambda f: f, "metadata_results.json is not there"),
    "no such answer": (
        "lm-pub-quiz",
        lambda f: _quiz(f / "q", {"answer_idx": 7}),
        "P36_results.jsonl:1: its answer_idx is none",
    ),
    "no numbers": ("lm-pub-quiz", lambda f: _quiz(f / "q", {"pll_scores": ["a"]}), "its pll_scores are no numbers"),
    "an infinite score": ("lm-pub-quiz", lambda f: _quiz(f / "q", '{"pll_scores": [1e999]}'), "is too large a number"),
    "a broken line": ("lm-pub-quiz", lambda f: _quiz(f / "q", '{"pll'), "P36_results.jsonl:1 is not JSON"),
    "another reduction": (
        "lm-pub-quiz",
        lambda f: _quiz(f / "q", {}, reduction="max"),
        "only PLL metrics, summed or mean",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_none_of_theirs(board, tmp_path, name):
    """It is refused in words, and the board stays as it was."""
    tool, make, reason = BAD[name]
    (tmp_path / "made").mkdir()
    path, before = make(tmp_path / "made"), files(board.root)
    done = call("submit", path, "--from", tool, "--board", board.root)
    assert done.exit_code == 2 and reason in done.stderr and "Traceback" not in done.output, done.output
    assert files(board.root) == before


def test_a_path_for_a_relation(board, tmp_path):
    """A relation's name opens no file elsewhere."""
    _quiz(tmp_path / "q", {})
    (tmp_path / "q" / "metadata_results.json").write_text(json.dumps({"../../etc/x": {"model_name_or_path": "m"}}))
    done = call("submit", tmp_path / "q", "--from", "lm-pub-quiz", "--board", board.root)
    assert done.exit_code == 2 and "../../etc/x is no relation's name" in done.stderr


def test_beside_ours(tmp_path):
    """A board holds both, lists them apart, and gives no answers of what was only told."""
    from data_builders.errors import FactrootsError

    board = a_board(tmp_path / "b", good(a_run(tmp_path / "run"), "kassner2021", tmp_path / "good"))
    call("submit", lm_eval(tmp_path), "--from", "lm-eval", "--board", board.root)
    rows = json.loads(call("list", "--json", "--board", board.root).output)["rows"]
    assert len(rows) == 5 and len({row["class"] for row in rows}) == 5
    told = board.entry("lambada")
    assert told.answers_path is None
    with pytest.raises(FactrootsError, match="has no answers: it was told by lm-eval"):
        told.answers()

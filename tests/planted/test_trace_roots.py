"""The whole of `probe trace-roots` on the demo model, whose world is known."""

from __future__ import annotations

import json
import shutil
from collections import Counter, defaultdict
from html.parser import HTMLParser

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from probe.cli import main
from probe.tracing.roots.kept import ROOTS
from probe.tracing.roots.labels import TOO_FEW, UNCONTROLLED, UNSILENCED

LANGS = "en,it,ja"


def call(*words: str):
    done = CliRunner().invoke(main, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    """A run of three relations, traced; the record, and the folder."""
    folder = tmp_path_factory.mktemp("roots")
    run = str(folder / "run")
    call("run", "--langs", LANGS, "--relations", "P36,P30,P38", "--output", run, "--quiet")
    call("trace-roots", "--run", run, "--output", str(folder / "out"), "--sensitivity", "--quiet")
    return folder, json.loads((folder / "out" / "roots.json").read_text(encoding="utf-8"))


def rows(folder):
    return pq.read_table(folder / "out" / "roots.parquet").to_pylist()


def test_every_fact_has_one_root_and_totals_add_up(traced):
    folder, record = traced
    table = pq.read_table(folder / "out" / "roots.parquet")
    assert table.schema.equals(ROOTS)
    found = rows(folder)
    assert len({(row["lang"], row["fact"]) for row in found}) == len(found)
    for answers in record["answers"]:
        own = [row for row in found if row["lang"] == answers["lang"]]
        right = [row for row in own if row["root"] not in ("wrong", "unscored")]
        assert len(right) == answers["right"] and len(own) - len(right) == answers["wrong"]
        for total in (t for t in record["totals"] if t["lang"] == answers["lang"]):
            if total["root"] == "cue":
                assert total["n"] == sum(row["root"].startswith("cue:") for row in own)
            else:
                assert total["n"] == sum(row["root"] == total["root"] for row in own)
            assert total["share"]["value"] == pytest.approx(total["n"] / total["right"])
            assert total["share"]["low"] <= total["share"]["value"] <= total["share"]["high"]


def test_roots_agree_with_what_the_world_states(traced):
    """Transferred facts are stated elsewhere and not here; shared and independent ones here and elsewhere."""
    folder, _ = traced
    found = rows(folder)
    stated = {(row["lang"], row["fact"]): row["units"] > 0 for row in found}
    right = {(row["lang"], row["fact"]) for row in found if row["root"] not in ("wrong", "unscored")}
    kinds = {row["root"] for row in found}
    assert {"transferred", "independent", "cue:prior", "wrong"} <= kinds
    for row in found:
        here = stated[row["lang"], row["fact"]]
        if row["root"] == "transferred":
            assert not here and stated[row["source"], row["fact"]] and (row["source"], row["fact"]) in right
            assert row["passages"] and row["passages_lang"] == row["source"]
        if row["root"] in ("shared", "independent"):
            assert here and stated[row["source"], row["fact"]] and row["passages_lang"] == row["lang"]
        if row["root"].startswith("cue:"):
            assert not here and row["reason"]


def test_languages_whose_names_share_no_piece_share_no_neurons(traced):
    """Japanese has its facts by itself in this world; English and Italian have some in common."""
    _, record = traced
    excess = {(row["lang"], row["other"]): row["excess"]["value"] for row in record["neurons"] if row["lang"]}
    assert excess["en", "it"] > 0.02 > abs(excess["en", "ja"])


def test_evidence_is_where_it_says(traced):
    """A row's passages hold both names."""
    folder, _ = traced
    from data_builders.corpora.built import open_built
    from probe.tracing.corpora import _planted_folder

    corpus = open_built(_planted_folder())
    text = {
        lang: [t for batch in corpus.blocks(lang, ("text",)) for t in batch["text"].to_pylist()]
        for lang in ("en", "it")
    }
    names = {(row["lang"], row["fact"]): (row["subject"], row["object"]) for row in rows(folder)}
    checked = 0
    for row in rows(folder):
        if row["passages_lang"] in text:
            subject, other = names[row["passages_lang"], row["fact"]]
            for place in row["passages"] or ():
                assert subject in text[row["passages_lang"]][place] and other in text[row["passages_lang"]][place]
                checked += 1
    assert checked > 500


def test_the_same_command_ends_with_the_same_bytes(traced):
    folder, _ = traced
    call("trace-roots", "--run", str(folder / "run"), "--output", str(folder / "again"), "--sensitivity", "--quiet")
    names = [p.name for p in (folder / "out").iterdir() if p.is_file() and p.name != ".lock"]
    assert {"roots.parquet", "roots.jsonl", "roots.json", "roots.html", "roots.png", "sizes.png", "absence.png",
            "overlap.png"} == set(names)  # fmt: skip
    for name in names:
        assert (folder / "out" / name).read_bytes() == (folder / "again" / name).read_bytes(), name


def test_sensitivity_begins_with_what_was_asked(traced):
    _, record = traced
    first, *others = record["sensitivity"]
    asked = {t["root"]: t["n"] for t in record["totals"] if not t["lang"] and t["root"] != "cue"}
    assert first["counts"] == {name: n for name, n in asked.items() if n}
    assert {row["setting"] for row in others} == {"alpha", "min-units", "min-lift", "without cue"}
    total = sum(first["counts"].values())
    assert all(sum(row["counts"].values()) == total for row in others)
    bare = next(row for row in others if row["value"] == "prior")
    assert "cue:prior" not in bare["counts"] and bare["counts"]["transferred"] > first["counts"]["transferred"]


def test_json_lines_and_page(traced):
    folder, record = traced
    lines = (folder / "out" / "roots.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["root"] for line in lines] == [row["root"] for row in rows(folder)]
    page = (folder / "out" / "roots.html").read_text(encoding="utf-8")
    HTMLParser().feed(page)
    assert page.count("data:image/png;base64,") == 4 and "http" not in page.replace("http-equiv", "")
    assert record["signature"].replace("&", "&amp;") in page


def test_without_neurons_nothing_is_shared_or_independent(traced):
    folder, _ = traced
    out = call("trace-roots", "--run", str(folder / "run"), "--neurons", "none", "--cues", "zhao2024", "--json",
               "--output", str(folder / "bare"), "--quiet")  # fmt: skip
    record = json.loads(out)
    names = {t["root"] for t in record["totals"]}
    assert not names & {"shared", "independent", "cue:prior"} and "transferred" in names
    assert record["neurons"] == [] and record["made_of"]["neurons"] is None


def test_languages_that_the_corpus_lacks_are_said(traced, tmp_path):
    folder, _ = traced
    (tmp_path / "text").mkdir()
    for lang in ("en", "it"):
        (tmp_path / "text" / f"{lang}.txt").write_text("Rome Roma Italy Italia.\n", encoding="utf-8")
    call("corpus", "build", f"text:{tmp_path / 'text'}", str(tmp_path / "corpus"), "--quiet")
    out = call("trace-roots", "--run", str(folder / "run"), "--corpus", str(tmp_path / "corpus"), "--neurons", "none",
               "--output", str(tmp_path / "out"), "--quiet")  # fmt: skip
    assert "not traced, for the corpus has none of it: ja" in out
    assert {row["lang"] for row in pq.read_table(tmp_path / "out" / "roots.parquet").to_pylist()} == {"en", "it"}


def test_silencing_a_source_s_neurons(traced):
    """A transferred fact needs the neurons that its source has for it, more than other facts do."""
    folder, _ = traced
    out = call("trace-roots", "--run", str(folder / "run"), "--silence", "12", "--json",
               "--output", str(folder / "silent"), "--quiet")  # fmt: skip
    found = {row["root"]: row for row in json.loads(out)["silenced"]}
    assert {"shared", "independent", "transferred"} == set(found)
    assert found["transferred"]["effect"]["low"] > 0 and found["shared"]["effect"]["low"] > 0
    assert found["transferred"]["specific"]["value"] > found["independent"]["specific"]["value"]
    assert found["shared"]["specific"]["value"] > found["independent"]["specific"]["value"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--neurons", "none", "--silence", "3"], "--silence silences neurons that were found; leave --neurons none"),
        (["--neurons", "none", "--split", "causal"], "--split causal silences neurons that were found"),
        (["--split", "causal", "--alpha", "0"], "alpha lies between 0 and 1"),
        (["--run", "nowhere"], "holds no run"),
        (["--langs", "fr"], "has no fr; it has: en it ja"),
        (["--gold", "any"], "pass --gold one"),
        (["--alpha", "2"], "alpha lies between 0 and 1"),
        (["--cues", "vibes"], "cannot read 'vibes'"),
        (["--neurons", "magic"], "unknown method for neurons 'magic'"),
        (["--protocol", "bear"], "needs"),
        (["--unit", "page"], "unknown unit"),
    ],
)
def test_mistakes_are_one_line(traced, tmp_path, words, message):
    folder, _ = traced
    base = [] if "--run" in words else ["--run", str(folder / "run")]
    done = CliRunner().invoke(main, ["trace-roots", *base, *words, "--output", str(tmp_path / "x"), "--quiet"])
    assert done.exit_code == 2 and message in done.output, done.output
    assert len(done.output.strip().splitlines()) == 1


def test_the_newest_run_is_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["trace-roots"])
    assert done.exit_code == 2 and "runs/ holds no run; make one with `probe run`" in done.output


def test_the_model_is_loaded_only_to_be_run(traced, monkeypatch):
    """A finished tracing goes without; a model that is another by now is refused where its neurons are wanted."""
    folder, _ = traced

    def refuse(*_):
        raise AssertionError("loaded")

    monkeypatch.setattr("fine_tuning.models.load", refuse)
    words = ["trace-roots", "--run", str(folder / "run"), "--quiet", "--output"]
    before = (folder / "out" / "roots.parquet").read_bytes()
    call(*words, str(folder / "out"))
    assert (folder / "out" / "roots.parquet").read_bytes() == before
    monkeypatch.undo()
    told = json.loads((folder / "run" / "run.json").read_text(encoding="utf-8"))
    changed = folder / "changed"
    shutil.copytree(folder / "run", changed)
    (changed / "run.json").write_text(json.dumps(told | {"model": told["model"] | {"sha256": "0" * 64}}))
    done = CliRunner().invoke(main, [*words, str(folder / "other"), "--run", str(changed)])
    assert done.exit_code == 2 and "demo has changed since the run was made" in done.output


def test_a_stopped_silencing_ends_with_the_same_bytes(traced, monkeypatch):
    """Silencing stops in the middle of a language, twice; what other languages came to is not made again."""
    from probe.tracing.neurons import effects

    folder, _ = traced
    words = ["trace-roots", "--run", str(folder / "run"), "--silence", "4", "--split", "causal", "--quiet", "--output"]
    for name in ("undisturbed", "stopped"):
        shutil.copytree(folder / "out", folder / name)
    call(*words, str(folder / "undisturbed"))
    once, left = effects.logprobs, [30]

    def counted(*args):
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return once(*args)

    monkeypatch.setattr(effects, "logprobs", counted)
    for number in (12, 14):
        left[0] = number
        assert CliRunner().invoke(main, [*words, str(folder / "stopped")]).exit_code == 130
    left[0] = -1
    call(*words, str(folder / "stopped"))
    for name in ("roots.parquet", "roots.json", "roots.html"):
        assert (folder / "stopped" / name).read_bytes() == (folder / "undisturbed" / name).read_bytes()


def test_the_causal_check_tells_shared_from_independent(traced):
    """It is part of the signature; what it does not look at is undecided; every other root is as it was."""
    folder, record = traced
    found = json.loads((folder / "undisturbed" / "roots.json").read_text(encoding="utf-8"))
    assert "split:causal(4)" in found["signature"] and "split" not in record["signature"]
    old, new = ({(r["lang"], r["fact"]): r for r in pq.read_table(folder / name / "roots.parquet").to_pylist()}
                for name in ("out", "undisturbed"))  # fmt: skip
    split, seen = {"shared", "independent"}, Counter()
    for key, row in new.items():
        if row["root"] in split or row["reason"] in (UNSILENCED, UNCONTROLLED):
            assert old[key]["root"] in split or old[key]["reason"] == TOO_FEW
            seen[row["root"], row["reason"]] += 1
        else:
            assert (row["root"], row["source"]) == (old[key]["root"], old[key]["source"])
    assert seen["shared", None] and seen["independent", None] and seen["undecided", UNSILENCED]
    sampled = {(row["relation"], row["fact"]) for row in new.values() if row["root"] in split}
    assert max(Counter(relation for relation, _ in sampled).values()) <= 4


def test_the_causal_check_is_what_the_effects_say(traced):
    """Every label once more, from the effects that were kept."""
    folder, _ = traced
    parts = [pq.read_table(path) for path in (folder / "undisturbed" / "neurons").glob("effects-*/*.parquet")]
    least = defaultdict(list)
    for row in (row for part in parts for row in part.to_pylist()):
        if row["controls"] > 9:  # the others are of the table by root
            least[row["other"], row["fact"]].append((row["p"], -row["specific"], row["lang"]))
    for row in pq.read_table(folder / "undisturbed" / "roots.parquet").to_pylist():
        if row["root"] in ("shared", "independent"):
            beside = least[row["lang"], row["fact"]]
            p, _, source = min(beside)
            assert row["source"] == source
            assert (row["root"] == "shared") == (p * len(beside) <= 0.05)

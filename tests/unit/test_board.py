"""A board from its first day: what is put on it, what it says of it, and how it is taken off."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from board_fixtures import a_board, a_run, call, files, good, likes, written
from hypothesis import given
from hypothesis import strategies as st

from data_builders.errors import FactrootsError
from data_builders.factset import GOLDS
from leaderboard.answers import derived, read
from leaderboard.board import Board
from leaderboard.comparable import comparable, differing
from leaderboard.entry import text_of
from leaderboard.index import FILE, indexed, select
from leaderboard.memory import bounded
from leaderboard.names import place, safe
from leaderboard.staging import FOLDER
from leaderboard.validation import check
from leaderboard.writing import add, withdraw
from probe.judging import COLUMNS
from probe.protocols import PRESETS, Protocol
from probe.scores import judge, score
from probe.store import Store

#: The presets that a run of independent masks, joined by spaces, gives.
VIEWS = [name for name, p in PRESETS.items() if (p.scoring, p.join) == ("masks", "space")]
FULL, PLAIN = "zhao2024-full", "kassner2021"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("board")


@pytest.fixture(scope="module")
def run(folder):
    return a_run(folder)


@pytest.fixture(scope="module")
def plain(run, folder):
    return good(run, PLAIN, folder / "plain")


@pytest.fixture(scope="module")
def full(run, folder):
    return good(run, FULL, folder / "full")


@pytest.fixture(scope="module")
def other(folder):
    """The same facts and another model, which is worse."""
    return good(a_run(folder / "other", "tiny/other", lambda r, s, x: -likes(r, s, x)), PLAIN, folder / "other-plain")


@pytest.fixture
def board(plain, full, tmp_path) -> Board:
    return a_board(tmp_path / "board", plain, full)


@pytest.mark.parametrize("gold", GOLDS)
@pytest.mark.parametrize("view", VIEWS)
def test_every_number_follows_from_the_answers(run, view, gold, tmp_path):
    """The per-item file gives the whole record again, to the last digit, under every protocol and gold policy."""
    made = good(run, view, tmp_path, gold)
    result = made.submission.result
    assert result == score(run, Protocol.parse(view), gold)
    numbers = derived(read(made.answers), result, Protocol.parse(result.protocol))
    assert set(numbers) == {"value", "ci", "baselines", "n_scored", "n_unscored", "languages"}
    assert result.model_copy(update=numbers).model_dump() == result.model_dump()


def test_answers_are_the_judged_ones(run, board):
    """What an entry gives is what judging gave, with names for hashes."""
    frame = board.entry(PLAIN).answers()
    judged = judge(run, Protocol.parse(PLAIN), "one", hashed=False)
    assert list(frame.columns) == COLUMNS
    for lang, one in judged.items():
        rows = frame[frame["lang"] == lang].reset_index(drop=True)
        for name in COLUMNS:
            assert rows[name].tolist() == one.frame[name].tolist(), name
    assert frame["item"].iloc[0] == "P36-0" and frame["subject_uri"].iloc[0] == "S0"


def test_what_is_not_defined_is_null_and_never_zero(board):
    frame = board.entry(FULL).answers()
    assert frame["p5"].isna().all() and frame["rr"].isna().all() and not frame["p1"].isna().any()
    assert pq.read_table(board.entry(FULL).answers_path)["p5"].null_count == len(frame)


def test_submit_a_run(run, plain, tmp_path):
    """All records in a run's folder, or those that are named; twice is once."""
    call("init", tmp_path / "b", "--title", "first")
    done = call("submit", run.folder, "--protocol", PLAIN, "--protocol", FULL, "--board", tmp_path / "b")
    assert done.exit_code == 0 and done.output.count("is on the board now") == 2, done.output
    before = files(tmp_path / "b")
    done = call("submit", run.folder, "--protocol", PLAIN, "--board", tmp_path / "b")
    assert done.exit_code == 0 and "is there already" in done.output
    assert files(tmp_path / "b") == before
    assert Board.open(tmp_path / "b").entry(PLAIN).submission == plain.submission
    assert Board.open(tmp_path / "b").title == "first"


def test_submit_a_record_in_a_run(run, tmp_path):
    """A record that was edited is not what its run gives."""
    shutil.copytree(run.folder, tmp_path / "run")
    path = tmp_path / "run" / f"{PLAIN}.json"
    record = score(run, Protocol.parse(PLAIN)).model_dump()
    path.write_text(json.dumps(record))
    call("init", tmp_path / "b")
    path.write_text(json.dumps(record | {"value": record["value"] + 2**-40}))
    done = call("submit", path, "--board", tmp_path / "b")
    assert done.exit_code == 2 and "value: says" in done.stderr and not Board.open(tmp_path / "b").entries()
    path.write_text(json.dumps(record))
    assert call("submit", path, "--board", tmp_path / "b").exit_code == 0


def test_what_the_folder_of_a_run_tells(run, tmp_path):
    """Command, time and roots go in where they are there, and a variant's base by its name."""
    shutil.copytree(run.folder, tmp_path / "run")
    held = json.loads((tmp_path / "run" / "run.json").read_text())
    held["model"] |= {"spec": "tiny/model+runs/it*0.5", "id": "tiny/model+runs/it*0.5", "name": "tiny/model+it*0.5"}
    (tmp_path / "run" / "run.json").write_text(json.dumps(held))
    timing = {
        "command": "probe run",
        "started": "2026-01-31T12:00:00+00:00",
        "seconds": 1.5,
        "threads": 1,
        "parameters": 1234,
    }
    (tmp_path / "run" / "timing.json").write_text(json.dumps(timing))
    (tmp_path / "run" / "roots-1").mkdir()
    roots = {"made_of": {"protocol": PLAIN, "gold": "one", "run": held}, "totals": []}
    for lang, root, value in (("it", "shared", 0.75), ("it", "cue", 0.25), ("", "shared", 0.5)):
        roots["totals"].append({"lang": lang, "root": root, "share": {"value": value}})
    (tmp_path / "run" / "roots-1" / "roots.json").write_text(json.dumps(roots))
    call("init", tmp_path / "b")
    done = call("submit", tmp_path / "run", "--protocol", PLAIN, "--note", "hello", "--board", tmp_path / "b")
    assert done.exit_code == 0 and "not verified: roots" in done.output, done.output
    one = Board.open(tmp_path / "b").entries()[0].submission
    assert (one.command, one.started, one.seconds, one.note) == (*list(timing.values())[:3], "hello")
    assert one.roots == {"it": {"shared": 0.75, "cue": 0.25}, "": {"shared": 0.5}}
    assert (one.variant.base, one.variant.method, one.model) == ("tiny/model", None, "tiny/model+it*0.5")
    shown = call("show", PLAIN, "--board", tmp_path / "b").output
    (tmp_path / "run" / "roots-1" / "roots.json").write_text("{}")
    done = call("submit", tmp_path / "run", "--protocol", PLAIN, "--board", tmp_path / "b")
    assert (
        done.exit_code == 2
        and "roots.json is no record of roots ('made_of' is missing); trace them anew" in done.stderr
    )
    assert all(text in shown for text in ("command: probe run", "note: hello", "roots: shared 50.0 %", "of tiny/model"))
    assert Board.open(tmp_path / "b").entries()[0].submission.parameters == 1234
    held["intervened"] = {"condition": "own", "layer": 2}
    (tmp_path / "run" / "run.json").write_text(json.dumps(held))
    done = call("submit", tmp_path / "run", "--protocol", PLAIN, "--board", tmp_path / "b")
    assert done.exit_code == 2 and "states were changed" in done.stderr


def test_a_variant_tells_its_method_while_it_is_there(run, tmp_path, monkeypatch):
    """How a variant was made, out of its own folder."""
    shutil.copytree(run.folder, tmp_path / "run")
    held = json.loads((tmp_path / "run" / "run.json").read_text())
    held["model"] |= {"spec": "demo+it*0.5", "id": "demo+it*0.5", "name": "demo+it*0.5"}
    (tmp_path / "run" / "run.json").write_text(json.dumps(held))
    base = {"spec": "demo", "id": "demo", "sha256": "0" * 64, "tokenizer": "0" * 64, "model_type": "bert"}
    about = {"kind": "delta", "method": "lt-sft(density=0.02)", "base": base | {"family": "masked", "parameters": 1234}}
    about |= {"tie": "tied", "trained": 1, "stored": 1, "packages": {}, "files": {}}
    (tmp_path / "it").mkdir()
    (tmp_path / "it" / "variant.json").write_text(json.dumps(about))
    monkeypatch.chdir(tmp_path)
    one = good(Store(tmp_path / "run"), PLAIN, tmp_path / "made").submission
    assert (one.variant.base, one.variant.method) == ("demo", "lt-sft(density=0.02)")
    assert check(text_of(one), tmp_path / "made" / "answers.parquet").faults == []


def test_another_score_needs_replace(plain, other, board):
    """Under a name that is taken, another score is refused, and takes the older one's place when told to."""
    before = files(board.root)
    same_name = other.submission.result.model_copy(
        update={"model": plain.submission.result.model, "signature": plain.submission.result.signature}
    )
    changed = other.submission.model_copy(update={"result": same_name})
    with pytest.raises(FactrootsError, match="is there with another score .*; pass --replace"):
        add(board, changed, other.answers)
    assert files(board.root) == before
    assert add(board, changed, other.answers, replace=True).how == "replaced"
    entry = board.entry(PLAIN)
    assert entry.submission == changed and len(entry.answers()) == 48
    assert sum(path.suffix == ".parquet" for path in board.files()) == 2  # the older one's is gone


def test_another_note_is_the_same_submission(plain, board, tmp_path):
    path = written(plain, tmp_path / "s", lambda record: record.update(note="better said"))
    done = call("submit", path, "--board", board.root)
    assert "is there already" in done.output and board.entry(PLAIN).submission.note == ""
    assert "in an older one's place" in call("submit", path, "--board", board.root, "--replace").output
    assert board.entry(PLAIN).submission.note == "better said"


def test_all_or_nothing(plain, other, tmp_path):
    """One bad submission among several, and none is put on the board."""
    call("init", tmp_path / "b")
    before = files(tmp_path / "b")
    paths = [written(other, tmp_path / "s"), written(plain, tmp_path / "t", lambda r: r["result"].update(value=0.123))]
    done = call("submit", *paths, "--board", tmp_path / "b")
    assert done.exit_code == 2 and "one thing is wrong, and nothing was submitted" in done.stderr
    assert files(tmp_path / "b") == before
    done = call("submit", paths[0], paths[0], "--board", tmp_path / "b")
    assert done.exit_code == 0 and "is there already" in done.output


def test_withdrawn(plain, board):
    """A withdrawn submission is gone, its reason stays, and it comes back only when told to."""
    before = files(board.root)
    done = call("withdraw", PLAIN, "--why", "the wrong checkpoint", "--board", board.root)
    assert done.exit_code == 0 and [entry.submission.result.protocol for entry in board.entries()] == [FULL]
    line = json.loads((board.root / "withdrawn.jsonl").read_text())
    assert line["why"] == "the wrong checkpoint" and line["value"] == plain.submission.result.value
    with pytest.raises(FactrootsError, match=r"was withdrawn \(the wrong checkpoint\); pass --replace"):
        add(board, plain.submission, plain.answers)
    assert add(board, plain.submission, plain.answers, replace=True).how == "new"
    assert add(board, plain.submission, plain.answers).how == "there"
    after = files(board.root)
    assert len(after.pop("withdrawn.jsonl").splitlines()) == 2 and after == before


def test_withdraw_says_why(board):
    for why, reason in ((" ", "is empty"), ("a\nb", "control character"), ("x" * 600, "600 characters")):
        done = call("withdraw", PLAIN, "--why", why, "--board", board.root)
        assert done.exit_code == 2 and reason in done.stderr
    assert len(board.entries()) == 2


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_round_trip(board, tmp_path, name):
    """What is exported can be submitted, and makes the same board to the byte."""
    assert call("export", tmp_path / name, "--to", "json", "--board", board.root).output.endswith("2 submissions\n")
    call("init", tmp_path / "b", "--title", "a board")
    done = call("submit", tmp_path / name, "--board", tmp_path / "b")
    assert done.exit_code == 0 and done.output.count("is on the board now") == 2, done.output
    assert files(tmp_path / "b") == files(board.root)
    again = call("export", tmp_path / name, "--to", "json", "--board", board.root)
    assert again.exit_code == 2 and "is there already" in again.stderr


def test_the_same_board_gives_the_same_zip_file(board, tmp_path):
    for name in ("a.zip", "b.zip"):
        call("export", tmp_path / name, "--to", "json", "--board", board.root)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_tables(plain, board, tmp_path):
    """As CSV and Parquet: a row for each submission and language, the numbers as they are."""
    call("export", tmp_path / "t.csv", "--to", "csv", "--board", board.root)
    call("export", tmp_path / "t.parquet", "--to", "parquet", "--board", board.root)
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text().splitlines()))
    typed = pq.read_table(tmp_path / "t.parquet").to_pylist()
    assert len(rows) == len(typed) == 6
    assert [float(row["value"]) for row in rows] == [row["value"] for row in typed]
    mine = {row["lang"]: row for row in typed if row["protocol"] == PLAIN}
    result = plain.submission.result
    assert mine[""]["value"] == result.value and mine[""]["low"] == result.ci.low
    assert mine["ja"]["value"] == result.languages[1].all.value and mine["ja"]["n"] == 24


def test_a_spreadsheet_computes_nothing(plain, tmp_path):
    """A model's name that a spreadsheet would take for a formula is a text in the table."""
    from leaderboard.exporting import to_csv

    result = plain.submission.result
    name = "=cmd()"
    model = result.model | {"spec": name, "id": name}
    signed = result.signature.replace("model:tiny/model", f"model:{name}")
    evil = plain.submission.model_copy(
        update={"result": result.model_copy(update={"model": model, "signature": signed})}
    )
    board = Board.create(tmp_path / "b")
    add(board, evil, plain.answers)
    to_csv(board, tmp_path / "t.csv")
    assert {row["model"] for row in csv.DictReader((tmp_path / "t.csv").open())} == {"'=cmd()"}


def test_list(board, other):
    """Those that mean the same stand together, the best first; filters narrow it."""
    add(board, other.submission, other.answers)
    rows = json.loads(call("list", "--json", "--board", board.root).output)["rows"]
    kinds = [row["class"] for row in rows]
    assert kinds == sorted(kinds) and len(set(kinds)) == 2
    best = [row["value"] for row in rows if row["protocol"] == PLAIN]
    assert len(best) == 2 and best == sorted(best, reverse=True)
    assert call("list", "--board", board.root).output.count("tiny/") == 3
    for words, count in ((["--model", "OTHER"], 1), (["--protocol", "zhao"], 1), (["--factset", "langs=it"], 3)):
        found = json.loads(call("list", *words, "--json", "--board", board.root).output)["rows"]
        assert len(found) == count and {row["lang"] for row in found} == {""}
    ja = json.loads(call("list", "--lang", "ja", "--json", "--board", board.root).output)["rows"]
    assert {row["lang"] for row in ja} == {"ja"} and len(ja) == 3
    missing = call("list", "--lang", "fr", "--board", board.root)
    assert missing.exit_code == 2 and "there are: it ja" in missing.stderr
    assert call("list", "--model", "no such", "--board", board.root).output == "no submission fits\n"
    assert call("list", "--model", "'; DROP TABLE board; --", "--board", board.root).output == "no submission fits\n"


def test_the_index_follows_from_the_files(board, plain, other):
    """It may be lost, broken or out of date: what is listed is what lies there."""
    whole = indexed(board)
    assert len(whole) == 6 and (board.root / FILE).exists()
    (board.root / FILE).unlink()
    assert indexed(board).equals(whole)
    (board.root / FILE).write_bytes(b"PAR1 and no more")
    assert indexed(board).equals(whole)
    add(board, other.submission, other.answers)
    assert len(indexed(board)) == 9
    shutil.rmtree(board.entry("tiny-other").path.parents[2])
    assert indexed(board).equals(whole)
    withdraw(board, board.entry(PLAIN), "no more")
    assert len(indexed(board)) == 3
    assert select(indexed(board), "it")["value"].to_pylist() == [0.0]


def test_the_index_is_read_where_nothing_can_be_written(board, monkeypatch):
    from leaderboard import index

    def full(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(index, "write_atomically", full)
    assert len(indexed(board)) == 6 and not (board.root / FILE).exists()


def test_show(board, plain):
    shown = call("show", PLAIN, "--board", board.root).output
    assert plain.submission.result.signature in shown.replace("\n", "") and "from: factroots" in shown
    assert json.loads(call("show", PLAIN, "--json", "--board", board.root).output) == plain.record
    for name in ("tiny", "nothing"):
        done = call("show", name, "--board", board.root)
        assert done.exit_code == 2 and f"called '{name}':" in done.stderr and PLAIN in done.stderr


def test_the_board_around(board, monkeypatch):
    """Without --board it is the one that the folder is in."""
    monkeypatch.chdir(board.entry(PLAIN).path.parent)
    assert len(json.loads(call("list", "--json").output)["rows"]) == 2
    monkeypatch.chdir(board.root.parent)
    done = call("list")
    assert done.exit_code == 2 and "this folder is in no board; pass --board DIR" in done.stderr


def test_init(board, tmp_path):
    for folder, reason in ((board.root, "is a board already"), (tmp_path, "is not empty; name a new folder")):
        done = call("init", folder)
        assert done.exit_code == 2 and reason in done.stderr
    assert "control character" in call("init", tmp_path / "c", "--title", "a\nb").stderr
    (tmp_path / "d" / ".git").mkdir(parents=True)
    assert call("init", tmp_path / "d").exit_code == 0
    assert "/.index.parquet" in (tmp_path / "d" / ".gitignore").read_text().splitlines()


def test_a_board_of_another_version(board):
    path = board.root / "board.json"
    path.write_text('{"schema_version": 2, "title": ""}')
    assert "schema_version: Input should be 1" in call("list", "--board", board.root).stderr
    path.write_text('{"schema_version": 1, "title": "a\\u202eb"}')
    assert "title holds a character that hides or reorders text, U+202E" in call("list", "--board", board.root).stderr
    path.write_text("{")
    assert "is not readable JSON" in call("list", "--board", board.root).stderr


def edit(path: Path, **more) -> None:
    record = json.loads(path.read_text())
    record["result"] |= more
    path.write_text(json.dumps(record))


def test_validate_a_board(board):
    """A board is checked like a stranger's: its records, its files, and where they lie."""
    assert call("validate", "--board", board.root).output == "2 checked, 0 things are wrong\n"
    plain = board.entry(PLAIN)
    edit(plain.path, value=0.9)
    done = call("validate", "--board", board.root, "--json")
    (fault,) = json.loads(done.output)["faults"]
    assert done.exit_code == 1 and fault["name"] == plain.name and fault["what"].startswith("value: says 0.9")
    edit(plain.path, value=plain.submission.result.value)
    moved = plain.path.with_name("better.json")
    plain.path.rename(moved)
    answers = plain.answers_path.rename(plain.answers_path.with_name(plain.answers_path.name.replace(PLAIN, "better")))
    assert f"lies where another belongs; its place is {plain.name}" in call("validate", "--board", board.root).output
    moved.rename(plain.path)
    answers.rename(plain.answers_path)
    (plain.path.parent / "notes.txt").write_text("mine")
    (plain.path.parent / "link.json").symlink_to(plain.path)
    said = call("validate", "--board", board.root).output
    assert "notes.txt: belongs to no submission" in said and "link.json is a symbolic link" in said
    assert (plain.path.parent / "notes.txt").exists()


@pytest.mark.parametrize("what", ["record", "answers", "folder"])
def test_validate_a_part_of_a_board(board, what):
    """As a hook before a commit does: files of the board are checked as its own."""
    entry = board.entry(PLAIN)
    path = {"record": entry.path, "answers": entry.answers_path, "folder": entry.path.parent}[what]
    count = 2 if what == "folder" else 1
    assert call("validate", path).output == f"{count} checked, 0 things are wrong\n"
    edit(entry.path, value=0.9)
    done = call("validate", path)
    assert done.exit_code == 1 and "value: says 0.9" in done.output


def test_validate_what_is_not_there(board):
    """A path that is no part of the board is not passed over."""
    stray = board.entry(PLAIN).path.with_name("notes.txt")
    done = call("validate", stray)
    assert done.exit_code == 1 and "notes.txt: is not there" in done.output
    stray.write_text("mine")
    assert "notes.txt: belongs to no submission" in call("validate", stray).output


def test_a_submission_has_its_protocol(plain, tmp_path):
    call("init", tmp_path / "b")
    done = call("submit", written(plain, tmp_path / "s"), "--protocol", FULL, "--board", tmp_path / "b")
    assert done.exit_code == 2 and "is no run, and has its protocol already; leave --protocol out" in done.stderr


def test_what_dead_writers_left_is_swept(board):
    """Folders of writers that died and answers without their record go; a writer at work is left alone."""
    from data_builders.folder import lock

    before = files(board.root)
    entry = board.entry(PLAIN)
    (entry.path.parent / "kassner2021.0123456789ab.parquet").write_bytes(b"x")
    dead, alive = (board.root / FOLDER / name for name in ("dead", "alive"))
    for folder in (dead, alive):
        folder.mkdir(parents=True)
        (folder / "answers").write_bytes(b"x")
    with lock(alive):
        call("validate", "--board", board.root)
        assert not dead.exists() and (alive / "answers").exists()
    call("validate", "--board", board.root)
    assert files(board.root) == before and not alive.exists()


def test_answers_that_were_lost_are_brought_back(plain, board):
    board.entry(PLAIN).answers_path.unlink()
    assert "without its per-item file" in call("validate", "--board", board.root).output
    with pytest.raises(FactrootsError, match="is not there; `probe leaderboard validate` says what is left"):
        board.entry(PLAIN).answers()
    assert add(board, plain.submission, plain.answers).how == "replaced"
    assert len(board.entry(PLAIN).answers()) == 48


def test_a_broken_record_is_named(board):
    path = board.entry(PLAIN).path
    path.write_text("{}")
    for words in (["list"], ["show", PLAIN]):
        done = call(*words, "--board", board.root)
        assert done.exit_code == 2 and f"{path}: result: Field required; `probe leaderboard validate`" in done.stderr


def test_a_linked_board_is_refused(board):
    (board.root / "submissions").rename(board.root.parent / "away")
    (board.root / "submissions").symlink_to(board.root.parent / "away")
    assert "submissions is a symbolic link" in call("list", "--board", board.root).stderr


def test_classes(plain, full, other, run, tmp_path):
    """Another model is comparable; another protocol, gold policy or tie rule is not, and the parts are named."""
    assert comparable(plain.submission) == comparable(other.submission)
    assert differing(plain.submission, other.submission) == []
    said = differing(plain.submission, full.submission)
    assert "protocol: kassner2021 / zhao2024-full" in said and "candidates: relation / vocabulary" in said
    anyone = good(run, PLAIN, tmp_path / "any", "any").submission
    assert differing(plain.submission, anyone) == [
        "facts: facts(langs=it;ja) / facts(langs=it;ja,gold=any)",
        "gold: one / any",
    ]
    ties = good(run, "kassner2021(ties=optimistic)", tmp_path / "ties").submission
    assert "ties: expected / optimistic" in differing(plain.submission, ties)
    data = plain.submission.result.data | {"sha256": "f" * 64}
    changed = plain.submission.model_copy(update={"result": plain.submission.result.model_copy(update={"data": data})})
    assert differing(plain.submission, changed) == [f"data: {plain.submission.result.data['sha256'][:8]} / ffffffff"]


def test_places(plain):
    """What decides a number decides its place; paths and capital letters of a record do not lead anywhere."""
    result = plain.submission.result

    def at(**model) -> str:
        changed = result.model_copy(update={"model": result.model | model})
        return str(place(plain.submission.model_copy(update={"result": changed})))

    assert at() == str(place(plain.submission))
    assert len({at(), at(sha256="1" * 64), at(dtype="bfloat16"), at(revision="1" * 40), at(revision=None)}) == 5
    assert at(spec="../../etc/passwd", id="/etc/passwd") == at()
    name = result.signature.replace("model:tiny/model", "model:../../etc/passwd")
    evil = plain.submission.model_copy(update={"result": result.model_copy(update={"signature": name})})
    assert ".." not in place(evil).parts and str(place(evil)).startswith("etc-passwd-")


@given(st.text(max_size=80), st.text(max_size=80))
def test_names_are_safe_and_differ(a, b):
    """On any file system, also where capital letters do not count."""
    for text in (a, b):
        name = safe(text)
        assert name == name.lower() and name.isascii() and len(name) <= 70
        assert not set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789._-")
        assert name[0] not in "._-" and name[-1] not in "._-"
        assert name.partition(".")[0] not in {"con", "prn", "aux", "nul", "com1", "lpt9"}
    assert (safe(a) == safe(b)) == (a == b)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("kassner2021", "kassner2021"),
        ("xlm-roberta-base", "xlm-roberta-base"),
        ("con", "x-con-"),
        ("nul.txt", "x-nul.txt-"),
        ("..", "x-"),
        ("", "x-"),
        ("日本", "x-"),
        ("Qwen", "qwen-"),
        ("a-01234567", "a-01234567-"),
    ],
)
def test_names(text, name):
    assert safe(text) == name if not name.endswith("-") else safe(text).startswith(name)


def test_memory_is_bounded():
    """Whoever asks for more than it said gets an error, and the bound ends with the block."""
    import numpy as np

    with bounded(64 << 20):
        np.zeros(1 << 20)
        with pytest.raises(MemoryError):
            np.zeros(1 << 30)
    assert len(np.zeros(1 << 24)) == 1 << 24


def test_check_says_all_at_once(plain, tmp_path):
    """Everything that is wrong is said in one go, each in a line of its own."""

    def many(record: dict) -> None:
        record["rank"] = 1
        record["note"] = "<b>"
        record["answers"]["sha256"] = "0" * 64
        record["result"]["value"] = 0.123
        record["result"]["languages"][0]["all"]["mrr"] = 0.5
        record["result"]["model"]["dtype"] = "float16"
        record["n"] = 3

    path = written(plain, tmp_path / "s", many)
    faults = check(path.read_bytes(), path.with_suffix(".parquet")).faults
    for said in (
        "rank: is a key",
        "note looks like HTML",
        "answers.sha256",
        "value: says",
        "it.all.mrr",
        "dtype",
        "n: is 3",
    ):
        assert sum(said in fault for fault in faults) == 1, said
    assert not any("\n" in fault for fault in faults)

"""A site written whole: its files, its bytes, what stands in its place, and one who dies while it is written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from site_fixtures import made_up

from data_builders.errors import FactrootsError
from data_builders.folder import lock
from data_builders.progress import Quiet
from leaderboard.board import Board
from leaderboard.site import facts
from leaderboard.site.build import build
from leaderboard.site.content import Content
from leaderboard.site.labels import Labels
from leaderboard.site.replacing import replacing
from leaderboard.site.wording import language, root_names
from probe.cli import main

ROOT = Path(__file__).parents[2]
MODELS = ["org/a", "org/b", "org/c"]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def board():
    return made_up(MODELS)


def write(board, folder: Path):
    return build(board, folder, Labels(), Quiet())


def test_the_same_board_gives_the_same_bytes(board, tmp_path):
    built = write(board, tmp_path / "one")
    write(made_up(MODELS), tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert (built.models, built.submissions) == (3, 3)
    files = set(contents(tmp_path / "one"))
    assert {"index.html", "pair.html", "board.csv", "site.json", "data/board.js", "assets/plotly.min.js"} <= files
    assert sum(name.startswith("models/") for name in files) == 3
    assert sum(name.startswith("data/facts-") for name in files) == 4  # one a language; pairs have no files
    assert len([name for name in files if name.startswith("data/")]) == 1 + 4 + 3


def test_pages_load_nothing_from_elsewhere_and_hold_no_script(board, tmp_path):
    write(board, tmp_path / "site")
    for path in (tmp_path / "site").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "http://" not in text and "https://" not in text
        assert text.count("<script") == text.count("<script src=") and "style=" not in text
        assert "script-src &#x27;self&#x27; file:;" in text


def test_a_board_without_submissions_has_a_page(tmp_path):
    write(Content("Empty", []), tmp_path / "site")
    assert "probe leaderboard submit" in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")


def test_an_older_site_is_replaced_and_anything_else_refused(board, tmp_path):
    folder = tmp_path / "site"
    write(board, folder)
    (folder / "models" / "gone.html").write_text("an older model")
    write(board, folder)
    assert not (folder / "models" / "gone.html").exists()
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("mine")
    with pytest.raises(FactrootsError, match=r"thesis holds something that is no site; name another .*--output"):
        write(board, tmp_path / "thesis")
    assert contents(tmp_path / "thesis") == {"chapter.tex": b"mine"}
    assert names(tmp_path) == ["site", "thesis"]


def test_a_build_that_fails_leaves_the_old_site(board, tmp_path):
    folder = tmp_path / "site"
    write(board, folder)
    before = contents(folder)
    with pytest.raises(RuntimeError), replacing(folder) as part:
        (part / "index.html").write_text("half")
        raise RuntimeError
    assert contents(folder) == before and names(tmp_path) == ["site"]


def test_two_at_once_are_told_so(tmp_path):
    with lock(tmp_path / ".site.work"), pytest.raises(FactrootsError, match="--output"), replacing(tmp_path / "site"):
        pass


@pytest.mark.parametrize("moment", ["in the block", "between the moves"])
def test_a_kill_leaves_the_old_site_or_what_brings_it_back(board, tmp_path, moment):
    folder = tmp_path / "site"
    write(board, folder)
    before = contents(folder)
    program = textwrap.dedent(f"""
        import os, signal
        from pathlib import Path
        from leaderboard.site.replacing import replacing
        rename = Path.rename
        def dying(path, to):
            rename(path, to)
            if {moment == "between the moves"}:
                os.kill(os.getpid(), signal.SIGKILL)
        Path.rename = dying
        with replacing(Path({str(folder)!r})) as part:
            (part / "site.json").write_text("{{}}")
            if {moment == "in the block"}:
                os.kill(os.getpid(), signal.SIGKILL)
    """)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    assert folder.exists() == (moment == "in the block")
    with pytest.raises(RuntimeError), replacing(folder):  # the next comes, and fails for another reason
        raise RuntimeError
    assert contents(folder) == before and names(tmp_path) == ["site"]


def test_a_row_that_only_stands_in_another_table_has_no_page_of_it(board, tmp_path):
    one = board.tables[0]
    away = one.rows[1]._replace(own=False, rank=None, lacks=["languages: it"])
    table = one._replace(rows=[one.rows[0], away])
    built = write(board._replace(tables=[table]), tmp_path / "site")
    assert (built.models, built.submissions) == (1, 1)
    assert (tmp_path / "site" / "data" / f"{away.id}.js").exists()  # it can be compared all the same


rows = st.lists(
    st.tuples(
        st.sampled_from(["it", "ja"]), st.sampled_from(["P1", "P2"]), st.sampled_from("abcdé"), st.integers(0, 1)
    ),
    unique=True,
    min_size=1,
)


@settings(deadline=None)
@given(st.lists(rows, min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_answers_are_read_back_for_every_fact(asked, draw):
    frames = []
    for own in asked:
        frame = pd.DataFrame(own, columns=["lang", "relation", "item", "template"])
        rank = np.array([draw.choice([1, 2, 34, 35, 80, np.nan]) for _ in own])
        frames.append(frame.assign(p1=[draw.choice([0.0, 0.25, 0.5, 1.0]) for _ in own], rr=1 / rank))
    known = facts.facts(frames, ["ja", "it"])
    every = {tuple(row) for own in asked for row in own}
    listed = {
        lang: [
            (lang, own["relations"][relation], item, template)
            for relation, item, template in zip(own["relation"], own["item"], own["template"], strict=True)
        ]
        for lang in known.ends
        for own in [facts.asked(known, lang, {})]
    }
    assert sorted(row for own in listed.values() for row in own) == sorted(every)
    for frame in frames:
        told = facts.answers(frame, known)
        by_key = {tuple(row[:4]): row[4:] for row in frame.itertuples(index=False)}
        assert set(told) == set(frame["lang"])
        for lang, own in told.items():
            for key, right, rank in zip(listed[lang], own["right"], own["rank"], strict=True):
                if key not in by_key:
                    assert (right, rank) == ("-", "-")
                    continue
                p1, rr = by_key[key]
                assert right == ("1" if p1 >= 0.5 else "0")
                assert rank == (
                    "-" if np.isnan(rr) else "z" if round(1 / rr) >= 35 else np.base_repr(round(1 / rr), 36).lower()
                )


def test_names_come_from_the_atlas_and_from_sets_that_are_named(write_jsonl, tmp_path):
    assert ("Francia", "Parigi") in Labels().of("atlas(relations=P36)", "it").values()
    row = {"relation": "P1", "subject_uri": "S", "subject": "s"}
    write_jsonl(
        "set/facts-it.jsonl", {**row, "object_uri": "A", "object": "a"}, {**row, "object_uri": "B", "object": "b"}
    )
    spec = f"facts:{tmp_path / 'set'}"
    assert Labels([spec]).of("facts", "it") == {"P1|S|A": ("s", "a"), "P1|S|B": ("s", "b"), "P1|S": ("s", "a, b")}
    assert Labels().of(spec, "it") == {}  # a path that a submission names is not followed
    assert Labels().of("no such set", "it") == {} and Labels().of("atlas", "xx") == {}


def test_languages_have_names():
    assert [language(code) for code in ("it", "zh", "ceb", "x-y", "")] == [
        "Italian",
        "Chinese",
        "Cebuano",
        "x-y",
        "",
    ]


def test_roots_are_shown_once_and_in_order():
    names = ["undecided", "cue", "cue:prior", "transferred", "shared", "cue:pieces", "independent"]
    expected = ["shared", "independent", "transferred", "cue:pieces", "cue:prior", "undecided"]
    assert root_names(names) == expected
    assert root_names(["cue", "shared", "new"]) == ["shared", "cue", "new"]


def call(*words: str):
    return CliRunner().invoke(main, ["leaderboard", "build", *words])


def test_the_command_builds_and_says_where(tmp_path):
    root = Board.create(tmp_path / "board", "Empty").root
    done = call("--board", str(root), "--quiet")
    assert done.exit_code == 0 and done.output == f"0 submissions of 0 models: {root / 'site' / 'index.html'}\n"
    done = call("--board", str(root), "--output", str(tmp_path / "elsewhere"), "--quiet")
    assert done.exit_code == 0 and (tmp_path / "elsewhere" / "index.html").exists()
    assert contents(tmp_path / "elsewhere") == contents(root / "site")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--output", "{board}"], "holds something that is no site; name another folder with --output"),
        (["--traced", "{board}"], "holds no tracing (no roots.json); make one with `probe trace-roots`"),
        (["--corpus", "{board}"], "holds no built corpus"),
        (["--facts", "mlama(x=1)"], "unknown fact set parameter 'x'"),
    ],
)
def test_mistakes_are_said_and_nothing_is_written(tmp_path, words, said):
    root = Board.create(tmp_path / "board", "Empty").root
    done = call("--board", str(root), "--quiet", *(word.format(board=root) for word in words))
    assert done.exit_code == 2 and said in done.output, done.output
    assert not (root / "site").exists() and names(tmp_path) == ["board"]


def test_bytes_do_not_depend_on_the_process(tmp_path):
    """Sets of strings have another order in each process."""
    program = textwrap.dedent("""
        import sys
        sys.path.insert(0, "tests")
        from pathlib import Path
        from site_fixtures import made_up
        from data_builders.progress import Quiet
        from leaderboard.site.build import build
        from leaderboard.site.labels import Labels
        build(made_up(["a", "b", "c", "d", "e", "f"]), Path(sys.argv[1]), Labels(), Quiet())
    """)
    for seed in ("1", "2"):
        words = [sys.executable, "-c", program, str(tmp_path / seed)]
        subprocess.run(words, cwd=ROOT, check=True, env={**os.environ, "PYTHONHASHSEED": seed})
    assert contents(tmp_path / "1") == contents(tmp_path / "2")

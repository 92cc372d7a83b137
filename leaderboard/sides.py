"""The two sides of a check or a comparison: runs, records in them, or entries of a board, under one protocol."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from data_builders.errors import FactrootsError
from data_builders.factset import FactSet
from data_builders.folder import read_json
from leaderboard.board import Board
from leaderboard.comparable import comparable, differing
from leaderboard.entry import Entry
from leaderboard.matrix import COLUMNS
from leaderboard.submission import OURS, Submission
from leaderboard.submitting import results_of
from leaderboard.text import shown
from probe import passes
from probe.protocols import Protocol
from probe.results import Result
from probe.scores import judge, score
from probe.store import Store


class NotComparable(FactrootsError):
    """Two numbers mean different things; the message says in which parts."""


class Side(NamedTuple):
    """What is compared: its model, what its number means, and its answers (:data:`leaderboard.matrix.COLUMNS`)."""

    name: str
    submission: Submission
    frame: pd.DataFrame

    @property
    def cells(self) -> set[tuple[str, str]]:
        """The languages and relations that it has an answer in."""
        return set(self.frame.groupby(["lang", "relation"], observed=True).groups)


def sides(baseline: Path, run: Path, protocol: str | None = None, model: str | None = None) -> tuple[Side, Side]:
    """Read both, the run under the baseline's protocol and gold policy where it is a folder, and so could have any.

    `baseline` is a board (then `model` names one of its entries, unless only one is comparable), a record on a board, a
    run's folder or a record in it. Raises :class:`NotComparable` where the two mean different things.
    """
    wanted = protocol and str(Protocol.parse(protocol))
    if (Path(baseline) / "board.json").is_file():
        return _on_board(Board.open(baseline), Path(run), wanted, model)
    if wanted is None and Path(run).is_file():
        wanted = _side(Path(run), None, None).submission.result.protocol
    a = _side(Path(baseline), wanted, None)
    b = _like(Path(run), a.submission)
    check_comparable(a, b)
    return a, b


def check_comparable(a: Side, b: Side) -> None:
    """Raises :class:`NotComparable` with every part in which the two differ, and what b lacks of what a has."""
    reasons = differing(a.submission, b.submission)
    lacking = sorted({lang for lang, _ in a.cells} - {lang for lang, _ in b.cells})
    cells = sorted(f"{relation} in {lang}" for lang, relation in a.cells - b.cells if lang not in lacking)
    reasons += [f"languages missing: {', '.join(lacking)}"] if lacking else []
    reasons += [f"relations missing: {', '.join(cells[:5])}{' …' * (len(cells) > 5)}"] if cells else []
    if reasons:
        said = "; ".join(shown(reason, 300) for reason in reasons)
        raise NotComparable(f"not comparable (baseline / run): {said}")


def _on_board(board: Board, run: Path, protocol: str | None, model: str | None) -> tuple[Side, Side]:
    entries = [entry for entry in board.entries() if entry.submission.answers and _named(entry, model)]
    if protocol is not None:
        entries = [entry for entry in entries if entry.submission.result.protocol == protocol]
    if not entries:
        raise FactrootsError(f"{board.root} has no entry{f' called {model!r}' if model else ''} to check against")
    made: dict[tuple[str, str], Side] = {}
    for entry in entries:
        key = _means(entry.submission)
        if key not in made and _serves(run, Protocol.parse(key[0])):
            made[key] = _like(run, entry.submission)
    pairs = [(entry, made[key]) for entry in entries if (key := _means(entry.submission)) in made]
    same = [(e, b) for e, b in pairs if comparable(e.submission) == comparable(b.submission)]
    if len(same) > 1:
        names = "\n".join(f"  {entry.name}" for entry, _ in same)
        raise FactrootsError(f"several entries are comparable; name one with --model:\n{names}")
    if not (same or pairs):
        protocols = ", ".join(sorted({entry.submission.result.protocol for entry in entries}))
        raise NotComparable(f"not comparable: {run} holds no pass that can be scored under {protocols}")
    entry, b = same[0] if same else min(pairs, key=lambda one: len(differing(one[0].submission, one[1].submission)))
    a = of_entry(entry)
    check_comparable(a, b)
    return a, b


def of_entry(entry: Entry) -> Side:
    """An entry of a board."""
    return Side(entry.submission.model, entry.submission, entry.answers(COLUMNS))


def _named(entry: Entry, model: str | None) -> bool:
    return model is None or model in (entry.submission.model, entry.name) or model in entry.name


def _means(submission: Submission) -> tuple[str, str]:
    """The protocol and the gold policy: what a run can be looked at under."""
    return submission.result.protocol, FactSet.parse(str(submission.result.data["spec"])).gold


def _like(path: Path, submission: Submission) -> Side:
    """A run under the protocol and gold policy of a submission; a record keeps its own."""
    return _side(path, *_means(submission))


def _side(path: Path, protocol: str | None, gold: str | None) -> Side:
    if path.is_file() and "result" in read_json(path):
        board = Board.enclosing(path.parent)
        return of_entry(board.entry(board.name_of(path.absolute())))
    return _of_run(path, protocol, gold)


def _of_run(path: Path, protocol: str | None, gold: str | None) -> Side:
    store = Store(path if path.is_dir() else path.parent)
    result = results_of(path)[1][0] if path.is_file() else _result(store, protocol, gold)
    submission = Submission(
        result=result,
        n=result.n_scored + sum(result.n_unscored.values()),
        answers=None,
        origin=OURS,
        unverified=[],
    )
    judged = judge(store, Protocol.parse(result.protocol), FactSet.parse(str(result.data["spec"])).gold, hashed=False)
    frames = [one.frame[COLUMNS].astype({"lang": object, "relation": object}) for one in judged.values()]
    return Side(submission.model, submission, pd.concat(frames, ignore_index=True))


def _result(store: Store, protocol: str | None, gold: str | None) -> Result:
    """The record of a run's folder under a protocol, kept there or made now."""
    named = Protocol.parse(protocol or passes.DEFAULT[store.read()["model"]["family"]])
    policy = named.of(gold or FactSet.parse(store.read()["facts"]).gold)
    kept = results_of(store.folder, (str(named),))[1]
    own = [one for one in kept if FactSet.parse(str(one.data["spec"])).gold == policy]
    return own[0] if own else score(store, named, policy)


def _serves(path: Path, protocol: Protocol) -> bool:
    """Whether a run's pass is one that the protocol can look at."""
    run = Store(path if path.is_dir() else path.parent).read()
    family = run["model"]["family"]
    if (protocol.scoring, family) not in passes.WAYS:
        return False
    return passes.serves(run["scoring"], passes.needed(protocol, family, run["data"]["langs"]))

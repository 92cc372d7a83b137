"""The run itself: every question of every language put to the model once, and kept."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple
from typing import Protocol as Interface

import pyarrow as pa

from data_builders.factset import OpenFactSet
from fine_tuning.models import Loaded
from probe.items import answered, candidate_rows, unanswered
from probe.memory import give_back
from probe.prompts import Question, relations
from probe.scoring.encode import encode, token_limit
from probe.scoring.masked import Candidates, MaskedScorer, Scores, batches
from probe.signature import version
from probe.store import Store


class Progress(Interface):
    """Who wants to know how far a run is."""

    def start(self, lang: str, facts: int) -> None: ...
    def advance(self, facts: int) -> None: ...


def describe(data: OpenFactSet, loaded: Loaded) -> dict:
    """Everything that decides a run's content: its ``run.json``, and what its folder's default name is derived from.

    The gold policy is left out: it is a view on the same content.
    """
    tokenizer = loaded.tokenizer
    spec = data.spec
    return {
        "schema_version": 1,
        "version": version(),
        "facts": str(replace(spec, gold="one")),
        "data": {
            "sha256": data.sha256,
            "langs": list(data.langs),
            "bad_rows": len(data.problems.found),
        },
        "candidates": "given" if data.given else "relation",
        "model": {
            "spec": str(loaded.spec),
            "id": loaded.id,
            "name": Path(loaded.id).name if loaded.spec.is_local and loaded.spec.name != "demo" else str(loaded.id),
            "revision": loaded.revision,
            "sha256": loaded.sha256,
            "dtype": loaded.dtype,
            "device": loaded.model.device.type,
            "vocab_size": loaded.model.config.vocab_size,
            "unk_id": tokenizer.unk_token_id,
            "space_id": tokenizer.get_vocab().get("▁"),
        },
    }


def default_folder(run: dict) -> Path:
    """``runs/<model>-<facts>-<hash>``, the hash over all that decides the numbers."""
    digest = hashlib.sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()[:10]
    name = f"{Path(run['model']['spec']).name}-{run['facts'].partition('(')[0].partition(':')[0]}"
    return Path("runs") / f"{name}-{digest}"


def execute(data: OpenFactSet, loaded: Loaded, store: Store, progress: Progress) -> None:
    """Score every language that is not finished yet, and leave the finished files in `store`."""
    scorer = MaskedScorer(loaded.model, loaded.tokenizer)
    for lang in data.langs:
        facts = len(data.table(lang))
        progress.start(lang, facts)
        if store.items(lang).exists():
            store.items(lang).with_suffix(".part").unlink(missing_ok=True)
            progress.advance(facts)
            continue
        candidates: list[pa.RecordBatch] = []
        with store.journal(lang) as (done, add):
            for number, step in enumerate(_steps(data, lang, loaded, scorer, candidates)):
                if number >= done:
                    add(step.run())
                    give_back()
                progress.advance(step.facts)
            store.add_candidates(lang, candidates)


class _Step(NamedTuple):
    """A batch of questions, run only when it is called for: a resumed run passes over those that are done."""

    facts: int
    run: Callable[[], pa.RecordBatch]


def _steps(data: OpenFactSet, lang: str, loaded: Loaded, scorer: MaskedScorer, tables: list) -> Iterator[_Step]:
    def tokenize(labels: list[str]) -> list[list[int]]:
        return loaded.tokenizer(labels, add_special_tokens=False)["input_ids"]

    limit = token_limit(loaded.model, loaded.tokenizer)
    for relation in relations(data, lang, tokenize):
        tables.append(candidate_rows(relation))
        candidates = Candidates(relation.tokens)
        asked = defaultdict(list)  # by sentence: namesakes ask the same, and it is run once for all of them
        for question in relation.questions:
            asked[question.prompt].append(question)
        nothing = asked.pop(None, [])
        encoded = encode(loaded.tokenizer, list(asked), max(1, candidates.most), limit)
        groups = list(zip(encoded, asked.values(), strict=True))
        faults = [(q, "no template for the relation") for q in nothing]
        faults += [(q, code.fault) for code, questions in groups if code.fault for q in questions]
        if faults:
            yield _step(faults, partial(unanswered, relation.name, faults))
        for batch in batches(encoded):
            yield _step(
                [(q, None) for i in batch for q in groups[i][1]],
                partial(_answer, scorer, relation.name, candidates, [groups[i] for i in batch]),
            )


def _step(questions: list[tuple[Question, str | None]], run: Callable[[], pa.RecordBatch]) -> _Step:
    return _Step(sum(len(question.facts) for question, _ in questions), run)


def _answer(scorer: MaskedScorer, relation: str, candidates: Candidates, groups: list) -> pa.RecordBatch:
    """Run a batch of sentences and give each question that asks one its scores."""
    scores = scorer.score([code for code, _ in groups], candidates)
    rows = [i for i, (_, questions) in enumerate(groups) for _ in questions]
    questions = [q for _, group in groups for q in group]
    return answered(relation, questions, Scores(scores.logprob[rows], scores.argmax[rows]))

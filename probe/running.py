"""The run itself: every question of every language put to the model once, and kept."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from data_builders.facts import OBJECT
from data_builders.factset import OpenFactSet
from data_builders.progress import Quiet, progress
from fine_tuning.model_spec import ModelSpec
from fine_tuning.models import Loaded
from probe import passes
from probe.items import answered, candidate_rows
from probe.memory import give_back
from probe.prompts import Question, Tokenize, capital, relations
from probe.scoring.encode import glue
from probe.scoring.scorer import Answer, Ask, Candidates, Scorer, Work, batches
from probe.signature import version
from probe.store import SCHEMA_VERSION, Store


def describe(data: OpenFactSet, loaded: Loaded, scoring: str) -> dict:
    """Everything that decides a run's content: its ``run.json``, and what its folder's default name is derived from.

    `scoring` is the pass over the model (:mod:`probe.passes`). The gold policy is left out: it is a view on the same
    content.
    """
    tokenizer = loaded.tokenizer
    spec = data.spec
    return {
        "schema_version": SCHEMA_VERSION,
        "version": version(),
        "facts": str(replace(spec, gold="one")),
        "data": {
            "sha256": data.sha256,
            "langs": list(data.langs),
            "bad_rows": len(data.problems.found),
        },
        "candidates": "given" if data.given else "relation",
        "scoring": scoring,
        "model": {
            "spec": str(loaded.spec),
            "id": loaded.id,
            "name": called(loaded.spec, loaded.id),
            "family": loaded.family,
            "quantization": loaded.quantization,
            "revision": loaded.revision,
            "sha256": loaded.sha256,
            "dtype": loaded.dtype,
            "device": loaded.model.device.type,
            "vocab_size": loaded.model.config.vocab_size,
            "unk_id": tokenizer.unk_token_id,
            "space_id": tokenizer.get_vocab().get("▁"),
        },
    }


def called(spec: ModelSpec, id: str) -> str:
    """What a signature calls the model: no path of this machine, but variants by their folders' own names."""
    base = spec.location if spec.name != "demo" and spec.is_local else None
    variants = [str(one._replace(folder=Path(one.folder).name)) for one in spec.variants]
    return "+".join([Path(base).name if base else id.partition("+")[0], *variants])


def default_folder(run: dict) -> Path:
    """``runs/<model>-<facts>-<hash>``, the hash over all that decides the numbers."""
    digest = hashlib.sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()[:10]
    name = f"{Path(run['model']['name']).name}-{run['facts'].partition('(')[0].partition(':')[0]}"
    return Path("runs") / f"{name}-{digest}"


def carry_out(data: OpenFactSet, loaded: Loaded, scoring: str, store: Store, quiet: bool) -> None:
    """Make or finish a run in its folder, alone there, with progress on the terminal."""
    with store.lock():
        store.claim(describe(data, loaded, scoring))
        with progress(quiet) as bar:
            execute(data, loaded, store, bar)


def execute(data: OpenFactSet, loaded: Loaded, store: Store, progress: Quiet) -> None:
    """Score every language that is not finished yet, and leave the finished files in `store`."""
    scoring = store.read()["scoring"]
    scorer = passes.scorer(scoring, loaded.model, loaded.tokenizer)
    for lang in data.langs:
        facts = len(data.table(lang))
        progress.start(lang, facts)
        if store.items(lang).exists():
            store.items(lang).with_suffix(".part").unlink(missing_ok=True)
            progress.advance(facts, before=True)
            continue
        candidates: list[pa.RecordBatch] = []
        with store.journal(lang) as (done, add):
            steps = _steps(data, lang, tokenizing(loaded.tokenizer, lang, scoring), scorer, scoring, candidates)
            for number, step in enumerate(steps):
                if number >= done:
                    add(step.run())
                    give_back()
                progress.advance(step.facts, before=number < done)
            store.add_candidates(lang, candidates)


def tokenizing(tokenizer, lang: str, scoring: str) -> Tokenize:
    """How candidates become token ids: alone, without special tokens.

    Where masks are joined without spaces a candidate does not begin with one either (SentencePiece's lone "▁").
    """
    space = tokenizer.get_vocab().get("▁") if glue(passes.parts(scoring)["join"], lang) == "" else None

    def tokenize(labels: list[str]) -> list[list[int]]:
        found = tokenizer(labels, add_special_tokens=False)["input_ids"]
        return [ids[1:] if len(ids) > 1 and ids[0] == space else ids for ids in found]

    return tokenize


class _Step(NamedTuple):
    """A batch of questions, run only when it is called for: a resumed run passes over those that are done."""

    facts: int
    run: Callable[[], pa.RecordBatch]


def _steps(data, lang: str, tokenize: Tokenize, scorer: Scorer, scoring: str, tables: list) -> Iterator[_Step]:
    values, chooses = passes.parts(scoring), getattr(scorer, "chooses", True)
    for relation in relations(data, lang, tokenize, values["shots"], values["case"]):
        tables.append(candidate_rows(relation))
        asked = defaultdict(list)  # by what is asked: namesakes ask the same, and it is run once for all of them
        faults = []
        for question in relation.questions:
            if fault := _unaskable(question):
                faults.append((question, Answer(fault=fault)))
            elif question.facts or passes.has_priors(scoring):
                asked[Ask(question.prompt, question.given if chooses else None, question.context)].append(question)
        works = []
        for labels, asks in by_labels(relation.labels, asked, values["case"]):
            works.append((scorer.work(asks, Candidates(labels, relation.tokens, lang)), [asked[ask] for ask in asks]))
            for fault, group in zip(works[-1][0].faults, works[-1][1], strict=True):
                faults += [(question, Answer(fault=fault)) for question in group if fault]
        if faults:
            yield _step([q for q, _ in faults], partial(answered, relation.name, *zip(*faults, strict=True)))
        for work, groups in works:
            for batch in batches(work):
                held = [groups[i] for i in batch]
                run = partial(_answer, relation.name, work, batch, held, chooses)
                yield _step([q for group in held for q in group], run)


def by_labels(labels: list[str], asks: Iterable[Ask], case: str) -> Iterator[tuple[list[str], list[Ask]]]:
    """Asks with the labels that fill them: where a label begins a sentence that is to begin so, with a capital."""
    first, others = [], []
    for ask in asks:
        (first if case == "capital" and ask.prompt.startswith(OBJECT) else others).append(ask)
    yield from ((own, part) for own, part in ((labels, others), ([capital(x) for x in labels], first)) if part)


def _unaskable(question: Question) -> str | None:
    if question.prompt is None:
        return "no template for the relation"
    if question.prompt.count(OBJECT) != 1:
        return "the prompt holds a mask or a slot of its own"
    return None if question.scored else "one of the shots"


def _step(questions: Sequence[Question], run: Callable[[], pa.RecordBatch]) -> _Step:
    return _Step(sum(len(question.facts) for question in questions), run)


def _answer(relation: str, work: Work, batch: list[int], groups: list[list[Question]], chosen: bool) -> pa.RecordBatch:
    """Run a batch of sentences and give each question that asks one its answer."""
    pairs = [(q, a) for group, a in zip(groups, work.score(batch), strict=True) for q in group]
    return answered(relation, *zip(*((q, a if chosen else _among(a, q.given)) for q, a in pairs), strict=True))


def _among(answer: Answer, given: tuple[int, ...] | None) -> Answer:
    """An answer over all candidates, narrowed to those that were given."""
    if given is None or answer.logprob is None:
        return answer
    return answer._replace(logprob=answer.logprob[list(given)])

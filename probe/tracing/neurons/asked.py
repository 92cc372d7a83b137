"""From questions to what a model reads for its neurons: one input a fact, and the places where its answer is said."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from data_builders.errors import FactrootsError
from data_builders.facts import OBJECT
from data_builders.factset import OpenFactSet
from fine_tuning.models import Loaded
from probe import passes
from probe.prompts import Question, Relation, capital, relations
from probe.running import tokenizing
from probe.scoring.encode import encode, glue, token_limit
from probe.scoring.filled import opening

if TYPE_CHECKING:
    from probe.tracing.neurons.model import Model

#: How facts are put to a model of each family, if nothing else is said (:mod:`probe.passes`).
SCORING = {"masked": "masks", "causal": "sentence"}


class Asked(NamedTuple):
    """A fact in a language, as the model reads it.

    ids : the input.
    places : of the input, those whose output predicts the answer: its masks, or in a causal LM the tokens before its.
    targets : the answer's tokens, one for each place.
    """

    fact: str
    subject_uri: str
    ids: tuple[int, ...]
    places: tuple[int, ...]
    targets: tuple[int, ...]


#: The facts of a relation in a language, by relation in order of name.
Questions = Iterator[tuple[str, list[Asked]]]


def questions(
    data: OpenFactSet,
    loaded: Loaded,
    lang: str,
    right: Collection[str] | None = None,
    scoring: str | None = None,
    unasked: Counter[str] | None = None,
) -> Questions:
    """Every fact of a language (of those in `right`, if given) under its relation's first template.

    A masked LM reads the prompt with as many masks as the object has tokens, a causal LM the sentence with the object
    in it. `scoring` is the pass that the facts were scored by; facts that cannot be asked so are counted in `unasked`
    by the reason. Raises FactrootsError for a model that is neither masked nor causal.
    """
    able(loaded)
    scoring = scoring or SCORING[loaded.family]
    parts = passes.parts(scoring)
    for relation in relations(data, lang, tokenizing(loaded.tokenizer, lang, scoring), parts["shots"], parts["case"]):
        held, faults = [], Counter() if unasked is None else unasked
        for question in relation.questions:
            own = [(f, g) for f, g in zip(question.facts, question.golds, strict=True) if right is None or f in right]
            if own and question.template == 0 and (fault := _fault(question, parts["shots"])):
                faults[fault] += len(own)
            elif question.template == 0:
                held += [(question, fact, gold) for fact, gold in own]
        made = WAYS[loaded.family](loaded, relation, held, parts, lang) if held else []
        faults.update(asked for asked in made if isinstance(asked, str))
        yield relation.name, [asked for asked in made if not isinstance(asked, str)]


def able(model: Loaded | Model) -> None:
    """Raises FactrootsError for a model whose neurons are not to be traced."""
    if model.family not in WAYS:
        raise FactrootsError(
            f"model {model.spec} is a {model.family} LM, and neurons are traced in {' and '.join(WAYS)} LMs; "
            "choose another --model"
        )


def _fault(question: Question, shots: int) -> str | None:
    if question.prompt is None:
        return "no template for the relation"
    if question.prompt.count(OBJECT) != 1:
        return "the prompt holds a mask or a slot of its own"
    return "one of the shots" if shots and not question.scored else None


Held = Sequence[tuple[Question, str, int]]


def _masked(loaded: Loaded, relation: Relation, held: Held, parts: dict, lang: str) -> list[Asked | str]:
    """Prompts with their masks, or why there are none, in the order of `held`."""
    tokenizer, limit = loaded.tokenizer, token_limit(loaded.model, loaded.tokenizer)
    between, made = glue(parts["join"], lang), {}
    by_length = defaultdict(list)
    for number, (_, _, gold) in enumerate(held):
        by_length[len(relation.tokens[gold])].append(number)
    for number in by_length.pop(0, []):
        made[number] = "the object has no tokens"
    for masks, numbers in by_length.items():
        prompts = [held[i][0].context + held[i][0].prompt for i in numbers]
        for i, code in zip(numbers, encode(tokenizer, prompts, masks, limit, between), strict=True):
            question, fact, gold = held[i]
            if code.fault:
                made[i] = code.fault
                continue
            ids = code.ids[-1]
            places = tuple(place for place, token in enumerate(ids) if token == tokenizer.mask_token_id)
            made[i] = Asked(fact, question.subject_uri, tuple(ids), places, tuple(relation.tokens[gold]))
    return [made[i] for i in range(len(held))]


def _causal(loaded: Loaded, relation: Relation, held: Held, parts: dict, lang: str) -> list[Asked | str]:
    """Filled sentences. The answer's tokens are all that share a character with it, whatever else they hold."""
    tokenizer, limit = loaded.tokenizer, token_limit(loaded.model, loaded.tokenizer)
    before, spans, texts = opening(tokenizer), [], []
    for question, _, gold in held:
        left, _, right = question.prompt.partition(OBJECT)
        label = relation.labels[gold]
        if parts["case"] == "capital" and not left:
            label = capital(label)
        start = len(question.context + left)
        spans.append((start, start + len(label)))
        texts.append(question.context + left + label + right)
    encodings = tokenizer(texts, add_special_tokens=False).encodings
    made: list[Asked | str] = []
    for (question, fact, _), (start, end), encoding in zip(held, spans, encodings, strict=True):
        ids = [*before, *encoding.ids]
        own = said(encoding, start, end, len(before))
        if not own:
            made.append("the object has no tokens")
        elif len(ids) > limit:
            made.append(f"the prompt is longer than the model's {limit} tokens")
        else:
            places = tuple(i - 1 for i in own)
            made.append(Asked(fact, question.subject_uri, tuple(ids), places, tuple(ids[i] for i in own)))
    return made


def said(encoding, start: int, end: int, before: int) -> list[int]:
    """The places of the tokens that share a character with [start, end) of a text, `before` others standing first."""
    return [i for i, (a, b) in enumerate(encoding.offsets, before) if a < end and b > start]


WAYS: dict[str, Callable[..., list[Asked | str]]] = {"masked": _masked, "causal": _causal}

"""Facts in sentences, and these as token ids with what is asked of them: as the prober reads and asks them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from data_builders.facts import OBJECT, Template
from data_builders.factset import OpenFactSet
from fine_tuning.models import Loaded
from fine_tuning.training.loss import IGNORED
from fine_tuning.training.text import token_limit


class Statement(NamedTuple):
    """A fact in a sentence whose object stands at ``[Y]``."""

    fact: str
    prompt: str
    object: str

    @property
    def text(self) -> str:
        return self.prompt.replace(OBJECT, self.object)


def statements(data: OpenFactSet, lang: str) -> Iterator[Statement]:
    """Each fact of a language by each of its templates, or by the prompt of its own."""
    templates: dict[str, list[Template]] = defaultdict(list)
    for template in data.templates(lang):
        templates[template.relation].append(template)
    for row in data.table(lang).to_pylist():
        own = (
            [row["prompt"]]
            if row.get("prompt")
            else [t.fill(row["subject"], OBJECT) for t in templates[row["relation"]]]
        )
        for prompt in own:
            yield Statement(row["fact"], prompt, row["object"])


def capitalised(statement: Statement) -> Statement:
    """The sentence with a capital letter first."""
    prompt, answer = (text[:1].upper() + text[1:] for text in (statement.prompt, statement.object))
    return statement._replace(prompt=prompt, object=answer if prompt.startswith(OBJECT) else statement.object)


def masked_rows(one: Loaded, found: Sequence[Statement], _: bool) -> Iterable[dict | str]:
    """Rows, or why there is none: see :mod:`probe.scoring.encode`, whose ids these are."""
    tokenizer, limit = one.tokenizer, token_limit(one)
    if not found:
        return
    wanted = tokenizer([s.object for s in found], add_special_tokens=False)["input_ids"]
    masks = [" ".join([tokenizer.mask_token] * len(ids)) for ids in wanted]
    asked = tokenizer([s.prompt.replace(OBJECT, m) for s, m in zip(found, masks, strict=True)], verbose=False)[
        "input_ids"
    ]
    for ids, own in zip(asked, wanted, strict=True):
        places = [i for i, token in enumerate(ids) if token == tokenizer.mask_token_id]
        if fault := _fault(tokenizer, own, ids, limit):
            yield fault
        elif len(places) != len(own):
            yield "with a mask or a slot of their own"
        else:
            labels = [IGNORED] * len(ids)
            for place, token in zip(places, own, strict=True):
                labels[place] = token
            yield {"ids": ids, "labels": labels}


def causal_rows(one: Loaded, found: Sequence[Statement], sentence: bool) -> Iterable[dict | str]:
    """Rows, or why there is none. A beginning is always there, and an end never, as the prober has it."""
    tokenizer, limit = one.tokenizer, token_limit(one)
    if not found:
        return
    first = next(i for i in (tokenizer.bos_token_id, tokenizer.eos_token_id) if i is not None)
    coded = tokenizer([s.text for s in found], add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    for statement, ids, offsets in zip(found, coded["input_ids"], coded["offset_mapping"], strict=True):
        at = statement.prompt.index(OBJECT)
        start, end = (
            len(statement.prompt[:at].rstrip()),
            at + len(statement.object),
        )  # a space may be a token of its own
        holds = [sentence or (begin < end and (stop > start or begin == stop == start)) for begin, stop in offsets]
        labels = [token if h else IGNORED for token, h in zip(ids, holds, strict=True)]
        own = [token for token in labels if token != IGNORED]
        yield _fault(tokenizer, own, [first, *ids], limit) or {"ids": [first, *ids], "labels": [IGNORED, *labels]}


def _fault(tokenizer, own: list[int], ids: list[int], limit: int) -> str | None:
    if not own:
        return "without a token"
    if tokenizer.unk_token_id is not None and tokenizer.unk_token_id in own:
        return "unknown to the tokenizer"
    return "longer than the model reads" if len(ids) > limit else None

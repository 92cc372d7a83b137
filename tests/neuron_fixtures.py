"""Tiny models of every kind with facts to ask them, and the slowest way to see and to change their neurons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import torch
from causal_fixtures import byte_level, sentence_piece, tiny_causal
from probe_fixtures import loaded, tiny_model, unigram, wordpiece

from data_builders.factset import FactSet
from fine_tuning.models import Loaded
from probe.tracing.neurons.asked import Asked, questions
from probe.tracing.neurons.find import NEURONS

#: Kind, by the fixtures' name of it: its family, its maker, its tokenizer.
KINDS = {
    "bert": ("masked", tiny_model, wordpiece),
    "xlm-roberta": ("masked", tiny_model, lambda: unigram(True)),
    "gpt2": ("causal", tiny_causal, byte_level),
    "llama": ("causal", tiny_causal, sentence_piece),
    "gemma3": ("causal", tiny_causal, sentence_piece),
}
#: Where each kind has its second linear layers, written out once more.
SECOND = {
    "bert": "bert.encoder.layer.{}.output.dense",
    "xlm-roberta": "roberta.encoder.layer.{}.output.dense",
    "gpt2": "transformer.h.{}.mlp.c_proj",
    "llama": "model.layers.{}.mlp.down_proj",
    "gemma3": "model.layers.{}.mlp.down_proj",
}


def tiny(kind: str, seed: int = 0) -> Loaded:
    """A tiny model; its weights are not so wide that one token has all the probability."""
    family, make, tokenizer = KINDS[kind]
    tokenizer = tokenizer()
    model = make(kind, tokenizer, seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(0.4)
    return loaded(model, tokenizer)._replace(family=family)


def asked_of(one: Loaded, facts: str, lang: str = "it", **more) -> list[tuple[str, list[Asked]]]:
    return list(questions(FactSet.parse(facts).open(), one, lang, **more))


@contextmanager
def by_hand(kind: str, model, change: Callable[[int, torch.Tensor], torch.Tensor | None]):
    """Put a function before both layers, with nothing of the code that is tested."""
    handles = [
        model.get_submodule(SECOND[kind].format(i)).register_forward_pre_hook(
            lambda _, args, i=i: None if (new := change(i, args[0])) is None else (new,)
        )
        for i in range(2)
    ]
    yield
    for handle in handles:
        handle.remove()


def slow_logprob(model, one: Asked) -> torch.Tensor:
    """log p of a fact's answer, a sum over its tokens, from the whole model on the fact alone."""
    logits = model(input_ids=torch.tensor([one.ids])).logits[0]
    return torch.log_softmax(logits, -1)[list(one.places), list(one.targets)].sum()


def slow_activations(kind: str, model, one: Asked) -> np.ndarray:
    """A fact's activations [neurons], averaged over its answer's places, from the fact alone."""
    seen = {}
    with by_hand(kind, model, lambda i, x: seen.__setitem__(i, x)), torch.no_grad():
        model(input_ids=torch.tensor([one.ids]))
    return np.concatenate([seen[i][0, list(one.places)].mean(dim=0).numpy() for i in range(2)])


def tops_of(rows: Sequence[tuple[str, str, str, Sequence[int]]]) -> pa.Table:
    """A table of first neurons from (fact, relation, language, neurons); each fact is of a subject of its own."""
    return pa.Table.from_pylist(
        [
            {
                "fact": fact,
                "relation": relation,
                "subject_uri": f"S:{fact}",
                "lang": lang,
                "neurons": list(neurons),
                "weights": [0.0] * len(neurons),
            }
            for fact, relation, lang, neurons in rows
        ],
        NEURONS,
    )

"""The cross-entropy at the places that a batch asks about, without logits for any other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

#: The label of a place at which nothing is asked, as everywhere in transformers.
IGNORED = -100


def asked(labels: Tensor, causal: bool) -> tuple[Tensor, Tensor]:
    """Where the vocabulary head has to be read, bool as `labels` [n, t], and what should stand there [asked].

    A causal LM says a token at the place before it; the first token of a text is never asked for.
    """
    if not causal:
        places = labels != IGNORED
        return places, labels[places]
    places = torch.zeros_like(labels, dtype=torch.bool)
    places[:, :-1] = labels[:, 1:] != IGNORED
    return places, labels[:, 1:][places[:, :-1]]


def summed_loss(model, batch: Mapping[str, Tensor], causal: bool) -> tuple[Tensor, int]:
    """The sum of the cross-entropies in float32, and over how many tokens it goes.

    The vocabulary's matrix, most of the work in a small model, is multiplied at the asked places alone.
    """
    inputs = {name: tensor for name, tensor in batch.items() if name != "labels"}
    places, wanted = asked(batch["labels"], causal)
    with _only(model, places):
        logits = model(**inputs, use_cache=False).logits if causal else model(**inputs).logits
    if logits.dim() == 3:  # a head that is none of torch's modules
        logits = logits[places]
    return cross_entropy(logits.float(), wanted, reduction="sum"), len(wanted)


@contextmanager
def _only(model, places: Tensor) -> Iterator[None]:
    """The model's head sees the hidden states [n, t, d] at `places` alone."""
    head = model.get_output_embeddings()

    def pick(_, args):
        states = args[0]
        return (states[places],) if states.shape[:2] == places.shape else None

    handle = head.register_forward_pre_hook(pick) if head is not None else None
    try:
        yield
    finally:
        if handle:
            handle.remove()


@torch.no_grad()
def mean_loss(
    model,
    rows: Sequence[dict],
    collate: Callable[[list], dict],
    batch: int,
    causal: bool,
    speaking: Callable[[str | None], AbstractContextManager] = nullcontext,
) -> float:
    """The mean cross-entropy over every asked token of `rows`, with nothing dropped; NaN where nothing is asked.

    `speaking` is entered with the ``lang`` of a batch, if it says one.
    """
    training = model.training
    model.eval()
    total, number = 0.0, 0
    for some in _of_one_language(rows, batch):
        made = collate(some)
        with speaking(made.pop("lang", None)):
            loss, tokens = summed_loss(model, {name: t.to(model.device) for name, t in made.items()}, causal)
        total, number = total + float(loss), number + tokens
    model.train(training)
    return total / number if number else float("nan")


def _of_one_language(rows: Sequence[dict], most: int) -> Iterator[list[dict]]:
    """The rows in batches of at most `most`, none of which has two languages, where rows say theirs."""
    some: list[dict] = []
    for row in (rows[i] for i in range(len(rows))):
        if some and (len(some) == most or row.get("lang") != some[0].get("lang")):
            yield some
            some = []
        some.append(row)
    if some:
        yield some

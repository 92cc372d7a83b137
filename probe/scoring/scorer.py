"""What every way of scoring has in common: sentences in, and for each what its candidates are worth out.

A way of scoring is a class whose instances hold a model and its tokenizer. :meth:`Scorer.work` looks at all sentences
of a relation without running the model; :meth:`Work.score` runs it on some of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

#: Tokens that a batch of sentences has the model read: what a kill can lose.
BATCH_TOKENS = 4096


class Ask(NamedTuple):
    """A sentence that holds ``[Y]`` once.

    ``choice`` are the places of the candidates that it chooses among, None for all of them. ``context`` is text that
    stands before the sentence and is read but never scored (the shots of a k-shot prompt, their separator included).
    """

    prompt: str
    choice: tuple[int, ...] | None = None
    context: str = ""


class Candidates(NamedTuple):
    """The candidates of a relation in a language. ``tokens`` are their ids when tokenised alone, without specials."""

    labels: Sequence[str]
    tokens: Sequence[Sequence[int]]
    lang: str


class Answer(NamedTuple):
    """What is kept of one sentence; a part that a way of scoring does not give is None.

    fault : why there is no answer; every other part is then None.
    logprob : float32 [c], a candidate's summed log-probability, parallel to the ask's choice (or to all candidates);
        NaN for a candidate that cannot be scored.
    count : int32 [c], the tokens that each sum runs over; None: the candidate's own tokens.
    argmax : int32 [K(K+1)/2], the most probable token at each mask for 1, 2, .. K masks, one after another.
    normaliser : float32 [K], for 1, 2, .. K masks the sum over the masks of the log of the softmax's denominator, so
        that logprob + normaliser[m - 1] is the sum of a candidate's m raw logits.
    texts : for 1, 2, .. K masks what the model filled in.
    confidence : float32 [K], the summed log-probability of each of the texts.
    """

    fault: str | None = None
    logprob: np.ndarray | None = None
    count: np.ndarray | None = None
    argmax: np.ndarray | None = None
    normaliser: np.ndarray | None = None
    texts: tuple[str, ...] | None = None
    confidence: np.ndarray | None = None


def not_finite(model) -> str:
    """The fault of an ask whose logits hold NaN or infinity."""
    return f"the model's logits are not finite in {str(model.dtype).removeprefix('torch.')}"


class Work(Protocol):
    """All sentences of a relation in one language, prepared.

    sizes : the tokens that the model will read for each ask, at least about.
    faults : why an ask cannot be put, as far as that is known before the model runs, or None.
    """

    sizes: Sequence[int]
    faults: Sequence[str | None]

    def score(self, which: Sequence[int]) -> list[Answer]:
        """Run the model on these asks (by number); an answer each, in the same order."""


class Scorer(Protocol):
    """A way of scoring, with its model and tokenizer.

    An optional attribute ``chooses`` (True where there is none) says whether an ask's choice saves work; where it does
    not, asks are put with all candidates.
    """

    def work(self, asks: Sequence[Ask], candidates: Candidates) -> Work: ...


def batches(work: Work, tokens: int = BATCH_TOKENS) -> Iterator[list[int]]:
    """The faultless asks in batches of at most `tokens` tokens (at least one ask), sorted by size.

    The order depends on the asks alone, so that a resumed run cuts the same batches.
    """
    order = sorted((i for i, fault in enumerate(work.faults) if fault is None), key=lambda i: (work.sizes[i], i))
    batch, held = [], 0
    for i in order:
        if batch and held + work.sizes[i] > tokens:
            yield batch
            batch, held = [], 0
        batch.append(i)
        held += work.sizes[i]
    if batch:
        yield batch

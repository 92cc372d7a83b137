"""One forward pass over facts, of which only the places where answers are said ever meet the vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import linear

from fine_tuning.models import Loaded
from probe.scoring.causal import CausalScorer
from probe.scoring.masked import MaskedScorer
from probe.scoring.runs import RUN_TOKENS, halved, padded, runs
from probe.scoring.scorer import BATCH_TOKENS
from probe.tracing.neurons.asked import Asked, able
from probe.tracing.neurons.hooks import feed_forward

#: Logits, or activations for a gradient, that are held at a time: 64 MB of float32, a few times that with the graph.
CELLS = 1 << 24


class Ends(NamedTuple):
    """A model in two: token ids and attention mask to states [n, length, d], and states [m, d] to logits [m, V].

    ``joined`` is up to how many tokens inputs of several lengths are run together, 0 where padding does harm.
    """

    states: Callable[[Tensor, Tensor | None], Tensor]
    logits: Callable[[Tensor], Tensor]
    joined: int


def _masked(loaded: Loaded) -> Ends:
    scorer = MaskedScorer(loaded.model, loaded.tokenizer)
    halves = scorer.halves
    if halves is None:
        whole = lambda ids, attention: loaded.model(input_ids=ids, attention_mask=attention).logits  # noqa: E731
        return Ends(whole, lambda states: states, scorer.joined)
    logits = lambda states: linear(halves.transform(states), halves.weight, halves.bias)  # noqa: E731
    return Ends(halves.encode, logits, scorer.joined)


def _causal(loaded: Loaded) -> Ends:
    head = CausalScorer(loaded.model, loaded.tokenizer).model.head
    # what fills a row up stands behind all that is read, so that no mask is needed
    states = lambda ids, _: head.states(input_ids=ids)  # noqa: E731
    return Ends(states, lambda states: head.logits(states, 0, head.size), RUN_TOKENS)


#: By family. Both have been tried to give the model's own logits.
ENDS = {"masked": _masked, "causal": _causal}


class Batch(NamedTuple):
    """Facts laid out for one pass.

    ids, attention : int64 [n, length]; attention is None where nothing is padded.
    row, column : int64 [e], where the answers are said, fact by fact.
    targets : int64 [e], what is said there.
    """

    ids: Tensor
    attention: Tensor | None
    row: Tensor
    column: Tensor
    targets: Tensor

    def sums(self, values: Tensor) -> Tensor:
        """Values [e, ..] at the answers' places, summed for each fact [n, ..], in float32."""
        shape = (len(self.ids), *values.shape[1:])
        return torch.zeros(shape, device=values.device).index_add_(0, self.row, values.float())

    def means(self, values: Tensor) -> Tensor:
        """The same, averaged over a fact's places."""
        counts = torch.bincount(self.row, minlength=len(self.ids))
        return self.sums(values) / counts.reshape(-1, *[1] * (values.dim() - 1))


class Reader:
    """Has a model read facts; `neurons` are its feed-forward layers (:mod:`probe.tracing.neurons.hooks`).

    Raises FactrootsError for a model that is neither masked nor causal, or whose layers are not found.
    """

    def __init__(self, loaded: Loaded, tokens: int = BATCH_TOKENS):
        able(loaded)
        self.model = loaded.model
        self.neurons = feed_forward(loaded.model)
        self.ends = ENDS[loaded.family](loaded)
        self.tokens, self.pad = tokens, loaded.tokenizer.pad_token_id or 0

    def each(self, asked: Sequence[Asked], run: Callable[[Batch, Sequence[int]], None], graph: bool = False) -> None:
        """Have `run` deal with all facts, some of about one length at a time; it is told their numbers.

        Fewer at a time when memory runs out, and where the activations of all layers are kept for a `graph`.
        """
        tokens = min(self.tokens, max(1, CELLS // self.neurons.total)) if graph else self.tokens

        def dealt(which: Sequence[int]) -> None:
            run(self.batch([asked[i] for i in which]), which)

        for which in runs([len(one.ids) for one in asked], tokens, self.ends.joined):
            halved(dealt, which, self._smaller)

    def _smaller(self) -> None:
        self.tokens = max(1, self.tokens // 2)

    def batch(self, asked: Sequence[Asked]) -> Batch:
        ids, attention = padded([one.ids for one in asked], self.pad, self.model.device)
        row = np.repeat(np.arange(len(asked)), [len(one.places) for one in asked])
        parts = (row, [p for one in asked for p in one.places], [t for one in asked for t in one.targets])
        return Batch(ids, attention, *(torch.as_tensor(part, device=ids.device) for part in parts))

    def states(self, batch: Batch) -> Tensor:
        """What the answers are read off, [e, d]."""
        return self.ends.states(batch.ids, batch.attention)[batch.row, batch.column]

    def logprob(self, states: Tensor, targets: Tensor) -> Tensor:
        """log p(target | state), float32 [e]."""
        return torch.cat([self._logprob(*part) for part in self._parts(states, targets)])

    def gradient(self, states: Tensor, targets: Tensor) -> Tensor:
        """The gradient [e, d] of the summed log-probability with respect to `states`."""
        found = []
        for part, own in self._parts(states.detach(), targets):
            leaf = part.requires_grad_()
            found += torch.autograd.grad(self._logprob(leaf, own).sum(), [leaf])
        return torch.cat(found)

    def _logprob(self, states: Tensor, targets: Tensor) -> Tensor:
        logits = self.ends.logits(states).float()
        return logits.gather(1, targets[:, None])[:, 0] - logits.logsumexp(dim=1)

    def _parts(self, states: Tensor, targets: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        rows = max(1, CELLS // self.model.config.get_text_config().vocab_size)
        return zip(states.split(rows), targets.split(rows), strict=True)


@contextmanager
def constant(model: torch.nn.Module) -> Iterator[None]:
    """Within the block no gradient reaches a model's weights, so that none is computed for them."""
    held = [parameter for parameter in model.parameters() if parameter.requires_grad]
    try:
        for parameter in held:
            parameter.requires_grad_(False)
        with torch.enable_grad():
            yield
    finally:
        for parameter in held:
            parameter.requires_grad_(True)

"""A causal LM that reads a trie: which short cuts give its own logits is tried once, and no other is taken."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from data_builders.errors import FactrootsError
from probe.scoring.blocks import Blocks, Whole
from probe.scoring.rows import Row, paths, trees
from probe.scoring.trie import Trie

#: What configurations call the stretch of text that local attention sees. Trees wider than it are never run.
WINDOWS = ("sliding_window", "window_size", "attention_chunk_size", "attention_window_size", "local_attention")

#: Logits that are held at a time where a model cannot be cut: 256 MB of float32.
WHOLE_CELLS = 1 << 26


class CausalModel:
    """Lays a trie's nodes out in rows and runs them.

    tree : whether a row may hold branches, told apart by their positions and by a mask. It may not where attention
        goes by a token's place in the row (ALiBi), and where there is none (Mamba).
    head : hidden states to logits, a block of the vocabulary at a time (:class:`probe.scoring.blocks.Blocks`).
    """

    def __init__(self, model, ids: Sequence[int]):
        """`ids` are eight ordinary token ids to try the model on.

        Raises FactrootsError when a later token changes what the model says of an earlier one.
        """
        self.model = model
        config = model.config.get_text_config()
        windows = [getattr(config, name, None) for name in WINDOWS]
        self.window = min((w for w in windows if isinstance(w, int) and w > 0), default=None)
        trial = Trie([[*ids[:4], ids[4 + n], *ids[n : 2 * n]] for n in range(4)])
        alone = [self._tensor(trial.token[path])[None] for path in _own(trial)]
        self._try(trial, torch.cat([Whole(model).states(input_ids=ids)[0] for ids in alone]))

    def most_tokens(self, tokens: int) -> int:
        """How many tokens to read at a time, given `tokens`: fewer where every one brings the whole vocabulary."""
        return min(tokens, max(1, WHOLE_CELLS // self.head.size)) if isinstance(self.head, Whole) else tokens

    def rows(self, trie: Trie, wanted: np.ndarray) -> list[Row]:
        """The nodes `wanted`, which hold all their ancestors, in rows that this model can read."""
        deep = trie.depth[wanted].max() + 1
        if not self.tree or (self.window is not None and 2 * deep > self.window):
            return paths(trie, wanted)
        return trees(trie, wanted, widest=self.window)

    def states(self, trie: Trie, rows: Sequence[Row]) -> Tensor:
        """The states [rows, length, d] of every place of `rows`, from which the head makes logits."""
        length, size = max(len(row.nodes) for row in rows), len(trie)
        # What fills a row up are nodes beyond the trie that see themselves alone.
        beyond = np.arange(size, size + length)
        nodes = np.tile(beyond, (len(rows), 1))
        for place, row in enumerate(rows):
            nodes[place, : len(row.nodes)] = row.nodes
        ids, depth = (np.append(part, np.zeros_like(beyond))[nodes] for part in (trie.token, trie.depth))
        if (depth[:, 1:] > depth[:, :-1])[nodes[:, 1:] < size].all():
            return self.head.states(input_ids=self._tensor(ids))  # paths, which any causal model reads
        first, end = self._tensor(nodes), self._tensor(np.append(trie.end, beyond + 1)[nodes])
        seen = (first[:, None, :] <= first[:, :, None]) & (first[:, :, None] < end[:, None, :])
        mask = torch.zeros(seen.shape, dtype=self.model.dtype, device=seen.device)
        mask.masked_fill_(~seen, torch.finfo(mask.dtype).min)
        return self.head.states(
            input_ids=self._tensor(ids), attention_mask=mask[:, None], position_ids=self._tensor(depth)
        )

    def _try(self, trial: Trie, whole: Tensor) -> None:
        """Set `tree` and `head` to the fastest that give the model's own logits at every token of every sequence."""
        eps = torch.finfo(self.model.dtype).eps
        for make in (Blocks, Whole):
            for self.tree in (True, False):
                try:
                    self.head = make(self.model)
                    if _apart(self._logits(trial), whole) <= max(1e-4, 4 * eps):
                        return
                except Exception:  # an architecture that cannot take a short cut fails in its own way
                    continue
        # Now every short cut is off: noise passes (NaN too, which is the caller's), a bidirectional model does not.
        if _apart(self._logits(trial), whole) > max(2e-3, 8 * eps):
            raise FactrootsError(
                f"model type {self.model.config.model_type} is no causal LM as configured: "
                "what follows a token changes its probability; score it as a masked LM"
            )

    def _logits(self, trial: Trie) -> Tensor:
        """The logits at every token of every sequence of `trial`, one sequence after another."""
        every = np.arange(len(trial))
        rows = trees(trial, every) if self.tree else paths(trial, every)
        read = zip(self.states(trial, rows), rows, strict=True)
        states = torch.cat([states[row.fresh : len(row.nodes)] for states, row in read])
        return self.head.logits(states, 0, self.head.size)[np.concatenate(_own(trial))]

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self.model.device)


def _own(trie: Trie) -> list[np.ndarray]:
    return [path[path >= 0] for path in trie.paths]


def _apart(ours: Tensor, whole: Tensor) -> float:
    """How far logits are from the model's own, relative to how much those vary (a constant is nothing to a softmax)."""
    whole = whole.float()
    spread = whole - whole.mean(dim=1, keepdim=True)
    return float((ours.float() - whole).norm() / spread.norm())

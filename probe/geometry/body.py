"""A model as a fit runs it: without its vocabulary head, its states at all layers watched."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from data_builders.errors import FactrootsError
from fine_tuning.models import Loaded
from probe.geometry.layers import blocks, watching
from probe.scoring.runs import halved


class Body(NamedTuple):
    """A model without its vocabulary head, its blocks, and how wide the states between them are."""

    loaded: Loaded
    blocks: list[nn.Module]
    width: int

    @classmethod
    def of(cls, loaded: Loaded, at: str | None = None) -> Body:
        """Raises FactrootsError for a model that is neither masked nor causal, or whose blocks are not found.

        That every block is run once and that states are as wide at all layers is tried on two tokens.
        """
        if loaded.family == "seq2seq":
            raise FactrootsError(
                f"model {loaded.spec} is a seq2seq LM, and subspaces are fitted to masked and causal LMs; choose "
                "another --model"
            )
        found, seen = blocks(loaded.model, at), []
        body = cls(loaded, found, 0)
        with watching(found, lambda layer, states: seen.append((layer, states.shape))):
            body.run(np.zeros((1, 2), np.int32))
        widths = {shape[-1] for _, shape in seen}
        if [layer for layer, _ in seen] != [*range(len(found) + 1)] or len(widths) > 1:
            raise FactrootsError(
                f"the {len(found)} blocks of a {loaded.model.config.model_type} are not run once each, one after the "
                "other, on states of one width; say with --layers-at where its list of blocks is"
            )
        return body._replace(width=widths.pop())

    @torch.inference_mode()
    def run(self, ids: np.ndarray) -> None:
        """Read sequences [n, length], none of them padded."""
        model = self.loaded.model
        more = {"use_cache": False} if self.loaded.family == "causal" else {}
        model.base_model(input_ids=torch.from_numpy(ids).long().to(model.device), **more)

    def states(self, ids: np.ndarray, counted: np.ndarray) -> np.ndarray:
        """The states of the tokens that are `counted` [n, length], float32 [L + 1, tokens, d]; halved for memory."""
        parts = halved(lambda rows: self._states(ids[rows], counted[rows]), range(len(ids)))
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def _states(self, ids: np.ndarray, counted: np.ndarray) -> np.ndarray:
        held = np.empty((len(self.blocks) + 1, counted.sum(), self.width), np.float32)
        where = torch.from_numpy(counted).to(self.loaded.model.device)

        def look(layer: int, states: Tensor) -> None:
            held[layer] = states[where].float().cpu().numpy()

        with watching(self.blocks, look):
            self.run(ids)
        return held

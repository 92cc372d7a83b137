"""A twin of the demo model in which nothing can be shared: each language has feed-forward neurons of its own.

Embeddings, attention and norms are common. It gives the labels *shared* and *independent* a truth: in the twin no
neuron serves two languages.
"""

from __future__ import annotations

from contextlib import contextmanager

#: Neurons of each language in every layer.
WIDTH = 128


class Silos:
    """Opens, in every layer of `model`, the neurons of each text's language and shuts the others: neurons
    l * WIDTH to (l + 1) * WIDTH are those of language l."""

    def __init__(self, model, languages: int):
        import torch

        self.layers = model.bert.encoder.layer
        self.gates = torch.eye(languages).repeat_interleave(WIDTH, dim=1)
        self.open = None

    def choose(self, langs) -> None:
        """Set the language of each text of the next batch [n]."""
        self.open = self.gates[langs][:, None]

    @contextmanager
    def held(self):
        """Hold the gates for as long as it is entered."""
        hooks = [
            layer.output.dense.register_forward_pre_hook(lambda _, args: (args[0] * self.open,))
            for layer in self.layers
        ]
        try:
            yield self
        finally:
            for hook in hooks:
                hook.remove()


def only(model, lang: int):
    """A plain model of one language: the common parts, and that language's neurons as its only ones.

    Its neuron i is another one than neuron i of any other language's model.
    """
    from transformers import BertConfig, BertForMaskedLM

    own = slice(lang * WIDTH, (lang + 1) * WIDTH)
    made = BertForMaskedLM(BertConfig.from_dict({**model.config.to_dict(), "intermediate_size": WIDTH}))
    weights = dict(model.state_dict())
    for name in list(weights):
        if "intermediate.dense" in name:
            weights[name] = weights[name][own]
        elif name.endswith("output.dense.weight") and ".attention." not in name:
            weights[name] = weights[name][:, own]
    made.load_state_dict(weights)
    return made.eval()

"""Where architectures have the places that adapters need, in one table."""

from __future__ import annotations

import re
from typing import NamedTuple

from torch import nn

from data_builders.errors import FactrootsError


class Block(NamedTuple):
    """A sub-block of a layer, as names of the layer's modules.

    out : whose output is added to the residual; residual : whose first input is that residual; norm : what is applied
    to the sum, None in a layer that norms beforehand; hub : where `adapters` keeps its own, None where it has none.
    """

    out: str
    residual: str
    norm: str | None
    hub: str | None


class Architecture(NamedTuple):
    """layers : names of the layers, ``*`` a number; embeddings : whose output is the embeddings; top : whose output the
    vocabulary matrix multiplies. It is there that the inverse is hooked, not at the matrix, which the prober cuts off
    and replaces."""

    layers: str
    attention: Block
    feed_forward: Block
    embeddings: str
    top: str


def _bert(body: str, top: str) -> Architecture:
    return Architecture(
        f"{body}.encoder.layer.*",
        Block("attention.output.dropout", "attention.self.query", "attention.output.LayerNorm", "attention.output"),
        Block("output.dropout", "intermediate.dense", "output.LayerNorm", "output"),
        f"{body}.embeddings",
        top,
    )


_HUB = ("attention_adapters", "output_adapters")
_ROBERTA = _bert("roberta", "lm_head.layer_norm")
_LLAMA = Architecture(
    "model.layers.*",
    Block("self_attn.o_proj", "input_layernorm", None, _HUB[0]),
    Block("mlp.down_proj", "post_attention_layernorm", None, _HUB[1]),
    "model.embed_tokens",
    "model.norm",
)
_QWEN = _LLAMA._replace(
    attention=_LLAMA.attention._replace(hub=None), feed_forward=_LLAMA.feed_forward._replace(hub=None)
)
#: Gemma norms what a sub-block says before it is added.
_GEMMA = _LLAMA._replace(
    attention=Block("post_attention_layernorm", "input_layernorm", None, None),
    feed_forward=Block("post_feedforward_layernorm", "pre_feedforward_layernorm", None, None),
)

#: By ``model_type``. Adding one is a line, and one in tests/unit/test_tuning_bottleneck.py.
ARCHITECTURES = {
    "bert": _bert("bert", "cls.predictions.transform"),
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA._replace(
        attention=_ROBERTA.attention._replace(hub=None), feed_forward=_ROBERTA.feed_forward._replace(hub=None)
    ),
    "electra": _bert("electra", "generator_predictions"),
    "distilbert": Architecture(
        "distilbert.transformer.layer.*",
        Block("attention.out_lin", "attention.q_lin", "sa_layer_norm", _HUB[0]),
        Block("ffn", "ffn.lin1", "output_layer_norm", _HUB[1]),
        "distilbert.embeddings",
        "vocab_layer_norm",
    ),
    "albert": Architecture(
        "albert.encoder.albert_layer_groups.*.albert_layers.*",
        # `adapters` 1.3.0 mistakes the residual for the output there: what its files hold is of another place.
        Block("attention.output_dropout", "attention.query", "attention.LayerNorm", None),
        Block("ffn_output", "ffn", "full_layer_layer_norm", _HUB[1]),
        "albert.embeddings",
        "predictions.LayerNorm",
    ),
    "modernbert": Architecture(
        "model.layers.*",
        Block("attn.out_drop", "attn_norm", None, None),
        Block("mlp", "mlp_norm", None, None),
        "model.embeddings",
        "head",
    ),
    "gpt2": Architecture(
        "transformer.h.*",
        Block("attn.resid_dropout", "ln_1", None, _HUB[0]),
        Block("mlp", "ln_2", None, _HUB[1]),
        "transformer.drop",
        "transformer.ln_f",
    ),
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "qwen2": _QWEN,
    "qwen3": _QWEN,
    "gemma2": _GEMMA,
    "gemma3_text": _GEMMA,
}


def architecture(model_type: str) -> Architecture:
    """The row of the table; raises FactrootsError where there is none."""
    if model_type not in ARCHITECTURES:
        raise FactrootsError(
            f"a {model_type} has no places for bottleneck adapters that are known here; choose a --model of type "
            f"{', '.join(sorted(ARCHITECTURES))}, or add its line to fine_tuning/bottleneck/architectures.py"
        )
    return ARCHITECTURES[model_type]


def layers(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """The model's layers in order, with their names."""
    pattern = re.compile(re.escape(architecture(model.config.model_type).layers).replace(r"\*", r"\d+"))
    return [(name, module) for name, module in model.named_modules() if pattern.fullmatch(name)]


def widths(model: nn.Module) -> tuple[int, int]:
    """How wide a model's hidden states are, and its embeddings."""
    config = model.config.get_text_config()
    return config.hidden_size, getattr(config, "embedding_size", None) or config.hidden_size

"""Make the golden fixtures of bottleneck adapters with the package `adapters`, in an environment of its own.

    python -m venv adapters-env && adapters-env/bin/pip install adapters==1.3.0 transformers==4.57.6
    adapters-env/bin/python tests/golden/make_adapters.py            # writes tests/golden/adapters/
    adapters-env/bin/python tests/golden/make_adapters.py check BASE ADAPTER...   # prints the logits of a stack

For each architecture: a tiny random model as plain transformers saves it (``base``), a folder per adapter as `adapters`
saves it, and ``logits.safetensors``: the ids that went in, and the logits of the flexible language-model head (which
alone applies the inverse of an invertible adapter) under each setup. The plain model's logits are there too, and are
checked to be those of the flexible head without adapters.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import torch
from adapters import AutoAdapterModel, DoubleSeqBnConfig, SeqBnConfig, SeqBnInvConfig
from adapters.composition import Stack
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM

OUT = Path(__file__).parent / "adapters"
VOCABULARY, WIDTH = 40, 16
SIZES = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
MORE = {
    "bert": SIZES,
    "xlm-roberta": SIZES,
    "electra": {**SIZES, "embedding_size": 8},
    "albert": {**SIZES, "embedding_size": 8, "num_hidden_groups": 2},
    "distilbert": {"dim": WIDTH, "n_layers": 2, "n_heads": 2, "hidden_dim": 32},
    "gpt2": {"n_embd": WIDTH, "n_layer": 2, "n_head": 2},
    "llama": {**SIZES, "num_key_value_heads": 2},
}
CAUSAL = ("gpt2", "llama")
#: An adapter of each kind, and setups of them, the first in a stack being the lowest.
ADAPTERS = {
    "pfeiffer": SeqBnConfig(reduction_factor=4),
    "houlsby": DoubleSeqBnConfig(reduction_factor=4),
    "lang": SeqBnInvConfig(reduction_factor=2, non_linearity="gelu_new", inv_adapter_reduction_factor=2),
    "other": SeqBnInvConfig(reduction_factor=2, non_linearity="leakyrelu", inv_adapter_reduction_factor=4),
    "lesser": SeqBnConfig(reduction_factor=8, leave_out=[1], scaling=2.5, non_linearity="gelu"),
}
SETUPS = (["pfeiffer"], ["houlsby"], ["lang"], ["other"], ["lesser"], ["lang", "pfeiffer"], ["other", "pfeiffer"])
SETUPS += (["lang", "other"], ["lang", "houlsby"], ["houlsby", "lesser"], ["pfeiffer", "houlsby", "lesser"])


def base_model(kind: str):
    """A tiny plain model, its weights wide enough to have opinions."""
    tokens = {"vocab_size": VOCABULARY, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    config = AutoConfig.for_model(kind, max_position_embeddings=24, **tokens, **MORE[kind])
    auto = AutoModelForCausalLM if kind in CAUSAL else AutoModelForMaskedLM
    model = auto.from_config(config).eval()
    drawn(model, 0.3)
    model.tie_weights()
    return model


@torch.no_grad()
def drawn(model, deviation: float, part: str = "") -> None:
    for name, parameter in model.named_parameters():
        if part in name:
            parameter.normal_(0, deviation)


@torch.no_grad()
def flexible(folder):
    """The model in `folder` as `adapters` has it, and as transformers does; they say the same.

    `adapters` does not read the bias of the vocabulary, and draws a new one.
    """
    causal = AutoConfig.from_pretrained(folder).model_type in CAUSAL
    plain = (AutoModelForCausalLM if causal else AutoModelForMaskedLM).from_pretrained(folder).eval()
    model = AutoAdapterModel.from_pretrained(folder).eval()
    if (bias := plain.get_output_embeddings().bias) is not None:
        model.heads["default"].get_output_embeddings().bias.copy_(bias)
    ids = torch.arange(3, 10)[None]
    assert torch.allclose(model(input_ids=ids).logits, plain(input_ids=ids).logits, atol=1e-5), folder
    return model, plain


@torch.no_grad()
def make(kind: str) -> None:
    torch.manual_seed(sum(map(ord, kind)))
    folder = Path(kind)
    base_model(kind).save_pretrained(folder / "base")
    model, plain = flexible(folder / "base")
    ids = torch.randint(3, VOCABULARY, (2, 7))
    kept = {"ids": ids, "plain": plain(input_ids=ids).logits}
    # In ALBERT `adapters` 1.3.0 mistakes the residual for the attention's output: its Houlsby adapters are others.
    names = [name for name in ADAPTERS if (kind, name) != ("albert", "houlsby")]
    for name in names:
        model.add_adapter(name, config=ADAPTERS[name])
        drawn(model, 0.3, f"adapters.{name}.")
    model.eval()
    for setup in (setup for setup in SETUPS if {*setup} <= {*names}):
        model.set_active_adapters(Stack(*setup))
        kept["+".join(setup)] = model(input_ids=ids).logits
    for name in names:
        model.save_adapter(str(folder / name), name, with_head=False, use_safetensors=True)
    model.save_adapter(str(folder / "pickled"), "lang", with_head=False)
    save_file({name: tensor.contiguous() for name, tensor in kept.items()}, folder / "logits.safetensors")


@torch.no_grad()
def check(base: str, *adapters: str) -> None:
    """Print the logits of a stack of adapters, read by `adapters`, for the ids 3, 4, .. 9, as JSON."""
    model, _ = flexible(base)
    info: dict = {}
    names = [model.load_adapter(path, use_safetensors=True, loading_info=info) for path in adapters]
    model.set_active_adapters(Stack(*names))
    logits = model.eval()(input_ids=torch.arange(3, 10)[None]).logits
    print(json.dumps({"logits": logits.tolist(), "missing": info["missing_keys"]}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        check(*sys.argv[2:])
    else:
        shutil.rmtree(OUT, ignore_errors=True)
        OUT.mkdir()
        os.chdir(OUT)  # `adapters` writes down the path of the model
        for kind in MORE:
            make(kind)

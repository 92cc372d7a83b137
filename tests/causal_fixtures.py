"""Tiny causal LMs and their tokenizers, seeded; and the slowest way to score with one."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
from probe_fixtures import LIMIT, unigram
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

BOS = "<|endoftext|>"
#: What the byte-level tokenizer learns its merges from: 都は becomes one piece, over the end of a word.
TEXT = ("都は " * 9, "日本です " * 3, "Roma is la capital Roma is ", "القاهرة ")


def byte_level(limit: int = LIMIT) -> PreTrainedTokenizerFast:
    """A tokenizer as GPT-2's: bytes and merges; it adds nothing before a sentence."""
    bare = Tokenizer(models.BPE())
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    letters = pre_tokenizers.ByteLevel.alphabet()
    bare.train_from_iterator(
        TEXT,
        trainers.BpeTrainer(vocab_size=320, special_tokens=[BOS], initial_alphabet=letters, show_progress=False),
    )
    return PreTrainedTokenizerFast(tokenizer_object=bare, model_max_length=limit, eos_token=BOS, bos_token=BOS)


def sentence_piece(limit: int = LIMIT) -> PreTrainedTokenizerFast:
    """A tokenizer as some multilingual LMs', which adds a token before a sentence and one after it."""
    bare = unigram(False).backend_tokenizer
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(tokenizer_object=bare, model_max_length=limit, **names)


TOKENIZERS: dict[str, Callable[..., PreTrainedTokenizerFast]] = {
    "bytes, nothing added": byte_level,
    "pieces, both ends added": sentence_piece,
}


class Kind(NamedTuple):
    """A tiny model's type, what it needs beside the usual, and which short cuts give its own logits."""

    type: str
    more: dict
    tree: bool = True
    cut: bool = True


_GPT2 = {"n_embd": 16, "n_layer": 2, "n_head": 2}
_NEO = {"num_layers": 2, "num_heads": 2, "attention_types": [[["global", "local"], 1]]}
_MAMBA2 = {"state_size": 4, "num_heads": 4, "head_dim": 8, "n_groups": 1, "expand": 2}
ARCHITECTURES = {
    "gpt2": Kind("gpt2", _GPT2),
    "llama": Kind("llama", {}),
    "gemma2": Kind("gemma2", {"head_dim": 8, "final_logit_softcapping": 5.0}),
    "gemma3": Kind("gemma3_text", {"head_dim": 8}),
    "gemma3, window of 20": Kind("gemma3_text", {"head_dim": 8, "sliding_window": 20, "layer_types": None}),
    "gemma3, window of 4": Kind("gemma3_text", {"head_dim": 8, "sliding_window": 4}, tree=False),
    "qwen2": Kind("qwen2", {}),
    "qwen3": Kind("qwen3", {"head_dim": 8}),
    "mistral": Kind("mistral", {}),
    "mistral, window of 20": Kind("mistral", {"sliding_window": 20}),
    "mistral, window of 4": Kind("mistral", {"sliding_window": 4}, tree=False),
    "opt": Kind("opt", {"ffn_dim": 32, "word_embed_proj_dim": 8}),
    "bloom": Kind("bloom", {"n_head": 2, "n_layer": 2}, tree=False),
    "gpt_neo, window of 20": Kind("gpt_neo", _NEO | {"window_size": 20}),
    "gpt_neo, window of 4": Kind("gpt_neo", _NEO | {"window_size": 4}, tree=False),
    "gpt_neox": Kind("gpt_neox", {}),
    "falcon": Kind("falcon", {}),
    "falcon, alibi": Kind("falcon", {"alibi": True}, tree=False),
    "cohere": Kind("cohere", {"logit_scale": 0.25}),
    "granite": Kind("granite", {"logits_scaling": 3.0}),
    "phi": Kind("phi", {}),
    "mamba": Kind("mamba", {"state_size": 4}, tree=False),
    "mamba2": Kind("mamba2", _MAMBA2, tree=False),
    "llama4": Kind(
        "llama4_text",
        {"head_dim": 8, "attention_chunk_size": 4, "num_local_experts": 2, "intermediate_size_mlp": 32},
        tree=False,
        cut=False,
    ),
}


def tiny_causal(kind: str, tokenizer: PreTrainedTokenizerFast, seed: int = 0, **more):
    """A causal LM of two narrow layers, its weights (biases and norms too) drawn wide enough to have opinions."""
    config = AutoConfig.for_model(
        ARCHITECTURES[kind].type,
        **{
            "vocab_size": len(tokenizer),
            "pad_token_id": tokenizer.pad_token_id,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "max_position_embeddings": LIMIT,
            "hidden_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "intermediate_size": 32,
            **ARCHITECTURES[kind].more,
            **more,
        },
    )
    model = AutoModelForCausalLM.from_config(config).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.5, generator=generator)
    return model


class Slow:
    """Sums read off `model(one whole sentence).logits`, a token at a time; nothing is shared with the prober's code."""

    def __init__(self, model, tokenizer):
        self.model, self.tokenizer = model, tokenizer
        self.logits = cache(self._logits)

    def ids(self, text: str) -> list[int]:
        """What the tokenizer makes of a whole text, a beginning always there and an end never."""
        ids = self.tokenizer(text)["input_ids"]
        added = self.tokenizer("x")["input_ids"]
        if added[-1] == self.tokenizer.eos_token_id:
            ids = ids[:-1]
        return ids if added[0] == self.tokenizer.bos_token_id else [self.tokenizer.bos_token_id, *ids]

    @torch.no_grad()
    def _logits(self, ids: tuple[int, ...]) -> list[list[float]]:
        logits = self.model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]
        return torch.log_softmax(logits.double(), -1).tolist()

    def score(self, prompt: str, label: str, context: str = "") -> tuple[float, int]:
        """The sum over the sentence's own tokens and their number; NaN and 0 where the label is nothing."""
        ids, shots = self.ids(context + prompt.replace("[Y]", label)), self.ids(context)
        if ids == self.ids(context + prompt.replace("[Y]", "")) or self.ids(label) == self.ids(""):
            return math.nan, 0
        start = 0
        while start < min(len(ids), len(shots)) and ids[start] == shots[start]:
            start += 1
        table = self.logits(tuple(ids))
        return sum(table[place - 1][ids[place]] for place in range(start, len(ids))), len(ids) - start

"""Fits of tiny models to made-up languages, and a model whose states are a content and a language."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from neuron_fixtures import tiny
from probe_fixtures import loaded as as_loaded
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from data_builders.progress import Quiet
from fine_tuning.models import Loaded
from probe.geometry.body import Body
from probe.geometry.fits import Fits
from probe.geometry.fitting import carry_out, describe
from probe.geometry.measures import Measure
from probe.geometry.plan import Plan
from probe.geometry.text import Sequences, digest

LANGS = ("xa", "xb", "xc")


def made(
    lang: str, pool: Sequence[int], before: int, length: int = 12, number: int = 24, test: int = 10, seed: int = 0
) -> Sequences:
    """Sequences that begin with the token `before` and go on with tokens drawn from `pool`."""
    draw = np.random.default_rng([seed, *lang.encode()])
    ids = draw.choice(np.array(pool, np.int32), (2 * number + test, length)).astype(np.int32)
    ids[:, 0] = before
    parts = np.split(ids, [number, 2 * number])
    return Sequences(lang, *parts, digest(*parts), "0" * 64, len(ids), 0, len(ids), np.arange(3, dtype=np.uint64))


def texts_of(one: Loaded, langs: Sequence[str] = LANGS, **more) -> dict[str, Sequences]:
    """A text a language, whose vocabularies overlap in half of their tokens."""
    tokenizer = one.tokenizer
    ordinary = [i for i in range(len(tokenizer)) if i not in tokenizer.all_special_ids]
    step = len(ordinary) // (len(langs) + 1)
    first = next(i for i in (tokenizer.cls_token_id, tokenizer.bos_token_id) if i is not None)
    pools = {lang: ordinary[i * step : (i + 2) * step] for i, lang in enumerate(langs)}
    return {lang: made(lang, pool, first, **more) for lang, pool in pools.items()}


def fits_of(folder: Path, one: Loaded, texts: dict[str, Sequences], specials: bool = True) -> Fits:
    """Fits made through the fit's own door."""
    body = Body.of(one)
    return carry_out(body, describe(body, "made", texts, 0, specials), texts, folder, Quiet())


def tiny_fits(folder: Path, kind: str = "bert", **more) -> tuple[Loaded, Fits]:
    one = tiny(kind)
    return one, fits_of(folder, one, texts_of(one, **more))


def plan(measure: str = "mlm", **more) -> Plan:
    """A plan over all of :data:`LANGS`."""
    usual = {"langs": LANGS, "others": LANGS, "layers": (0, 1, 2), "conditions": ("own", "shift"), "variance": 0.9}
    return Plan(**(usual | {"measure": Measure.parse(measure)} | more))


def toy(words: int = 20, width: int = 32, seed: int = 0) -> tuple[Loaded, dict[str, list[int]]]:
    """A causal LM that says again what it reads, which is a content, the same in both languages, and a language.

    Gives the ids of each language's words, those of one content at one place.
    """
    names = [f"{lang}{i}" for lang in "ab" for i in range(words)]
    bare = Tokenizer(models.WordLevel({name: i for i, name in enumerate([*names, "<|end|>"])}, unk_token="<|end|>"))
    bare.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bare, eos_token="<|end|>", bos_token="<|end|>")
    sizes = {"n_embd": width, "n_layer": 2, "n_head": 2, "n_positions": 64}
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    model = GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), **sizes, **ends))
    basis = np.linalg.qr(np.random.default_rng(seed).normal(size=(width, words + 2)))[0]
    basis -= basis.mean(axis=0)  # so that the last norm moves nothing
    content, language = basis[:, :words].T, basis[:, words]
    table = np.concatenate([content + language, content - language, basis[:, words + 1 :].T])
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            norm = name.endswith(("ln_1.weight", "ln_2.weight", "ln_f.weight"))
            parameter.fill_(1.0 if norm else 0.0)
        model.transformer.wte.weight.copy_(torch.from_numpy(table))
    one = as_loaded(model.eval(), tokenizer)._replace(family="causal")
    return one, {"xa": [*range(words)], "xb": [*range(words, 2 * words)]}

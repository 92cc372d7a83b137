"""The three families of language models: which one a config describes, and what each needs."""

from __future__ import annotations

from typing import NamedTuple

import torch


class Family(NamedTuple):
    """A way to predict words. ``auto`` and ``table`` are transformers' names: the class that loads such a model, and
    the table from a config's ``model_type`` to the class that has the head; ``tokens``: special tokens of which the
    tokenizer must have one."""

    auto: str
    table: str
    tokens: tuple[str, ...]


#: masked: reads both sides of a mask; causal: reads from the left; seq2seq: reads the input whole, writes another.
FAMILIES = {
    "masked": Family("AutoModelForMaskedLM", "MODEL_FOR_MASKED_LM_MAPPING_NAMES", ("mask",)),
    "causal": Family("AutoModelForCausalLM", "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES", ("bos", "eos")),
    "seq2seq": Family("AutoModelForSeq2SeqLM", "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES", ()),
}


def family_of(config) -> str | None:
    """The family of the models that `config` describes, or None when they have no language-model head.

    Many a type is in several tables: BERT is in the masked and the causal one, BART in all three. There the config's
    own flags decide, which are what the model's attention obeys; the class that it was saved from need not.
    """
    from transformers.models.auto import modeling_auto

    has = {name for name, family in FAMILIES.items() if config.model_type in getattr(modeling_auto, family.table)}
    if config.is_encoder_decoder:
        return "seq2seq" if "seq2seq" in has else None
    decoder = getattr(config, "is_decoder", False) or getattr(config, "causal", False)  # XLM says causal
    return next((name for name in (("causal", "masked") if decoder else ("masked", "causal")) if name in has), None)


def auto_class(family: str):
    """The class of transformers that loads models of `family`."""
    import transformers

    return getattr(transformers, FAMILIES[family].auto)


@torch.inference_mode()
def looks_ahead(model) -> bool:
    """Whether another last token changes what the model says before it: then its attention is not causal."""
    first = model.get_input_embeddings().weight.shape[0] // 2  # an ordinary word, no special token
    ids = torch.tensor([[first, first + 1, first + 2], [first, first + 1, first]], device=model.device)
    one, other = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[:, :2].float()
    close = max(1e-4, 8 * torch.finfo(model.dtype).eps) * one.abs().max()  # a deep model rounds more than once
    return bool((one - other).abs().max() > close)  # not for NaN, which the scorers report

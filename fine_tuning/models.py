"""One string in, a loaded model out: always in a stated dtype, never with code from the model's repository."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from data_builders.errors import FactrootsError, unknown
from fine_tuning.locating import Located, locate
from fine_tuning.model_spec import ModelSpec

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

DTYPES = ("float32", "float16", "bfloat16")


class Loaded(NamedTuple):
    """A model ready to run, with what a result must say of it.

    ``sha256`` covers weights, config, tokenizer and the variants that were applied; ``family`` is one of
    :data:`fine_tuning.families.FAMILIES`; ``quantization`` is that of the GGUF file which the weights come from (as
    Q4_K_M), None for all others.
    """

    spec: ModelSpec
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    id: str
    revision: str | None
    sha256: str
    dtype: str
    family: str = "masked"
    quantization: str | None = None


def load(
    model: str | Located,
    dtype: str = "float32",
    device: str = "cpu",
    families: Sequence[str] = ("masked", "causal", "seq2seq"),
) -> Loaded:
    """Load a language model of one of `families` and its tokenizer. What `locate` gave is not looked up again.

    Raises FactrootsError, in one line with its cure, when the model is not there, holds no safetensors, lacks a
    head of these families, has a tokenizer that is of no use here, or is not the one that a variant was made for.
    """
    if dtype not in DTYPES:
        raise unknown("dtype", dtype, DTYPES)
    at = locate(model) if isinstance(model, str) else model
    with ThreadPoolExecutor(1) as beside:  # hashing a gigabyte takes as long as loading it
        sha256 = beside.submit(_sha256, at.folder)
        # Small differences vanish in half precision: they are added before the weights are rounded.
        family, net, tokenizer = _read(at, "float32" if at.variants else dtype, families)
        _check_tokenizer(at.spec, family, net, tokenizer)
        if at.variants:
            _apply(at, net, tokenizer, dtype)
        _settle(at.spec, family, net, device)
        name = "+".join([at.id, *map(str, at.spec.variants)])
        hashed = _together(sha256.result(), at)
        return Loaded(at.spec, net, tokenizer, name, at.revision, hashed, dtype, family, at.quantization)


def load_masked(text: str | Located, dtype: str = "float32", device: str = "cpu") -> Loaded:
    """Load a masked language model."""
    return load(text, dtype, device, ("masked",))


def load_tokenizer(text: str) -> PreTrainedTokenizerFast:
    """A model's tokenizer alone. Raises FactrootsError when the model is not there, or its tokenizer cannot be read."""
    from transformers import AutoTokenizer

    at = locate(text)
    try:
        return AutoTokenizer.from_pretrained(at.folder, trust_remote_code=False)
    except Exception as error:  # a broken folder makes the library raise whatever it likes
        raise FactrootsError(f"the tokenizer of {at.spec} cannot be loaded: {_first_line(error)}") from error


def _read(at: Located, dtype: str, families: Sequence[str]):
    import torch
    from transformers import AutoConfig, AutoTokenizer

    from fine_tuning.families import auto_class, family_of

    heads = f"{' or '.join(families)}-LM head" if len(families) < 3 else "language-model head"
    try:
        config = AutoConfig.from_pretrained(at.folder, trust_remote_code=False)
        if (family := family_of(config)) not in families:
            raise FactrootsError(f"model {at.spec} is a {config.model_type}, which has no {heads}")
        net, info = auto_class(family).from_pretrained(
            at.folder,
            config=config,
            dtype=getattr(torch, dtype),
            use_safetensors=True,
            ignore_mismatched_sizes=True,  # they are refused below, in a line of ours
            output_loading_info=True,
        )
        tokenizer = AutoTokenizer.from_pretrained(at.folder, trust_remote_code=False)
    except FactrootsError:
        raise
    except Exception as error:  # a broken folder makes the libraries raise whatever they like
        raise FactrootsError(f"model {at.spec} cannot be loaded: {_first_line(error)}") from error
    if missing := sorted(info["missing_keys"]):
        raise FactrootsError(
            f"model {at.spec} has no {family}-LM head: its weights lack {len(missing)} tensors, {missing[0]} among them"
        )
    if other := sorted(name for name, *_ in info["mismatched_keys"]):
        raise FactrootsError(
            f"model {at.spec} cannot be loaded: {len(other)} tensors have another shape than its config.json says, "
            f"{other[0]} among them"
        )
    return family, net, tokenizer


def check_variants(at: Located, tokenizer) -> None:
    """Raises FactrootsError, with both hashes, where a variant was made for another model or tokenizer."""
    from fine_tuning.variants.base import base_sha256, tokenizer_sha256

    own, words = base_sha256(at.folder), tokenizer_sha256(tokenizer)
    for variant, _ in at.variants:
        base = variant.about.base
        if base.sha256 != own:
            raise FactrootsError(
                f"{variant.folder} was made for {base.spec}, whose tensors have SHA-256 {base.sha256}; those of "
                f"{at.spec.base} have {own}; name the model that it was made for"
            )
        if base.tokenizer != words:
            raise FactrootsError(
                f"{variant.folder} was made with a tokenizer whose vocabulary has SHA-256 {base.tokenizer}; that of "
                f"{at.spec.base} has {words}; name the model that it was made for"
            )


def _apply(at: Located, net, tokenizer, dtype: str) -> None:
    """Put the variants on, once it is sure that they were made for this model."""
    import torch

    from fine_tuning.variants.applying import apply_all

    check_variants(at, tokenizer)
    apply_all(net, at.variants)
    net.to(getattr(torch, dtype))


def _together(sha256: str, at: Located) -> str:
    """The hash of a model with its variants; without any, its own."""
    parts = [sha256, *(f"{variant.about.sha256}*{scale!r}" for variant, scale in at.variants)]
    return hashlib.sha256("+".join(parts).encode()).hexdigest() if at.variants else sha256


def _check_tokenizer(spec: ModelSpec, family: str, net, tokenizer) -> None:
    from fine_tuning.families import FAMILIES

    needed = FAMILIES[family].tokens
    if needed and all(getattr(tokenizer, f"{name}_token_id") is None for name in needed):
        raise FactrootsError(f"the tokenizer of model {spec} has no {' or '.join(needed)} token")
    if not tokenizer.is_fast:
        raise FactrootsError(
            f"model {spec} has only a slow tokenizer; save it once with its fast form (tokenizer.json)"
        )
    if len(tokenizer) > (rows := net.get_input_embeddings().weight.shape[0]):
        raise FactrootsError(f"the tokenizer of model {spec} has {len(tokenizer)} tokens, the model {rows}")


def _settle(spec: ModelSpec, family: str, net, device: str) -> None:
    """Bring the model to its device, and see that a causal one is causal: some encoders load as if they were."""
    from fine_tuning.families import looks_ahead

    try:
        net.to(device).eval()
    except (RuntimeError, AssertionError) as error:
        raise FactrootsError(f"device {device} cannot be used: {_first_line(error)}; pass --device cpu") from error
    try:
        ahead = family == "causal" and looks_ahead(net)
    except RuntimeError as error:  # an operation that this processor lacks in half precision
        reason = f"does not run in {net.dtype} on {device}: {_first_line(error)}"
        raise FactrootsError(f"model {spec} {reason}; pass --dtype float32") from error
    if ahead:
        raise FactrootsError(f"model {spec} is no causal LM: what it says at a word depends on later words")


def _sha256(folder: Path) -> str:
    """One hash over the files that decide a model's output, in order of their names."""
    from fine_tuning.variants.hashing import file_sha256

    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in {".safetensors", ".json", ".model", ".txt"} and path.is_file():
            digest.update(path.name.encode() + bytes.fromhex(file_sha256(path)))
    return digest.hexdigest()


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def quiet_libraries() -> None:
    """Keep the libraries' own progress bars and advice off the terminal: a command says what it does itself."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    import transformers

    transformers.utils.logging.disable_progress_bar()

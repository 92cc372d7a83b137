"""One string in, a loaded model out: always in a stated dtype, never with code from the model's repository."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from data_builders.errors import FactrootsError, unknown
from fine_tuning.hub import fetch_model
from fine_tuning.model_spec import ModelSpec

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

DTYPES = ("float32", "float16", "bfloat16")


class Loaded(NamedTuple):
    """A model ready to run, with what a result must say of it. ``sha256`` covers weights, config and tokenizer."""

    spec: ModelSpec
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    id: str
    revision: str | None
    sha256: str
    dtype: str


def locate(text: str) -> Path:
    """The folder that holds the model, downloaded if need be; raises FactrootsError when it cannot be had."""
    spec = ModelSpec.parse(text)
    folder = Path(spec.location) if spec.is_local else fetch_model(spec)
    _refuse_pickles(spec, folder)
    return folder


def load_masked(text: str, dtype: str = "float32", device: str = "cpu") -> Loaded:
    """Load a masked language model and its tokenizer.

    Raises FactrootsError, in one line with its cure, when the model is not there, holds no safetensors, has no
    masked-LM head, or its tokenizer has no mask token.
    """
    spec = ModelSpec.parse(text)
    if dtype not in DTYPES:
        raise unknown("dtype", dtype, DTYPES)
    folder = locate(text)

    import torch
    from transformers import AutoConfig, AutoModelForMaskedLM, AutoTokenizer
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING

    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        if type(config) not in MODEL_FOR_MASKED_LM_MAPPING:
            raise FactrootsError(f"model {spec} is a {config.model_type}, which has no masked-LM head")
        model, info = AutoModelForMaskedLM.from_pretrained(
            folder, config=config, dtype=getattr(torch, dtype), use_safetensors=True, output_loading_info=True
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except FactrootsError:
        raise
    except Exception as error:  # a broken folder makes the libraries raise whatever they like
        raise FactrootsError(f"model {spec} cannot be loaded: {_first_line(error)}") from error
    if missing := sorted(info["missing_keys"]):
        raise FactrootsError(
            f"model {spec} has no masked-LM head: its weights lack {len(missing)} tensors, {missing[0]} among them"
        )
    if tokenizer.mask_token_id is None:
        raise FactrootsError(f"the tokenizer of model {spec} has no mask token")
    if not tokenizer.is_fast:
        raise FactrootsError(
            f"model {spec} has only a slow tokenizer; save it once with its fast form (tokenizer.json)"
        )
    if len(tokenizer) > (rows := model.get_input_embeddings().weight.shape[0]):
        raise FactrootsError(f"the tokenizer of model {spec} has {len(tokenizer)} tokens, the model {rows}")
    try:
        model.to(device).eval()
    except (RuntimeError, AssertionError) as error:
        raise FactrootsError(f"device {device} cannot be used: {_first_line(error)}; pass --device cpu") from error
    revision = spec.revision if spec.is_local else folder.name  # the hub's cache names a snapshot by its commit
    where = spec.name if spec.is_local else spec.location
    return Loaded(spec, model, tokenizer, where, revision, _sha256(folder), dtype)


def _refuse_pickles(spec: ModelSpec, folder: Path) -> None:
    if any(folder.glob("*.safetensors")):
        return
    if any(folder.glob("*.bin")):
        raise FactrootsError(
            f"model {spec} has only pickled weights (*.bin), which are never opened; "
            f"where you trust them, convert them: AutoModelForMaskedLM.from_pretrained({str(folder)!r})"
            ".save_pretrained(DIR)"
        )
    raise FactrootsError(f"model {spec}: {folder} holds no *.safetensors")


def _sha256(folder: Path) -> str:
    """One hash over the files that decide a model's output, in order of their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in {".safetensors", ".json", ".model", ".txt"} and path.is_file():
            with open(path, "rb") as file:
                digest.update(path.name.encode() + bytes.fromhex(hashlib.file_digest(file, "sha256").hexdigest()))
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

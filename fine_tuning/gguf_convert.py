"""From GGUF to safetensors through transformers' own reader, which dequantises every tensor."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

import torch
from transformers import AutoConfig, AutoTokenizer

from data_builders.errors import FactrootsError
from fine_tuning.families import auto_class, family_of
from fine_tuning.gguf_header import Header


def write_safetensors(name: str, source: Path, header: Header) -> None:
    """Write the model in `source` beside it: safetensors in float32, config and tokenizer.

    Raises FactrootsError when it is of a kind that transformers cannot read, or its tensors are not all there.
    """
    try:
        with _silence():
            _write(source)
            _drop_foreign_tokens(source.parent, header.about.get("tokenizer.ggml.tokens", 0))
    except Exception as error:  # the library raises whatever it likes
        if isinstance(error, OSError) and error.errno:  # the system's own, such as a full disk
            raise
        reason = next(filter(None, map(str.strip, str(error).splitlines())), type(error).__name__)
        raise FactrootsError(
            f"model {name}, a GGUF file of architecture {header.architecture}, cannot be converted: {reason}; "
            "pass it as safetensors"
        ) from error


@contextmanager
def _silence() -> Iterator[None]:
    """No progress bars, which cannot be turned off, and no report of several lines before our one."""
    logging.disable(logging.ERROR)
    try:
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)


def _write(source: Path) -> None:
    folder, options = source.parent, {"gguf_file": source.name, "trust_remote_code": False, "local_files_only": True}
    config = AutoConfig.from_pretrained(folder, **options)
    if (family := family_of(config)) is None:
        raise ValueError(f"a {config.model_type} has no language-model head")
    tokenizer = AutoTokenizer.from_pretrained(folder, **options)
    model, info = auto_class(family).from_pretrained(
        folder, config=config, dtype=torch.float32, ignore_mismatched_sizes=True, output_loading_info=True, **options
    )
    lacking = sorted({*info["missing_keys"], *(name for name, *_ in info["mismatched_keys"])})
    if lacking:
        raise ValueError(f"{len(lacking)} tensors are missing or of another shape, {lacking[0]} among them")
    # What is saved is not quantised any more, and must not say so: the library refuses to save what does.
    model.hf_quantizer, model.is_quantized = None, False
    vars(model.config).pop("quantization_config", None)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _drop_foreign_tokens(folder: Path, count: int) -> None:
    """Keep the file's `count` tokens: the library's GPT-2 adds its <|endoftext|> to vocabularies that have none, and
    the model has no row for it."""
    tokenizer, config = folder / "tokenizer.json", folder / "tokenizer_config.json"
    written, named = (json.loads(path.read_text(encoding="utf-8")) for path in (tokenizer, config))
    foreign = [token["content"] for token in written["added_tokens"] if token["id"] >= count]
    if foreign:
        written["added_tokens"] = [token for token in written["added_tokens"] if token["id"] < count]
        named = {key: value for key, value in named.items() if value not in foreign}
        tokenizer.write_text(json.dumps(written, ensure_ascii=False), encoding="utf-8")
        config.write_text(json.dumps(named, ensure_ascii=False), encoding="utf-8")

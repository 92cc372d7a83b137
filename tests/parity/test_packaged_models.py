"""The two models that come in packages: what the file holds, read byte by byte, and what they say."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
import torch
from gguf_fixtures import BLOCKS, unpacked
from safetensors import safe_open

from data_builders.errors import FactrootsError
from fine_tuning.gguf import about
from fine_tuning.locating import locate
from fine_tuning.models import load
from fine_tuning.packages import PACKAGED, files_of

pytestmark = pytest.mark.slow


def packaged(alias: str):
    """Where the model is; a test whose package is absent is skipped. Converted in the user's own cache, once."""
    pytest.importorskip("gguf", reason="needs the extra: pip install 'factroots[models]'")
    try:
        files_of(alias)
    except FactrootsError as error:
        pytest.skip(str(error))
    return locate(alias)


@torch.inference_mode()
def next_words(loaded, text: str, start: list[int] | None = None) -> dict[str, float]:
    """The five most probable tokens after `text`, best first."""
    ids = torch.tensor([(start or []) + loaded.tokenizer(text)["input_ids"]])
    values, best = loaded.model(input_ids=ids).logits[0, -1].softmax(-1).topk(5)
    return {loaded.tokenizer.decode([i]): p for i, p in zip(best.tolist(), values.tolist(), strict=True)}


def test_gemma():
    """The base model, from its first token on; a fact that it has and, without examples, seldom says first."""
    loaded = load(packaged("gemma3-270m"))
    assert (loaded.family, loaded.quantization, loaded.model.config.vocab_size) == ("causal", "Q4_K_M", 262_144)
    assert loaded.revision == PACKAGED["gemma3-270m"].sha256
    assert sum(p.numel() for p in loaded.model.parameters()) == 268_098_176
    assert loaded.tokenizer("Roma")["input_ids"][0] == loaded.tokenizer.bos_token_id == 2
    english = next_words(loaded, "The capital of France is")
    assert list(english)[:3] == [" the", " a", " Paris"]
    assert list(english.values())[:3] == pytest.approx([0.191, 0.111, 0.084], abs=0.002)
    japanese = next_words(loaded, "フランスの首都は")
    assert list(japanese)[:2] == ["、", "パリ"] and japanese["パリ"] == pytest.approx(0.24, abs=0.005)


def test_smollm2():
    """Knows it in English, with its first token (which its file does not ask for) and without; not in Italian."""
    loaded = load(packaged("smollm2-135m"))
    assert (loaded.family, loaded.quantization, loaded.model.config.vocab_size) == ("causal", "Q4_1", 49_152)
    assert loaded.tokenizer("Roma")["input_ids"][0] != loaded.tokenizer.bos_token_id
    start = [loaded.tokenizer.bos_token_id]
    assert next_words(loaded, "The capital of France is", start)[" Paris"] == pytest.approx(0.749, abs=0.002)
    assert next_words(loaded, "The capital of France is")[" Paris"] == pytest.approx(0.773, abs=0.002)
    italian = next_words(loaded, "La capitale della Francia è", start)
    assert next(iter(italian)) == "s" and italian["s"] == pytest.approx(0.436, abs=0.003)


#: What the blocks of a layer are called in the file and in the model, apart from those that are called alike.
GEMMA = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
}


def test_gemmas_weights_are_the_blocks(tmp_path):
    """Every tensor of the file under its name in the model, of the quantised ones the first and the last row, unpacked
    here; norms are one more in the file, as llama.cpp computes them."""
    gguf = pytest.importorskip("gguf")
    folder = packaged("gemma3-270m").folder
    path = tmp_path / "whole.gguf"
    path.write_bytes(b"".join(part.read_bytes() for part in files_of("gemma3-270m")))
    seen = defaultdict(int)
    with safe_open(folder / "model.safetensors", "np") as weights:
        names = set(weights.keys())
        for tensor in gguf.GGUFReader(path).tensors:
            _, layer, own = tensor.name.split(".")[:3] if tensor.name.startswith("blk.") else ("", "", "")
            name = (
                f"model.layers.{layer}.{GEMMA[own]}.weight"
                if layer
                else {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}[
                    tensor.name
                ]
            )
            names.remove(name)
            kind, ours = tensor.tensor_type.name, weights.get_slice(name)
            seen[kind] += 1
            if kind == "F32":
                np.testing.assert_array_equal(ours[:], np.asarray(tensor.data) - (1 if "norm" in name else 0))
            else:
                last = ours.get_shape()[0] - 1
                rows = np.stack([ours[0:1][0], ours[last : last + 1][0]])
                np.testing.assert_allclose(rows, unpacked(tensor.data[[0, -1]], kind), rtol=1e-6, atol=1e-8)
    assert not names and set(seen) == {"F32", "Q4_K", "Q5_0", "Q6_K", "Q8_0"} and set(seen) - {"F32"} <= set(BLOCKS)
    assert about(folder)["architecture"] == "gemma3"

"""Tiny GGUF files, written with the `gguf` package from a Llama of two narrow layers, and how its blocks are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM

WIDTH, HEADS, PAIRS, LAYERS = 32, 2, 1, 2
MERGES = ["R o", "m a", "Ro ma", "Ġ t", "Ġt h", "Ġth e"]


def tokens() -> list[str]:
    """GPT-2's 256 spelled bytes, the merged pieces, and two control tokens."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    return [*letters, *(merge.replace(" ", "") for merge in MERGES), "<s>", "</s>"]


def byte_level() -> Tokenizer:
    """The same vocabulary, made by the tokenizers library and not from any file."""
    vocabulary = {token: i for i, token in enumerate(tokens())}
    bare = Tokenizer(models.BPE(vocabulary, [tuple(merge.split()) for merge in MERGES]))
    bare.pre_tokenizer, bare.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    return bare


def llama(tied: bool = True) -> LlamaForCausalLM:
    """Its weights drawn wide enough that a tensor in a wrong place shows."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokens()),
        hidden_size=WIDTH,
        intermediate_size=64,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=PAIRS,
        max_position_embeddings=64,
        rope_theta=10000.0,
        tie_word_embeddings=tied,
    )
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3)
    return model


#: Names in the file, with {} for the layer, as llama.cpp's converter writes them.
NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    **{
        f"model.layers.{n}.{ours}": f"blk.{n}.{theirs}"
        for n in range(LAYERS)
        for ours, theirs in {
            "self_attn.q_proj": "attn_q",
            "self_attn.k_proj": "attn_k",
            "self_attn.v_proj": "attn_v",
            "self_attn.o_proj": "attn_output",
            "mlp.gate_proj": "ffn_gate",
            "mlp.up_proj": "ffn_up",
            "mlp.down_proj": "ffn_down",
            "input_layernorm": "attn_norm",
            "post_attention_layernorm": "ffn_norm",
        }.items()
    },
}


def turned(name: str) -> int | None:
    """The heads of a tensor (by its name in the file) whose rows RoPE turns, which the file has in another order."""
    return {"attn_q": HEADS, "attn_k": PAIRS}.get(name.split(".")[-1])


def interleaved(weights: np.ndarray, heads: int) -> np.ndarray:
    """Rows of queries or keys in llama.cpp's order: the two halves of a head that turn together, side by side."""
    rows = [
        head * (len(weights) // heads) + half * (len(weights) // heads // 2) + place
        for head in range(heads)
        for place in range(len(weights) // heads // 2)
        for half in (0, 1)
    ]
    return weights[rows]


def write_gguf(path: Path, model, kind: str = "F32", architecture: str = "llama", without: str = "", **extra) -> Path:
    """Write `model`, its matrices as `kind`; `without` leaves a tensor out, `extra` adds some."""
    import gguf

    writer, quantised = gguf.GGUFWriter(path, architecture), gguf.GGMLQuantizationType[kind]
    writer.add_file_type(gguf.LlamaFileType["ALL_F32" if kind == "F32" else f"MOSTLY_{kind}"])
    writer.add_name("tiny")
    writer.add_context_length(64)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(64)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(PAIRS)
    writer.add_layer_norm_rms_eps(model.config.rms_norm_eps)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens()))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens())
    writer.add_token_types([1] * (len(tokens()) - 2) + [3, 3])
    writer.add_token_merges(MERGES)
    writer.add_bos_token_id(len(tokens()) - 2)
    writer.add_eos_token_id(len(tokens()) - 1)
    writer.add_add_bos_token(True)
    for name, tensor in model.named_parameters():
        weights, name = tensor.detach().numpy(), NAMES[name.removesuffix(".weight")]
        if name == without:
            continue
        if heads := turned(name):
            weights = interleaved(weights, heads)
        if weights.ndim == 2 and kind != "F32":
            writer.add_tensor(f"{name}.weight", gguf.quantize(weights, quantised), raw_dtype=quantised)
        else:
            writer.add_tensor(f"{name}.weight", weights)
    for name, weights in extra.items():
        writer.add_tensor(f"{name}.weight", weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def half(block: bytes, at: int) -> float:
    return float(np.frombuffer(block[at : at + 2], np.float16)[0])


def signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


def q8_0(block: bytes) -> list[float]:
    return [half(block, 0) * signed(byte) for byte in block[2:]]


def q4_1(block: bytes) -> list[float]:
    nibbles = [byte & 15 for byte in block[4:]] + [byte >> 4 for byte in block[4:]]
    return [half(block, 0) * nibble + half(block, 2) for nibble in nibbles]


def q5_0(block: bytes) -> list[float]:
    nibbles = [byte & 15 for byte in block[6:]] + [byte >> 4 for byte in block[6:]]
    fifth = int.from_bytes(block[2:6], "little")
    return [half(block, 0) * ((nibble | (fifth >> i & 1) << 4) - 16) for i, nibble in enumerate(nibbles)]


def q4_k(block: bytes) -> list[float]:
    scales, weights, found = block[4:16], block[16:], []
    for part in range(8):  # of 32 weights, each with a scale and a minimum of 6 bits
        if part < 4:
            scale, least = scales[part] & 63, scales[part + 4] & 63
        else:
            scale = scales[part + 4] & 15 | scales[part - 4] >> 6 << 4
            least = scales[part + 4] >> 4 | scales[part] >> 6 << 4
        for byte in weights[part // 2 * 32 : part // 2 * 32 + 32]:
            nibble = byte >> 4 if part % 2 else byte & 15
            found.append(half(block, 0) * scale * nibble - half(block, 2) * least)
    return found


def q6_k(block: bytes) -> list[float]:
    low, high, scales, found = block[:128], block[128:192], block[192:208], [0.0] * 256
    for i in range(256):
        part, rest = divmod(i, 128)
        quarter, place = divmod(rest, 32)
        byte = low[part * 64 + quarter % 2 * 32 + place]
        bits = (byte >> 4 if quarter > 1 else byte & 15) | (high[part * 32 + place] >> 2 * quarter & 3) << 4
        found[i] = half(block, 208) * signed(scales[i // 16]) * (bits - 32)
    return found


#: Types by name: the bytes of a block, and how they are read as ggml's C structs describe them, weight by weight.
BLOCKS = {"Q4_1": (20, q4_1), "Q5_0": (22, q5_0), "Q8_0": (34, q8_0), "Q4_K": (144, q4_k), "Q6_K": (210, q6_k)}


def unpacked(rows: np.ndarray, kind: str) -> np.ndarray:
    """Rows of weights out of rows of bytes."""
    size, read = BLOCKS[kind]
    blocks = [[row[at : at + size].tobytes() for at in range(0, len(row), size)] for row in rows]
    return np.array([[weight for block in row for weight in read(block)] for row in blocks], np.float32)

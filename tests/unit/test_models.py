"""One string in, a model of the right family out; every model that is of no use here is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import transformers
from probe_fixtures import save_model, wordpiece
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSeq2SeqLM

from data_builders.errors import FactrootsError
from fine_tuning import hub, locating
from fine_tuning.families import family_of, looks_ahead
from fine_tuning.locating import locate
from fine_tuning.model_spec import ModelSpec
from fine_tuning.models import load

SIZES = {
    "vocab_size": 200,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "intermediate_size": 32,
    "d_model": 16,
    "d_kv": 8,
    "d_ff": 32,
    "num_layers": 1,
    "num_heads": 2,
    "n_embd": 16,
    "n_layer": 1,
    "n_head": 2,
    "emb_dim": 16,
    "n_layers": 1,
    "n_heads": 2,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "pad_token_id": 0,
    "decoder_start_token_id": 0,
}


def tiny(kind: str, **more):
    """A config of a type, with as many of the usual sizes as it has."""
    known = AutoConfig.for_model(kind).to_dict()
    renamed = AutoConfig.for_model(kind).attribute_map
    sizes = {key: value for key, value in SIZES.items() if key in known and key not in renamed}
    return AutoConfig.for_model(kind, **sizes, **more)


@pytest.mark.parametrize(
    ("kind", "more", "family"),
    [
        ("bert", {}, "masked"),
        ("bert", {"is_decoder": True}, "causal"),
        ("xlm-roberta", {}, "masked"),
        ("xlm-roberta", {"is_decoder": True}, "causal"),
        ("modernbert", {}, "masked"),
        ("xlm", {}, "masked"),
        ("xlm", {"causal": True}, "causal"),
        ("gpt2", {}, "causal"),
        ("llama", {}, "causal"),
        ("gemma3_text", {}, "causal"),
        ("bloom", {}, "causal"),
        ("t5", {}, "seq2seq"),
        ("mt5", {}, "seq2seq"),
        ("mbart", {"is_encoder_decoder": True}, "seq2seq"),
        ("mbart", {"is_encoder_decoder": False, "is_decoder": True}, "causal"),
        ("vit", {}, None),
        ("whisper", {}, None),
        ("qwen2_audio", {}, None),
    ],
)
def test_family_is_how_the_model_attends(kind, more, family):
    """The name, and what it means: what stands later changes what is said before it in masked models alone."""
    config = AutoConfig.for_model(kind) if family is None else tiny(kind, **more)
    assert family_of(config) == family
    if family in ("masked", "causal"):
        auto = {"masked": AutoModelForMaskedLM, "causal": AutoModelForCausalLM}[family]
        model = auto.from_config(config).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0, 0.3)
        ids = torch.tensor([[7, 8, 9, 10], [7, 8, 9, 11]])
        logits = model(input_ids=ids).logits
        changed = bool((logits[0, :3] - logits[1, :3]).abs().max() > 1e-4)
        assert changed == looks_ahead(model) == (family == "masked")


def save(folder: Path, kind: str, auto=AutoModelForCausalLM, tokenizer=None, **more) -> str:
    """A folder with a tiny model of a type."""
    tokenizer = tokenizer or wordpiece()
    config = tiny(kind, **more)
    config.vocab_size = len(tokenizer)
    return str(save_model(folder, (auto.from_config if hasattr(auto, "from_config") else auto)(config), tokenizer))


def with_start():
    tokenizer = wordpiece()
    tokenizer.bos_token = "[CLS]"
    return tokenizer


@pytest.mark.parametrize(
    ("family", "kind", "auto"),
    [
        ("masked", "bert", AutoModelForMaskedLM),
        ("causal", "gpt2", AutoModelForCausalLM),
        ("causal", "llama", AutoModelForCausalLM),
        ("seq2seq", "mt5", AutoModelForSeq2SeqLM),
    ],
)
def test_each_family_is_loaded_as_it_was_saved(tmp_path, family, kind, auto):
    """The same class, the same weights, and the family's name."""
    torch.manual_seed(0)
    tokenizer = with_start()
    config = tiny(kind)
    config.vocab_size = len(tokenizer)
    model = auto.from_config(config)
    loaded = load(str(save_model(tmp_path, model, tokenizer)))
    assert (loaded.family, loaded.quantization, type(loaded.model)) == (family, None, type(model))
    assert not loaded.model.training
    for (name, ours), theirs in zip(loaded.model.state_dict().items(), model.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs), name


def refused(text: str, *parts: str, **options) -> None:
    with pytest.raises(FactrootsError) as caught:
        load(text, **options)
    line = str(caught.value)
    assert "\n" not in line and all(part in line for part in parts), line


def test_families_that_a_caller_cannot_use(tmp_path):
    folder = save(tmp_path, "gpt2", tokenizer=with_start())
    refused(folder, "is a gpt2, which has no masked-LM head", families=("masked",))
    refused(folder, "is a gpt2, which has no masked or seq2seq-LM head", families=("masked", "seq2seq"))
    assert load(folder, families=("causal",)).family == "causal"


def test_models_without_a_head(tmp_path):
    """A picture's encoder, and text encoders out of models of each family."""
    refused(save(tmp_path / "vit", "vit", transformers.AutoModel), "is a vit, which has no language-model head")
    refused(save(tmp_path / "bert", "bert", transformers.BertModel), "no masked-LM head", "cls.predictions")
    folder = Path(save(tmp_path / "t5", "mt5", transformers.MT5EncoderModel))
    refused(str(folder), "is a mt5, which has no language-model head")
    config = json.loads((folder / "config.json").read_text()) | {"is_encoder_decoder": True}
    (folder / "config.json").write_text(json.dumps(config))
    refused(str(folder), "no seq2seq-LM head", "decoder")


def test_an_encoder_in_a_decoders_clothes(tmp_path):
    """Its config's type is a causal one and its head is tied, so that no tensor is missing: its attention tells."""
    folder = save(
        tmp_path / "both", "gemma3_text", tokenizer=with_start(), use_bidirectional_attention=True, sliding_window=8
    )
    refused(folder, "is no causal LM", "later words")
    folder = save(tmp_path / "left", "gemma3_text", tokenizer=with_start(), sliding_window=8)
    assert load(folder).family == "causal"


def test_a_model_that_does_not_run_here(tmp_path, monkeypatch):
    """What fails in the first pass is one line too; a model whose numbers are not finite is for the scorers to say."""
    folder = Path(save(tmp_path, "gpt2", tokenizer=with_start()))

    def refuse(*_, **__):
        raise RuntimeError("not implemented for 'Half'\nmore")

    with monkeypatch.context() as patch:
        patch.setattr(transformers.GPT2LMHeadModel, "forward", refuse)
        refused(str(folder), "does not run in torch.bfloat16 on cpu", "'Half'; pass --dtype float32", dtype="bfloat16")
    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        model.transformer.wte.weight.fill_(float("nan"))
    model.save_pretrained(folder)
    assert load(str(folder)).family == "causal"


def test_tokens_that_a_family_needs(tmp_path):
    masked = wordpiece()
    masked.mask_token = None
    refused(save(tmp_path / "m", "bert", AutoModelForMaskedLM, masked), "has no mask token")
    refused(save(tmp_path / "c", "gpt2", tokenizer=wordpiece()), "has no bos or eos token")


def test_tensors_of_another_shape(tmp_path):
    """Weights that the config does not fit are refused, not drawn anew."""
    folder = Path(save(tmp_path, "gpt2", tokenizer=with_start()))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"n_positions": 77}))
    refused(str(folder), "1 tensors have another shape", "wpe")


def test_the_checksum_is_of_the_files(tmp_path):
    """It changes with any file that decides the output, and with nothing else."""
    folder = Path(save(tmp_path, "gpt2", tokenizer=with_start()))
    first = load(str(folder)).sha256
    (folder / "README.md").write_text("x")
    assert load(str(folder)).sha256 == first and len(bytes.fromhex(first)) == 32
    for name in ("config.json", "tokenizer.json"):
        before = load(str(folder)).sha256
        (folder / name).write_text((folder / name).read_text() + "\n")
        assert load(str(folder)).sha256 != before


def test_a_model_of_a_hub_is_looked_up_once(tmp_path, monkeypatch):
    """What `locate` found is loaded as it is; its commit and id go into the record."""
    folder = Path(save(tmp_path / ("c" * 40), "gpt2", tokenizer=with_start()))
    asked = []
    monkeypatch.setattr(locating, "fetch_model", lambda spec: asked.append(spec) or folder)
    found = locate("org/name@main")
    loaded = load(found)
    assert asked == [ModelSpec("org/name", "main")] and hub.fetch_model is not locating.fetch_model
    assert (loaded.spec, loaded.id, loaded.revision) == (asked[0], "org/name", "c" * 40)


@pytest.mark.parametrize("text", ["demo", "xlmr", "org/name", "org/name@v1", "gemma3-270m", "smollm2-135m", "xlmr@abc"])
def test_a_model_is_its_text(text):
    assert str(ModelSpec.parse(text)) == text and ModelSpec.parse(str(ModelSpec.parse(text))) == ModelSpec.parse(text)


def test_unknown_models_see_what_there_is():
    with pytest.raises(FactrootsError, match=r"unknown model 'gemma'; there are: .*demo, gemma3-270m, .*smollm2-135m"):
        ModelSpec.parse("gemma")

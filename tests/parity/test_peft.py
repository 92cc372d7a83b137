"""Our adapters and merges against peft's own models, loaded and merged by peft."""

import pytest
import torch
from peft import IA3Config, LoraConfig, PeftModel

from fine_tuning.arithmetic.importing import import_peft
from fine_tuning.methods.peft_folder import CONFIG, WEIGHTS, as_dict, delta_of, write
from fine_tuning.methods.peft_layers import injected, weights
from fine_tuning.models import load
from fine_tuning.variants.applying import apply
from fine_tuning.variants.delta import add_to, scaled, total
from fine_tuning.variants.folder import read_variant
from fine_tuning.variants.names import parameters
from tests.variant_fixtures import logits, peft_adapter, tiny_base

FEEDFORWARD = {"target_modules": ["key", "value", "output.dense"], "feedforward_modules": ["output.dense"]}
CONFIGS = {
    "lora": lambda: LoraConfig(r=3, lora_alpha=5, target_modules=["query", "value"]),
    "rslora": lambda: LoraConfig(r=4, lora_alpha=5, use_rslora=True, target_modules="all-linear"),
    "patterns": lambda: LoraConfig(
        target_modules=["query", "key"], rank_pattern={"query": 2}, alpha_pattern={"key": 3}
    ),
    "dora": lambda: LoraConfig(r=3, use_dora=True, target_modules=["query", "output.dense"]),
    "ia3": lambda: IA3Config(**FEEDFORWARD),
}


@pytest.fixture(params=["bert", "xlm-roberta"])
def base(tmp_path, request):
    return tiny_base(tmp_path / "base", request.param)


@pytest.mark.parametrize("kind", CONFIGS)
def test_an_applied_adapter_gives_pefts_logits(kind, base, tmp_path):
    folder = peft_adapter(tmp_path / "theirs", base, CONFIGS[kind]())
    made = import_peft(folder, base, tmp_path / "ours")
    theirs = PeftModel.from_pretrained(load(base).model, folder).eval()
    said = logits(theirs)
    assert not torch.equal(said, logits(load(base).model))
    ours = load(f"{base}+{made.folder}").model
    torch.testing.assert_close(logits(ours), said, rtol=1e-4, atol=1e-4)
    merged = theirs.merge_and_unload()
    assert torch.equal(logits(ours), logits(merged))  # merged by peft it is the same to the last bit
    again = PeftModel.from_pretrained(load(base).model, made.folder).eval()  # and peft loads our folder
    assert torch.equal(logits(again), said)


def test_several_loras_added_are_pefts_concatenation(base, tmp_path):
    one = peft_adapter(tmp_path / "a", base, CONFIGS["lora"](), seed=1)
    two = peft_adapter(tmp_path / "b", base, CONFIGS["rslora"](), seed=2)
    theirs = PeftModel.from_pretrained(load(base).model, one, adapter_name="a")
    theirs.load_adapter(two, adapter_name="b")
    theirs.add_weighted_adapter(["a", "b"], [0.7, -0.4], "both", combination_type="cat")
    theirs.set_adapter("both")
    said = logits(theirs.merge_and_unload(adapter_names=["both"]))
    model = load(base).model
    ours = [import_peft(folder, base, tmp_path / f"ours-{folder.name}") for folder in (one, two)]
    deltas = [scaled(delta_of(model, v), scale) for v, scale in zip(ours, (0.7, -0.4), strict=True)]
    undo = add_to(parameters(model), total(deltas))
    torch.testing.assert_close(logits(model), said, rtol=1e-4, atol=1e-4)
    undo()
    for variant, scale in zip(ours, (0.7, -0.4), strict=True):
        apply(model, variant, scale)
    torch.testing.assert_close(logits(model), said, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["lora", "ia3"])
def test_files_are_as_peft_writes_them(kind, base, tmp_path):
    config = CONFIGS[kind]()
    folder = peft_adapter(tmp_path / "theirs", base, config)
    theirs, model = read_variant(import_peft(folder, base, tmp_path / "ours").folder), load(base).model
    config = CONFIGS[kind]()
    config.base_model_name_or_path = base
    ours = tmp_path / "written"
    ours.mkdir()
    with injected(model, config):
        from fine_tuning.methods.peft_folder import read_weights
        from fine_tuning.methods.peft_layers import set_weights

        set_weights(model, read_weights(folder))
        write(ours, weights(model), as_dict(config, type(model)))
    assert (ours / WEIGHTS).read_bytes() == (folder / WEIGHTS).read_bytes()
    import json

    a, b = (json.loads((f / CONFIG).read_text()) for f in (ours, folder))
    for values in (a, b):
        for key in ("target_modules", "feedforward_modules"):
            values[key] = sorted(values[key]) if values.get(key) else values.get(key)
    assert a == b and theirs.about.kind == "peft"

"""LoRA and (IA)³ as methods and variants: a clean model afterwards, exact undoing, nothing silently at its start."""

import json
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

from data_builders.errors import FactrootsError
from fine_tuning.locating import locate
from fine_tuning.methods.peft_folder import CONFIG, WEIGHTS
from fine_tuning.methods.table import parse_method
from fine_tuning.models import load
from fine_tuning.training.job import Examples, Job
from fine_tuning.training.schedule import Schedule
from fine_tuning.variants.applying import applied, apply
from fine_tuning.variants.folder import Variant, write_variant
from fine_tuning.variants.making import base_of, packages
from fine_tuning.variants.names import copy_of, parameters
from tests.variant_fixtures import delta_variant, logits, noise, tiny_base

METHODS = ["lora(rank=2)", "lora(alpha=4,rank=2,targets=query;output.dense)", "ia3"]


@pytest.fixture(params=["bert", "xlm-roberta"])
def base(tmp_path, request):
    return tiny_base(tmp_path / "base", request.param)


def trained(method: str, base: str, folder, monkeypatch=None) -> tuple[Variant, dict]:
    """A variant that a few steps made, and the model's state before and after them."""
    loaded = load(base)
    before = {name: tensor.clone() for name, tensor in loaded.model.state_dict().items()}
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, loaded.model.config.vocab_size, (8, 6), generator=generator)

    def collate(rows):
        batch = torch.stack(rows)
        return {"input_ids": batch, "attention_mask": torch.ones_like(batch), "labels": batch}

    schedule = Schedule(steps=3, batch=4, rate=0.05)
    job = Job(
        loaded,
        Examples(ids, None, collate, {"sha256": "0"}),
        schedule,
        folder.with_name(f"work-{folder.name}"),
        quiet=True,
    )
    made = parse_method(method).train(job)
    after = loaded.model.state_dict()
    assert after.keys() == before.keys() and all(torch.equal(after[name], before[name]) for name in before)
    assert all(p.requires_grad for p in loaded.model.parameters()) and not hasattr(loaded.model, "peft_config")
    about = {name: getattr(made, name) for name in ("kind", "tie", "trained", "stored")}
    about |= {"method": method, "base": base_of(locate(base), loaded), "packages": packages()}
    return write_variant(folder, made.write, config=dict(made.config), **about), before


@pytest.mark.parametrize("method", METHODS)
def test_training_leaves_the_model_clean_and_the_variant_changes_it(method, base, tmp_path):
    made, _ = trained(method, base, tmp_path / "v")
    again, _ = trained(method, base, tmp_path / "w" / "v")
    assert made.about.sha256 == again.about.sha256  # the same seed, the same bytes
    assert made.about.trained == made.about.stored == sum(t.numel() for t in load_file(made.folder / WEIGHTS).values())
    assert (
        set(made.about.files) == {CONFIG, WEIGHTS} and made.about.config["peft_type"] == method[:4].strip("(").upper()
    )
    plain, changed = load(base), load(f"{base}+{made.folder}")
    assert not torch.equal(logits(plain.model), logits(changed.model))
    plan = parse_method(method).plan(plain.model, Schedule())
    assert plan.trained == made.about.trained
    assert not hasattr(plain.model, "peft_config") and all(p.requires_grad for p in plain.model.parameters())


@pytest.mark.parametrize("method", METHODS)
def test_what_is_taken_off_leaves_nothing_behind(method, base, tmp_path):
    made, before = trained(method, base, tmp_path / "v")
    model = load(base).model
    other = delta_variant(tmp_path / "d", base, noise(model))
    places = {name: p.data_ptr() for name, p in parameters(model).items()}
    with applied(model, [(other, 0.5), (made, 1.0), (other, -1.0)]):
        assert not torch.equal(logits(model), logits(load(base).model))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert places == {name: p.data_ptr() for name, p in parameters(model).items()}
    assert [name for name, _ in model.named_modules()] == [name for name, _ in load(base).model.named_modules()]


def test_a_scale_multiplies_loras_update_and_is_refused_by_ia3(base, tmp_path):
    lora, _ = trained("lora", base, tmp_path / "lora")
    model = load(base).model
    old = copy_of(model)
    apply(model, lora)
    once = copy_of(model)
    undo = apply(load(base).model, lora, 0.0)
    undo()
    twice = load(f"{base}+{lora.folder}*-2.0").model
    for name, p in parameters(twice).items():
        torch.testing.assert_close(p, old[name] - 2 * (once[name] - old[name]), rtol=1e-5, atol=1e-6)
    nothing = load(f"{base}+{lora.folder}*0.0").model
    assert torch.equal(logits(nothing), logits(load(base).model))
    ia3, _ = trained("ia3", base, tmp_path / "ia3")
    with pytest.raises(FactrootsError, match=r"cannot be applied 0\.5 times.*leave the scale out"):
        load(f"{base}+{ia3.folder}*0.5")


def test_nothing_is_silently_at_its_initial_values(base, tmp_path):
    made, before = trained("lora", base, tmp_path / "v")
    model, state = load(base).model, load_file(made.folder / WEIGHTS)
    first = next(name for name in state if "lora_B" in name)
    for change, said in (
        ({name: torch.zeros_like(t) if "lora_B" in name else t for name, t in state.items()}, "changes nothing"),
        ({name: t for name, t in state.items() if name != first}, "lacks 1 tensors"),
        (state | {first.replace("layer.0", "layer.7"): state[first].clone()}, "lacks 1 tensors"),
        (state | {first: state[first][:, :1].clone()}, "has shape"),
    ):
        save_file(change, made.folder / WEIGHTS)
        with pytest.raises(FactrootsError, match=said):
            apply(model, made)
        assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
        assert not hasattr(model, "peft_config")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"peft_type": "VERA"}, "type VERA; LORA and IA3 are read"),
        ({"bias": "all"}, "bias='all'"),
        ({"modules_to_save": ["cls"]}, "modules_to_save"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights='pissa'"),
        ({"target_modules": ["nowhere"]}, "cannot put LORA into a"),
        ({"target_modules": ["word_embeddings"]}, "tied to the vocabulary head"),
    ],
)
def test_an_adapter_of_another_sort_is_refused(change, said, base, tmp_path):
    made, before = trained("lora", base, tmp_path / "v")
    path = made.folder / CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    model = load(base).model
    with pytest.raises(FactrootsError, match=said):
        apply(model, made)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_a_failed_training_leaves_the_model_clean(base, tmp_path):
    loaded = load(base)

    def fit(_):
        raise FactrootsError("no")

    job = SimpleNamespace(loaded=loaded, seed=0, fit=fit)
    with pytest.raises(FactrootsError):
        parse_method("lora").train(job)
    assert not hasattr(loaded.model, "peft_config") and all(p.requires_grad for p in loaded.model.parameters())
    assert not any("lora" in name for name, _ in loaded.model.named_parameters())

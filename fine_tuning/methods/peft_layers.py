"""peft's layers inside a model for as long as they are needed, and the model as it was afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch

from data_builders.errors import FactrootsError
from fine_tuning.variants.names import is_tied

#: What peft writes before a parameter's name within the model.
PREFIX = "base_model.model."


@contextmanager
def injected(model, config, seed: int = 0) -> Iterator:
    """peft's layers of `config` in `model`, drawn from `seed`; yields peft's tuner. The base's parameters are frozen.

    Afterwards, also after a failure, the layers are gone and every parameter is trained or frozen as it was; what was
    merged into the weights stays. Raises FactrootsError where the architecture has no such modules, or they hold the
    tied embeddings, which peft would change for the vocabulary head too.
    """
    from peft.mapping import PEFT_TYPE_TO_TUNER_MAPPING

    learn = {parameter: parameter.requires_grad for parameter in model.parameters()}
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            try:
                tuner = PEFT_TYPE_TO_TUNER_MAPPING[config.peft_type](model, config, adapter_name="default")
            except ValueError as error:
                raise FactrootsError(
                    f"peft cannot put {config.peft_type.value} into a {model.config.model_type}: "
                    f"{str(error).splitlines()[0]}; name modules of it with targets=a;b"
                ) from error
        embeddings = model.get_input_embeddings()
        if is_tied(model) and getattr(embeddings, "base_layer", embeddings) is not embeddings:
            raise FactrootsError("the embeddings are tied to the vocabulary head; name other modules with targets=a;b")
        yield tuner
    finally:
        _take_out(model)
        for parameter, wanted in learn.items():
            parameter.requires_grad_(wanted)


def _take_out(model) -> None:
    """Put every base layer back where peft's layer stands (as BaseTuner.unload, also where injection broke off)."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for name, module in list(model.named_modules()):
        if isinstance(module, BaseTunerLayer):
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, module.get_base_layer())
    if hasattr(model, "peft_config"):
        del model.peft_config


def weights(model) -> dict[str, torch.Tensor]:
    """The injected layers' weights by peft's names, copied."""
    from peft import get_peft_model_state_dict

    state = get_peft_model_state_dict(model, save_embedding_layers=False)
    return {PREFIX + name: tensor.detach().clone().contiguous() for name, tensor in state.items()}


def set_weights(model, state: Mapping[str, torch.Tensor]) -> None:
    """Give the injected layers their weights. Raises FactrootsError unless these are just the ones that they need.

    peft itself leaves what it does not find at its initial value, saying nothing.
    """
    from peft import set_peft_model_state_dict

    wanted = {name: tensor.shape for name, tensor in weights(model).items()}
    if odd := sorted(wanted.keys() ^ state.keys()):
        where = "the adapter's file" if odd[0] in wanted else "the model with this adapter_config.json"
        raise FactrootsError(
            f"{where} lacks {len(odd)} tensors, {odd[0]} among them; pass the model that it was made for"
        )
    for name, shape in wanted.items():
        if state[name].shape != shape:
            raise FactrootsError(
                f"{name} has shape {list(state[name].shape)} in the adapter and {list(shape)} in the model"
            )
    set_peft_model_state_dict(model, {name.removeprefix(PREFIX): tensor for name, tensor in state.items()})

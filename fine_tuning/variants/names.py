"""One name for every parameter of a model, the same whatever is tied and whichever transformers made the model."""

from __future__ import annotations

import torch
from torch import nn


def parameters(model) -> dict[str, nn.Parameter]:
    """Every parameter once, by its canonical name, in the model's own order.

    A tied parameter has several names: the body's is taken (``roberta.embeddings.word_embeddings.weight``, never
    ``lm_head.decoder.weight``), and of several in a head the shortest. transformers 5 registers XLM-R's head before its
    body, so that ``named_parameters()`` has the head's name and a filter by the body's prefix loses the embeddings.
    """
    names: dict[int, list[str]] = {}
    found = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
        found[id(parameter)] = parameter
    body = f"{model.base_model_prefix}."
    chosen = {key: min(all_, key=lambda n: (not n.startswith(body), len(n), n)) for key, all_ in names.items()}
    return {chosen[key]: parameter for key, parameter in found.items()}


def is_tied(model) -> bool:
    """Whether the vocabulary head is the embedding matrix itself."""
    head, embeddings = model.get_output_embeddings(), model.get_input_embeddings()
    return head is not None and embeddings is not None and head.weight is embeddings.weight


def tie_of(model) -> str:
    """What a variant made on `model` as it is says of its head (:class:`fine_tuning.variants.about.About`)."""
    head = model.get_output_embeddings()
    return "tied" if is_tied(model) else "untied" if head is not None and is_copy(head.weight) else "separate"


def is_copy(parameter: nn.Parameter) -> bool:
    """Whether it is the copy of the embeddings that :func:`untie` gave to a head, and none of the base's parameters."""
    return getattr(parameter, "copied", False)


def untie(model) -> None:
    """Give the vocabulary head a copy of the embeddings, so that either may change without the other.

    The config says so too, else the next ``tie_weights`` would undo it. Nothing happens where they are not tied.
    """
    if is_tied(model):
        head = model.get_output_embeddings()
        head.weight = nn.Parameter(head.weight.detach().clone(), requires_grad=head.weight.requires_grad)
        head.weight.copied = True
        model.config.tie_word_embeddings = False


def retie(model) -> None:
    """Undo :func:`untie`; what the head's own copy held is dropped."""
    model.get_output_embeddings().weight = model.get_input_embeddings().weight
    model.config.tie_word_embeddings = True


def embeddings_name(model) -> str:
    """The canonical name of the input embeddings."""
    weight = model.get_input_embeddings().weight
    return next(name for name, parameter in parameters(model).items() if parameter is weight)


@torch.no_grad()
def copy_of(model) -> dict[str, torch.Tensor]:
    """All parameters as they are now, by their canonical names, as tensors of their own."""
    return {name: parameter.detach().clone() for name, parameter in parameters(model).items()}

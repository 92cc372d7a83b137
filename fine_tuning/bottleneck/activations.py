"""Activation functions by name: transformers', and one that `adapters` has besides."""

from __future__ import annotations

from torch import nn
from transformers.activations import ACT2CLS, ACT2FN

#: prelu and xielu learn, and what they would start from is not said anywhere for adapters.
ACTIVATIONS = {*ACT2CLS, "leakyrelu"} - {"prelu", "xielu"}


def activation(name: str) -> nn.Module:
    """The activation function called `name`."""
    return nn.LeakyReLU() if name == "leakyrelu" else ACT2FN[name]

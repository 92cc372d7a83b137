"""The modules of a bottleneck adapter, and what their weights start from."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor, nn

from data_builders.errors import FactrootsError
from fine_tuning.bottleneck.activations import activation
from fine_tuning.bottleneck.config import PLACEMENTS, Config
from fine_tuning.bottleneck.invertible import Nice


class Adapter(nn.Module):
    """A(z) = factor · up(f(down(z))) for z [.., width], without the residual."""

    def __init__(self, width: int, config: Config, scale: float = 1.0):
        super().__init__()
        narrow = max(1, int(width // config.reduction))
        self.down, self.up = nn.Linear(width, narrow), nn.Linear(narrow, width)
        self.activation, self.factor = activation(config.activation), config.scaling * scale

    def forward(self, z: Tensor) -> Tensor:
        added = self.up(self.activation(self.down(z)))
        return added if self.factor == 1 else added * self.factor


class Bottleneck(nn.Module):
    """All adapters of one variant: by sub-block and layer's number, and perhaps an invertible one.

    layers : how many the model has; width : of its hidden states; embedding : of its embeddings. `scale` multiplies
    what the adapters add. Raises FactrootsError where `config` leaves out a layer that is not there, or all.
    """

    def __init__(self, config: Config, layers: int, width: int, embedding: int, scale: float = 1.0):
        super().__init__()
        if odd := [n for n in config.leave_out if n not in range(layers)]:
            raise FactrootsError(f"leave_out names layer {odd[0]}; the model's are 0 to {layers - 1}")
        kept = [n for n in range(layers) if n not in config.leave_out]
        if not kept:
            raise FactrootsError(f"leave_out names all {layers} layers; leave one in")
        self.config = config
        for block in PLACEMENTS[config.placement].blocks:
            self.add_module(block, nn.ModuleDict({str(n): Adapter(width, config, scale) for n in kept}))
        if config.invertible:
            self.nice = Nice(embedding, config.invertible, lambda: activation(config.activation))
        #: Whether the invertible adapter is in use, which only the first one on a model is.
        self.inverts = False

    @classmethod
    def blank(cls, *args, **kwargs) -> Bottleneck:
        """One whose weights are not drawn: no random number is used up."""
        with torch.device("meta"):
            return cls(*args, **kwargs)


def count(module: nn.Module) -> int:
    """Parameters of `module`."""
    return sum(parameter.numel() for parameter in module.parameters())


@torch.no_grad()
def start(made: Bottleneck, generator: Generator) -> Bottleneck:
    """Draw the weights of a blank one, as ``config.init`` says; all biases are 0.

    ``bert``: normal, of deviation 0.02. ``mam_adapter`` (He et al. 2022): Kaiming's uniform down, zeros up.
    ``houlsby``: normal, of deviation 0.01, cut at two of them. ``zero``: as bert, but what is added at first is 0, so
    that the model is unchanged. An invertible adapter starts as bert, or unchanging with ``zero``
    (`adapters` 1.3.0, methods/modeling.py).
    """
    init = made.config.init
    made.to_empty(device="cpu")
    for name, parameter in made.named_parameters():
        last = ".up." in name or (name.startswith("nice.") and ".2." in name)
        if name.endswith("bias") or (last and init == "zero") or (".up." in name and init == "mam_adapter"):
            parameter.zero_()
        elif init == "mam_adapter" and ".down." in name:
            nn.init.kaiming_uniform_(parameter, a=math.sqrt(5), generator=generator)
        elif init == "houlsby" and not name.startswith("nice."):
            nn.init.trunc_normal_(parameter, std=0.01, a=-0.02, b=0.02, generator=generator)
        else:
            parameter.normal_(0, 0.02, generator=generator)
    return made

"""Exponential moving average of a network's weights."""

import math
from copy import deepcopy
from typing import Generic, TypeVar

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)


class EMA(Generic[Module]):
    """Keeps a slowly following copy, which sees better than the weights of any single step.

    Args:
        network: What is trained.
        decay: Weight of the past once warmed up.
        warmup: Updates over which the decay rises, so that the copy soon forgets the random start.
    """

    def __init__(self, network: Module, decay: float = 0.9995, warmup: int = 500) -> None:
        self.network = deepcopy(network).eval().requires_grad_(False)
        self.decay, self.warmup, self.updates = decay, warmup, 0

    @torch.no_grad()
    def update(self, network: Module) -> None:
        """Moves the copy towards the network."""
        self.updates += 1
        decay = self.decay * (1 - math.exp(-self.updates / self.warmup))
        ours, theirs = self.network.state_dict(), network.state_dict()
        for name, value in ours.items():
            if value.dtype.is_floating_point:
                value.lerp_(theirs[name].to(value.dtype), 1 - decay)
            else:
                value.copy_(theirs[name])

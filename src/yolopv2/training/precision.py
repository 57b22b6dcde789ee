"""Mixed precision where it pays."""

import torch
from torch import Tensor, nn


class Float32Conv2d(nn.Conv2d):
    """A convolution that computes in float32 where autocast would not, and hands on the precision it was given."""

    def forward(self, x: Tensor) -> Tensor:
        if not torch.is_autocast_enabled(x.device.type):
            return super().forward(x)
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float()).to(x.dtype)


def keep_strided_in_float32(network: nn.Module) -> None:
    """Replaces strided convolutions, in place, by ones that stay in float32 under autocast.

    On CPUs the gradient of a strided bfloat16 convolution takes a path about ten times slower than float32's; these few
    layers were a third of a whole training step. Weights and their names stay the same.
    """
    for parent in network.modules():
        for name, child in parent.named_children():
            if type(child) is nn.Conv2d and child.stride != (1, 1):
                twin = nn.utils.skip_init(
                    Float32Conv2d,
                    child.in_channels,
                    child.out_channels,
                    child.kernel_size,
                    stride=child.stride,
                    padding=child.padding,
                    groups=child.groups,
                    bias=child.bias is not None,
                )
                twin.weight, twin.bias = child.weight, child.bias
                setattr(parent, name, twin)

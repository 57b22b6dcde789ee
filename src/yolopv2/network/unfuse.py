"""From deployed form back to a form that can be trained."""

from copy import deepcopy

import torch
from torch import Tensor, nn

from yolopv2.network.blocks import BN_EPS, BN_MOMENTUM, Conv, RepConv, Up2
from yolopv2.network.network import Network


def is_deployed(network: Network) -> bool:
    """Whether batch normalisation is folded into the convolutions, as in the release."""
    return not isinstance(network.encoder.stem[0].bn, nn.BatchNorm2d)


@torch.no_grad()
def unfuse(network: Network, images: Tensor) -> Network:
    """A copy of a deployed network in which convolutions are followed by batch normalisation again.

    What was folded cannot be known, but statistics can be measured: every normalisation gets the mean and variance that
    its convolution has on some images, and the scale and shift that undo it. So the network stays the same function,
    in evaluation mode exactly and in training mode on batches like these images. RepConv's 1x1 branch takes half of the
    3x3 branch's centre.

    Args:
        network: As `yolopv2.network.fuse` returns it without ``implicit``, or as released.
        images: ``[N, 3, H, W]``, RGB in 0..1, typical ones.

    Returns:
        The copy, in evaluation mode.
    """
    trainable = deepcopy(network).eval()
    for module in trainable.modules():
        if isinstance(module, RepConv) and module.point is None:
            _split_branches(module)
    handles = [
        module.register_forward_pre_hook(_normalise)
        for module in trainable.modules()
        if isinstance(module, Conv | Up2) and not isinstance(module.bn, nn.BatchNorm2d)
    ]
    trainable(images)
    for handle in handles:
        handle.remove()
    return trainable


def _split_branches(rep: RepConv) -> None:
    """The inverse of merging: two branches that add up to the one there is."""
    dense = rep.dense.conv
    rep.point = Conv(dense.in_channels, dense.out_channels, activation=False)
    rep.point.bn = nn.Identity()
    dense.weight[:, :, 1, 1] /= 2
    rep.point.conv.weight[:, :, 0, 0] = dense.weight[:, :, 1, 1]
    rep.point.conv.bias = nn.Parameter(torch.zeros(dense.out_channels))


def _normalise(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """Puts the normalisation of one convolution in, as the images reach it."""
    assert isinstance(module, Conv | Up2)
    conv = module.conv
    assert conv.bias is not None
    outputs = conv(inputs[0])
    variance, mean = torch.var_mean(outputs, (0, 2, 3))
    bn = nn.BatchNorm2d(conv.out_channels, eps=BN_EPS, momentum=BN_MOMENTUM)
    bn.weight.copy_(torch.sqrt(variance + BN_EPS))
    bn.bias.copy_(mean)
    # The convolution loses its bias, and its outputs' mean with it.
    bn.running_mean = mean - conv.bias
    bn.running_var = variance
    conv.bias = None
    module.bn = bn.eval()

"""The mask head: instance masks of the detected boxes, as linear combinations of a few prototypes."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from yolopv2.network.blocks import Conv, Up2
from yolopv2.network.decode import split_anchors
from yolopv2.network.heads import ANCHORS_PER_LEVEL

PROTOTYPES = 16
"""Maps that the masks of a frame are combined from, at every width of the network."""

MASK_STRIDE = 4
"""Pixels of the network's input per pixel of a prototype, each way."""


class MaskMaps(NamedTuple):
    """What instance masks are assembled from: ``sigmoid(sum_k tanh(coefficient_k) * prototype_k)``.

    Attributes:
        prototypes: ``[N, K, H / 4, W / 4]``, unbounded.
        coefficients: Three maps ``[N, 3 * K, H / s, W / s]`` for the strides s of 8, 16, 32, before the tanh; the
            anchors are those of the detection maps.
    """

    prototypes: Tensor
    coefficients: list[Tensor]


class MaskHead(nn.Module):
    """Prototypes for the whole frame, and for every anchor the coefficients to combine them (YOLACT, arXiv 1904.02689).

    The prototypes come from N3, which knows what is where, raised to stride 4 and joined by the backbone's map of that
    stride, which still has the outlines.

    Args:
        c_fine: Channels of the backbone's map of stride 4.
        c_pyramid: Channels of N3, N4, N5.
        channels: Maps the released network's channel count to this variant's.
    """

    def __init__(self, c_fine: int, c_pyramid: Sequence[int], channels: Callable[[int], int]) -> None:
        super().__init__()
        c = channels
        self.rise = nn.Sequential(Conv(c_pyramid[0], c(128), 3), Up2(c(128), c(96)))
        self.fine = Conv(c_fine, c(96))
        self.prototypes = nn.Sequential(Conv(c(96), c(96), 3), nn.Conv2d(c(96), PROTOTYPES, 1))
        self.coefficients = nn.ModuleList(
            nn.Sequential(Conv(c_in, c(128), 3), nn.Conv2d(c(128), ANCHORS_PER_LEVEL * PROTOTYPES, 1))
            for c_in in c_pyramid
        )

    def forward(self, fine: Tensor, pyramid: Sequence[Tensor]) -> MaskMaps:
        prototypes = self.prototypes(self.rise(pyramid[0]) + self.fine(fine))
        return MaskMaps(prototypes, [predict(x) for predict, x in zip(self.coefficients, pyramid, strict=True)])


def anchor_coefficients(maps: MaskMaps) -> Tensor:
    """The coefficients of every anchor of every cell, float32 ``[N, A, K]`` in -1..1, in `decode`'s order of anchors.

    Example:
        >>> maps = MaskMaps(torch.zeros(1, 16, 16, 24), [torch.zeros(1, 48, 64 // s, 96 // s) for s in (8, 16, 32)])
        >>> anchor_coefficients(maps).shape
        torch.Size([1, 378, 16])
    """
    return torch.cat([split_anchors(raw).flatten(1, 3) for raw in maps.coefficients], 1).float().tanh()

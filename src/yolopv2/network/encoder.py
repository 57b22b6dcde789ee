"""Encoder: the backbone, and the neck that mixes its resolutions and hands out the heads' inputs."""

from collections.abc import Callable, Collection
from typing import NamedTuple

import torch
from torch import Tensor, nn

from yolopv2.network.blocks import EELAN, ELAN, SPPCSPC, Conv, Down

AGGREGATIONS: dict[str, type[ELAN]] = {"elan": ELAN, "e-elan": EELAN}
"""The aggregation block by name: ``elan`` is the released network's, ``e-elan`` the paper's."""


class Features(NamedTuple):
    """What the encoder gives to the heads; None where nobody asked.

    Attributes:
        drivable: The drivable head's tap F4, stride 16.
        lanes: The lane head's tap F3, stride 8.
        pyramid: N3, N4, N5 for detection, strides 8, 16, 32.
        fine: The backbone's last map of stride 4, for the outlines of instance masks.
    """

    drivable: Tensor
    lanes: Tensor | None
    pyramid: tuple[Tensor, Tensor, Tensor] | None
    fine: Tensor | None = None


class Encoder(nn.Module):
    """Backbone and neck of the released network, at any width.

    Layers that only lead to taps nobody asked for are not built: a network with lanes alone has no bottom-up path.

    Args:
        channels: Maps the released network's channel count to this variant's.
        heads: Names of the heads that will be fed.
        aggregation: ``"elan"`` or ``"e-elan"``.
    """

    def __init__(self, channels: Callable[[int], int], heads: Collection[str], aggregation: str = "elan") -> None:
        super().__init__()
        c, elan = channels, AGGREGATIONS[aggregation]
        self.stem = nn.Sequential(
            Conv(3, c(32), 3), Conv(c(32), c(64), 3, 2), Conv(c(64), c(64), 3), Conv(c(64), c(128), 3, 2)
        )
        self.stage2 = elan(c(128), c(64), c(256))
        self.down3 = Down(c(256), c(128))
        self.stage3 = elan(2 * c(128), c(128), c(512))
        self.down4 = Down(c(512), c(256))
        self.stage4 = elan(2 * c(256), c(256), c(1024))
        self.down5 = Down(c(1024), c(512))
        self.stage5 = elan(2 * c(512), c(256), c(1024))
        self.context = SPPCSPC(c(1024), c(512))

        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")
        self.reduce5 = Conv(c(512), c(256))
        self.lateral4 = Conv(c(1024), c(256))
        self.has_pyramid = "detection" in heads
        self.has_f3 = self.has_pyramid or "lanes" in heads
        if self.has_f3:
            self.topdown4 = elan(2 * c(256), c(256), c(256), wide=True)
            self.reduce4 = Conv(c(256), c(128))
            self.lateral3 = Conv(c(512), c(128))
        if self.has_pyramid:
            self.topdown3 = elan(2 * c(128), c(128), c(128), wide=True)
            self.up_down4 = Down(c(128), c(128))
            self.bottomup4 = elan(2 * c(128) + c(256), c(256), c(256), wide=True)
            self.up_down5 = Down(c(256), c(256))
            self.bottomup5 = elan(2 * c(256) + c(512), c(512), c(512), wide=True)

    def forward(self, x: Tensor) -> Features:
        p2 = self.stage2(self.stem(x))
        p3 = self.stage3(self.down3(p2))
        p4 = self.stage4(self.down4(p3))
        p5 = self.context(self.stage5(self.down5(p4)))

        up5 = self.upsample(self.reduce5(p5))
        f4 = torch.cat([self.lateral4(p4), up5], 1)
        if not self.has_f3:
            return Features(f4, None, None)
        t4 = self.topdown4(f4)
        up4 = self.upsample(self.reduce4(t4))
        f3 = torch.cat([self.lateral3(p3), up4], 1)
        if not self.has_pyramid:
            return Features(f4, f3, None)
        n3 = self.topdown3(f3)
        n4 = self.bottomup4(self.up_down4(n3, t4))
        n5 = self.bottomup5(self.up_down5(n4, p5))
        return Features(f4, f3, (n3, n4, n5), p2)

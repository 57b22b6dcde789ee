"""The heads: detection at three strides, drivable area, lane markings. All return logits."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from yolopv2.network.blocks import CSP, ChannelAttention, Conv, RepConv, Up2

STRIDES = (8, 16, 32)
ANCHORS_PER_LEVEL = 3


class ImplicitAdd(nn.Module):
    """A learned offset per channel, added before the prediction (arXiv 2105.04206)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.implicit = nn.Parameter(torch.zeros(1, channels, 1, 1))
        nn.init.normal_(self.implicit, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.implicit


class ImplicitMultiply(nn.Module):
    """A learned factor per channel, applied after the prediction (arXiv 2105.04206)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.implicit = nn.Parameter(torch.ones(1, channels, 1, 1))
        nn.init.normal_(self.implicit, mean=1.0, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.implicit


class DetectionHead(nn.Module):
    """Anchor-based detection: per level RepConv, implicit knowledge around a 1x1 convolution.

    Output channels per anchor: ``tx ty tw th objectness class_0 ... class_k``, as logits.

    Args:
        c_in: Channels of N3, N4, N5.
        c_hidden: Channels of the RepConv outputs.
        classes: Number of classes.
    """

    def __init__(self, c_in: Sequence[int], c_hidden: Sequence[int], classes: int) -> None:
        super().__init__()
        outputs = ANCHORS_PER_LEVEL * (5 + classes)
        self.classes = classes
        self.rep = nn.ModuleList(RepConv(i, h) for i, h in zip(c_in, c_hidden, strict=True))
        self.ia = nn.ModuleList(ImplicitAdd(h) for h in c_hidden)
        self.predict = nn.ModuleList(nn.Conv2d(h, outputs, 1) for h in c_hidden)
        self.im = nn.ModuleList(ImplicitMultiply(outputs) for _ in c_hidden)
        self._initialise_bias()

    def _initialise_bias(self) -> None:
        """Starts objectness at about eight objects per 640x640 frame, so that the first steps are calm."""
        for conv, stride in zip(self.predict, STRIDES, strict=True):
            bias = conv.bias.detach().view(ANCHORS_PER_LEVEL, -1)  # type: ignore[operator]
            bias[:, 4] = math.log(8 / (640 / stride) ** 2)
            bias[:, 5:] = math.log(0.6 / max(self.classes - 0.99, 0.2))

    def forward(self, pyramid: Sequence[Tensor]) -> list[Tensor]:
        hidden = [rep(x) for rep, x in zip(self.rep, pyramid, strict=True)]
        return [im(predict(ia(x))) for ia, predict, im, x in zip(self.ia, self.predict, self.im, hidden, strict=True)]


class DrivableHead(nn.Module):
    """Drivable area from F4: ``[N, 2, H, W]`` logits, channel 0 background, channel 1 road."""

    def __init__(self, c_in: int, channels: Callable[[int], int]) -> None:
        super().__init__()
        c = channels
        self.layers = nn.Sequential(
            Conv(c_in, c(256), 3),
            nn.Upsample(scale_factor=2, mode="nearest"),
            CSP(c(256), c(128)),
            Conv(c(128), c(64), 3),
            nn.Upsample(scale_factor=2, mode="nearest"),
            Conv(c(64), c(32), 3),
            nn.Upsample(scale_factor=2, mode="nearest"),
            Conv(c(32), c(16), 3),
            CSP(c(16), c(8)),
            nn.Upsample(scale_factor=2, mode="nearest"),
            Conv(c(8), 2, 3, activation=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class LaneHead(nn.Module):
    """Lane markings from F3: ``[N, 1, H, W]`` logits."""

    def __init__(self, c_in: int, channels: Callable[[int], int]) -> None:
        super().__init__()
        c = channels
        self.layers = nn.Sequential(
            ChannelAttention(c_in, 2 * c_in),
            Conv(c_in, c(128), 3),
            Up2(c(128), c(128)),
            CSP(c(128), c(64)),
            Conv(c(64), c(32), 3),
            Up2(c(32), c(32)),
            Conv(c(32), c(16), 3),
            CSP(c(16), c(8)),
            Up2(c(8), c(8)),
            Conv(c(8), 1, 3, activation=False),
        )
        # Markings are rare: a start at about one pixel in twenty spares the thousands of small steps that a
        # normalisation's bias would need to get there, during which this head learns nothing.
        last = self.layers[-1].bn
        nn.init.constant_(last.weight, 2.5)  # type: ignore[arg-type, union-attr]
        nn.init.constant_(last.bias, -3.0)  # type: ignore[arg-type, union-attr]

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)

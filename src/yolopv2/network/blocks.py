"""Building blocks of the network: convolutions, aggregation blocks, down- and upsampling.

Every convolution has 'same' padding and, in training form, is followed by a batch normalisation that `fuse`
(see `yolopv2.network.fuse`) later folds into it.
"""

import torch
from torch import Tensor, nn

BN_EPS = 1e-3
BN_MOMENTUM = 0.03


class Conv(nn.Module):
    """Convolution, batch normalisation and SiLU.

    Args:
        c_in: Input channels.
        c_out: Output channels.
        kernel: Kernel size, odd.
        stride: Stride.
        groups: Convolution groups.
        activation: False leaves the activation out (for outputs and for the branches of `RepConv`).

    Example:
        >>> Conv(3, 8, 3, stride=2)(torch.zeros(1, 3, 32, 64)).shape
        torch.Size([1, 8, 16, 32])
    """

    def __init__(
        self, c_in: int, c_out: int, kernel: int = 1, stride: int = 1, groups: int = 1, activation: bool = True
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.bn: nn.Module = nn.BatchNorm2d(c_out, eps=BN_EPS, momentum=BN_MOMENTUM)
        self.act: nn.Module = nn.SiLU(inplace=True) if activation else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.bn(self.conv(x)))


class Up2(nn.Module):
    """Learned upsampling by two: transposed convolution (kernel 2, stride 2), batch normalisation and SiLU."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(c_in, c_out, 2, stride=2, bias=False)
        self.bn: nn.Module = nn.BatchNorm2d(c_out, eps=BN_EPS, momentum=BN_MOMENTUM)
        self.act = nn.SiLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.bn(self.conv(x)))


class ELAN(nn.Module):
    """Efficient layer aggregation (arXiv 2211.04800) as the released network uses it.

    Two 1x1 branches leave the input; a chain of 3x3 convolutions continues the second one. Chosen links of the chain
    and both branches are concatenated, last link first, and merged by a 1x1 convolution.

    Args:
        c_in: Input channels.
        c_branch: Channels of the two 1x1 branches.
        c_out: Output channels.
        wide: False for the backbone's block (links of `c_branch` channels, every second one is kept), True for the
            neck's ELAN-W (links of half the channels, all are kept).
    """

    GROUPS = 1

    def __init__(self, c_in: int, c_branch: int, c_out: int, wide: bool = False) -> None:
        super().__init__()
        g = self.GROUPS
        c_link = c_branch // 2 if wide else c_branch
        self.step = 1 if wide else 2
        self.a = Conv(c_in, g * c_branch)
        self.b = Conv(c_in, g * c_branch)
        self.chain = nn.ModuleList(
            Conv(g * (c_branch if i == 0 else c_link), g * c_link, 3, groups=g) for i in range(4)
        )
        self.merge = Conv(g * (2 * c_branch + c_link * 4 // self.step), g * c_out, groups=g)

    def links(self, x: Tensor) -> Tensor:
        """Both branches and the kept links of the chain, concatenated, last link first."""
        kept = [self.a(x), self.b(x)]
        link = kept[1]
        for i, conv in enumerate(self.chain, start=1):
            link = conv(link)
            if i % self.step == 0:
                kept.append(link)
        return torch.cat(kept[::-1], 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.merge(self.links(x))


class EELAN(ELAN):
    """E-ELAN as the paper describes it and the release does not have it: expand, shuffle, merge cardinality.

    Every convolution works in two groups with twice the channels of `ELAN`; the concatenated links are shuffled across
    the groups and the groups are added up in the end (arXiv 2207.02696, section 3.1).
    """

    GROUPS = 2

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.merge(_shuffle(self.links(x), self.GROUPS)).chunk(self.GROUPS, 1)
        return first + second


def _shuffle(x: Tensor, groups: int) -> Tensor:
    """Channel shuffle (arXiv 1707.01083) in operations that every exporter knows."""
    n, channels, height, width = x.shape
    return x.view(n, groups, channels // groups, height, width).transpose(1, 2).reshape(n, channels, height, width)


class Down(nn.Module):
    """Halves the resolution along two ways at once: strided convolution, and max pooling.

    Extra maps of the lower resolution, where given, are concatenated behind the two.
    """

    def __init__(self, c_in: int, c_way: int) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2, 2)
        self.pool_conv = Conv(c_in, c_way)
        self.conv = Conv(c_in, c_way)
        self.strided = Conv(c_way, c_way, 3, stride=2)

    def forward(self, x: Tensor, *extra: Tensor) -> Tensor:
        pooled = self.pool_conv(self.pool(x))
        return torch.cat([self.strided(self.conv(x)), pooled, *extra], 1)


class SPPCSPC(nn.Module):
    """Spatial pyramid pooling inside a cross-stage-partial block: context at 5, 9 and 13 cells around."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.before = nn.Sequential(Conv(c_in, c_out), Conv(c_out, c_out, 3), Conv(c_out, c_out))
        self.pools = nn.ModuleList(nn.MaxPool2d(k, 1, k // 2) for k in (5, 9, 13))
        self.after = nn.Sequential(Conv(4 * c_out, c_out), Conv(c_out, c_out, 3))
        self.shortcut = Conv(c_in, c_out)
        self.merge = Conv(2 * c_out, c_out)

    def forward(self, x: Tensor) -> Tensor:
        narrow = self.before(x)
        context = self.after(torch.cat([narrow, *(pool(narrow) for pool in self.pools)], 1))
        return self.merge(torch.cat([context, self.shortcut(x)], 1))


class CSP(nn.Module):
    """Cross-stage-partial block of the segmentation heads (arXiv 1911.11929), without a residual addition."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        hidden = c_out // 2
        self.deep = nn.Sequential(
            Conv(c_in, hidden), Conv(hidden, hidden), Conv(hidden, hidden, 3), nn.Conv2d(hidden, hidden, 1, bias=False)
        )
        self.shallow = nn.Conv2d(c_in, hidden, 1, bias=False)
        self.bn: nn.Module = nn.BatchNorm2d(2 * hidden, eps=BN_EPS, momentum=BN_MOMENTUM)
        self.act = nn.LeakyReLU(0.1, inplace=True)
        self.merge = Conv(2 * hidden, c_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.merge(self.act(self.bn(torch.cat([self.deep(x), self.shallow(x)], 1))))


class RepConv(nn.Module):
    """Two parallel branches, 3x3 and 1x1, in training; one 3x3 convolution when deployed (arXiv 2101.03697)."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.dense = Conv(c_in, c_out, 3, activation=False)
        self.point: Conv | None = Conv(c_in, c_out, 1, activation=False)
        self.act = nn.SiLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.dense(x)
        return self.act(y if self.point is None else y + self.point(x))


class ChannelAttention(nn.Module):
    """Gates channels by their global average: ``y = gate(x) * x + x``."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.Linear(channels, hidden, bias=False), nn.SiLU(), nn.Linear(hidden, channels, bias=False), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        gate = self.gate(x.mean((2, 3)))[:, :, None, None]
        return gate * x + x

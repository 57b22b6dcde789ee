"""Instance masks learned from boxes alone (BoxInst, arXiv 2012.02310).

The paper's terms act on a mask that is 0 outside its box, for here masks are cropped to their boxes.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from yolopv2.training.losses.box_pixels import BoxPixels

SIMILAR = 0.3
"""Least similarity of two pixels' colours that makes the paper take them for parts of one thing, or of none."""

SPREAD = 2.0
"""The paper's theta: the similarity of two colours in Lab is ``exp(-|a - b| / theta)``."""

DILATION = 2
"""A pixel is compared with those so many rows and columns away: eight of them, as in the paper."""

_FORWARD = ((0, 1), (1, -1), (1, 0), (1, 1))


def projection_sums(logits: Tensor, pixels: BoxPixels, height: int, width: int) -> Tensor:
    """How far a mask is from touching each row and column of its box: equation 1 of the paper, with the dice loss.

    ``L = dice(max_rows m, box) + dice(max_columns m, box)``, ``dice(p, t) = 1 - 2 sum p t / (sum p^2 + sum t^2)``.

    Args:
        logits: ``[m]``, of the boxes' pixels.
        pixels: Which ones these are.
        height: Of the map they lie in.
        width: Of the map.

    Returns:
        The sum over the boxes.
    """
    p = logits.sigmoid()
    sizes = (pixels.boxes[:, 2:] - pixels.boxes[:, :2]).to(p.dtype)
    total = p.new_zeros(())
    for place, length, wanted in ((pixels.column, width, sizes[:, 0]), (pixels.row, height, sizes[:, 1])):
        empty = p.new_zeros(len(sizes) * length)
        projected = empty.scatter_reduce(0, pixels.owner * length + place, p, "amax").view(-1, length)
        dice = 1 - 2 * projected.sum(1) / (projected.square().sum(1) + wanted)
        total = total + dice.sum()
    return total


def pairwise_sums(logits: Tensor, pixels: BoxPixels, image: Tensor, colours: Tensor) -> Tensor:
    """How unlike the mask is at pixels of like colour: equation 6 of the paper.

    ``L = -1/N sum_e [S_e >= tau] log(m_i m_j + (1 - m_i)(1 - m_j))`` over the N edges e that have an end in the box,
    each once, with ``S_e = exp(-|c_i - c_j| / theta)``.

    Args:
        logits: ``[m]``, of the boxes' pixels.
        pixels: Which ones these are.
        image: int64 ``[p]``, the image of each box.
        colours: ``[N, 3, h, w]``, Lab.

    Returns:
        The sum over the boxes.
    """
    _, _, height, width = colours.shape
    flat = colours.permute(0, 2, 3, 1).reshape(-1, 3)
    start = image[pixels.owner] * height * width
    own = flat[start + pixels.row * width + pixels.column]
    foreground, background = F.logsigmoid(logits), F.logsigmoid(-logits)
    loss, edges = torch.zeros_like(logits), torch.zeros_like(logits)
    for down, right in (*_FORWARD, *((-y, -x) for y, x in _FORWARD)):
        row, column = pixels.row + DILATION * down, pixels.column + DILATION * right
        exists = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        index, inside = pixels.index_of(row, column)
        if (down, right) not in _FORWARD:
            exists &= ~inside  # else the edge has been counted from its other end
        other = flat[start + row.clamp(0, height - 1) * width + column.clamp(0, width - 1)]
        alike = exists & ((own - other).norm(dim=1).div(-SPREAD).exp() >= SIMILAR)
        same = torch.logaddexp(foreground + foreground[index], background + background[index])
        loss = loss - torch.where(inside, same, background) * alike  # outside the box the mask is 0
        edges = edges + exists
    return (pixels.sum(loss) / pixels.sum(edges).clamp(min=1)).sum()


def lab(images: Tensor, stride: int) -> Tensor:
    """The colours of images in CIE Lab (of sRGB under D65), each the mean over a square of pixels.

    Args:
        images: uint8 ``[N, 3, H, W]``, RGB.
        stride: Side of the squares.

    Returns:
        float32 ``[N, 3, H / stride, W / stride]``: L in 0..100, a and b around 0.
    """
    rgb = F.avg_pool2d(images.float(), stride) / 255
    linear = torch.where(rgb > 0.04045, ((rgb + 0.055) / 1.055).pow(2.4), rgb / 12.92)
    to_xyz = linear.new_tensor(
        [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
    )
    xyz = torch.einsum("ij,njhw->nihw", to_xyz / to_xyz.sum(1, keepdim=True), linear)
    x, y, z = torch.where(xyz > 0.008856, xyz.clamp(min=1e-6) ** (1 / 3), 7.787 * xyz + 16 / 116).unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)

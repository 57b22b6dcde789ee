"""Which anchors answer for which objects."""

from typing import NamedTuple

import torch
from torch import Tensor

MAX_RATIO = 4.0
"""An anchor answers for objects up to this many times wider, higher, narrower or lower than itself."""


class Assignment(NamedTuple):
    """Positives of one level, one row per anchor and object.

    Attributes:
        image: int64 ``[p]``, index in the batch.
        anchor: int64 ``[p]``, index of the anchor of this level.
        row, column: int64 ``[p]``, the cell.
        box: float32 ``[p, 4]``, the object's centre, width and height in cells of this level.
        class_id: int64 ``[p]``.
    """

    image: Tensor
    anchor: Tensor
    row: Tensor
    column: Tensor
    box: Tensor
    class_id: Tensor


def match_anchors(targets: Tensor, anchors: Tensor, stride: int, height: int, width: int) -> Assignment:
    """Plain anchor matching: by shape, at the object's cell and its two nearest neighbours.

    The rule of the YOLO family since version 5: an anchor fits when neither side differs by more than `MAX_RATIO`; the
    offsets that a cell can predict reach half a cell beyond it, so the nearest neighbour in x and in y answer as well.

    Args:
        targets: ``[t, 6]``: image, class, ``x1 y1 x2 y2`` in pixels.
        anchors: ``[a, 2]`` in pixels.
        stride: Pixels per cell.
        height: Rows of the level.
        width: Columns of the level.
    """
    boxes = targets[:, 2:]
    sizes = boxes[:, 2:] - boxes[:, :2]
    ratio = sizes[:, None] / anchors[None]
    fits = torch.maximum(ratio, 1 / ratio.clamp(min=1e-6)).amax(-1) < MAX_RATIO
    which, anchor = fits.nonzero(as_tuple=True)

    centre = (boxes[which, :2] + boxes[which, 2:]) / 2 / stride
    size = sizes[which] / stride
    cell = centre.floor()
    # -1 where the left or upper neighbour is the nearer one, else +1.
    towards = torch.where(centre - cell < 0.5, -1.0, 1.0)
    none = torch.zeros_like(towards[:, 0])
    offsets = torch.stack(
        [torch.zeros_like(towards), torch.stack([towards[:, 0], none], 1), torch.stack([none, towards[:, 1]], 1)]
    )
    cells = (cell[None] + offsets).flatten(0, 1)
    inside = (cells >= 0).all(1) & (cells[:, 0] < width) & (cells[:, 1] < height)
    which, anchor = which.repeat(3)[inside], anchor.repeat(3)[inside]
    box = torch.cat([centre, size], 1).repeat(3, 1)[inside]
    column, row = cells[inside].long().T
    return Assignment(targets[which, 0].long(), anchor, row, column, box, targets[which, 1].long())

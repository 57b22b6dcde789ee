"""The pixels of boxes of any sizes in flat rows, so that a loss costs what its boxes cover and not whole frames."""

from typing import NamedTuple

import torch
from torch import Tensor


class BoxPixels(NamedTuple):
    """One row per pixel: box after box, in each from its left upper corner row by row.

    Attributes:
        boxes: int64 ``[p, 4]``, ``x1 y1 x2 y2`` in whole pixels, the last ones not included; none is empty.
        owner: int64 ``[m]``, which box.
        row: int64 ``[m]``.
        column: int64 ``[m]``.
    """

    boxes: Tensor
    owner: Tensor
    row: Tensor
    column: Tensor

    @classmethod
    def of(cls, boxes: Tensor, height: int, width: int) -> "BoxPixels":
        """The pixels whose centres lie in boxes, of each box at least one.

        Args:
            boxes: ``[p, 4]``, ``x1 y1 x2 y2`` in pixels.
            height: Of the map.
            width: Of the map.

        Example:
            >>> pixels = BoxPixels.of(torch.tensor([[0.0, 0, 0.2, 0.2], [1.4, 0, 3, 1]]), height=2, width=4)
            >>> pixels.owner.tolist(), pixels.row.tolist(), pixels.column.tolist()
            ([0, 1, 1], [0, 0, 0], [0, 1, 2])
        """
        borders = (boxes - 0.5).ceil().long()
        limits = torch.tensor([width, height], device=boxes.device)
        first = torch.minimum(borders[:, :2].clamp(min=0), limits - 1)
        last = torch.maximum(torch.minimum(borders[:, 2:], limits), first + 1)
        size = last - first
        area = size.prod(1)
        owner = torch.arange(len(boxes), device=boxes.device).repeat_interleave(area)
        place = torch.arange(len(owner), device=boxes.device) - (area.cumsum(0) - area)[owner]
        rows, columns = place // size[owner, 0], place % size[owner, 0]
        return cls(torch.cat([first, last], 1), owner, first[owner, 1] + rows, first[owner, 0] + columns)

    @property
    def area(self) -> Tensor:
        """Pixels of each box, int64 ``[p]``."""
        return (self.boxes[:, 2:] - self.boxes[:, :2]).prod(1)

    def sum(self, values: Tensor) -> Tensor:
        """Values ``[m]`` summed over each box, ``[p]``."""
        return values.new_zeros(len(self.boxes)).index_add(0, self.owner, values)

    def pick(self, keep: Tensor) -> tuple["BoxPixels", Tensor]:
        """Some of the boxes, by a mask ``[p]``; and which pixels are theirs, bool ``[m]``."""
        pixels = keep[self.owner]
        owner = (keep.cumsum(0) - 1)[self.owner[pixels]]
        return BoxPixels(self.boxes[keep], owner, self.row[pixels], self.column[pixels]), pixels

    def index_of(self, row: Tensor, column: Tensor) -> tuple[Tensor, Tensor]:
        """Where other pixels of the same boxes stand.

        Args:
            row: int64 ``[m]``: of the other pixel of each pixel.
            column: int64 ``[m]``.

        Returns:
            Rows of this list, int64 ``[m]``, and whether the pixel is in the box, bool ``[m]``; where it is not, the
            row means nothing but exists.
        """
        x1, y1, x2, y2 = self.boxes[self.owner].unbind(1)
        inside = (column >= x1) & (column < x2) & (row >= y1) & (row < y2)
        start = (self.area.cumsum(0) - self.area)[self.owner]
        index = start + (row - y1) * (x2 - x1) + column - x1
        return torch.where(inside, index, start), inside

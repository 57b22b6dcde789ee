"""Which anchors answer for which objects."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from yolopv2.network.decode import decode_boxes
from yolopv2.network.heads import STRIDES
from yolopv2.training.overlap import EPS, iou

MAX_RATIO = 4.0
"""An anchor answers for objects up to this many times wider, higher, narrower or lower than itself."""

CANDIDATES = 10
"""SimOTA: the overlaps of this many best candidates say how many anchors an object gets (arXiv 2107.08430)."""

OVERLAP_COST = 3.0
"""SimOTA: weight of the overlap's cost beside the class's (arXiv 2107.08430)."""


class Assignment(NamedTuple):
    """Positives of one level, one row per anchor and object.

    Attributes:
        target: int64 ``[p]``, row of the object.
        image: int64 ``[p]``, index in the batch.
        anchor: int64 ``[p]``, index of the anchor of this level.
        row, column: int64 ``[p]``, the cell.
    """

    target: Tensor
    image: Tensor
    anchor: Tensor
    row: Tensor
    column: Tensor

    def pick(self, keep: Tensor) -> "Assignment":
        """Some of the rows, by a mask or by indices."""
        return Assignment(*(column[keep] for column in self))


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
    fits = torch.maximum(ratio, 1 / ratio.clamp(min=EPS)).amax(-1) < MAX_RATIO
    which, anchor = fits.nonzero(as_tuple=True)

    centre = (boxes[which, :2] + boxes[which, 2:]) / 2 / stride
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
    column, row = cells[inside].long().T
    return Assignment(which, targets[which, 0].long(), anchor, row, column)


@torch.no_grad()
def simota(
    candidates: Sequence[Assignment], maps: Sequence[Tensor], targets: Tensor, anchors: Tensor
) -> list[Assignment]:
    """SimOTA: of the anchors that fit an object, those that already see it best (arXiv 2107.08430, section 2.1).

    A candidate's cost is ``BCE(class) + 3 * -log(IoU)`` (see `OVERLAP_COST`); the class is weighed by the objectness as
    it is in the score. An object gets as many of its cheapest candidates as the sum of its ten largest overlaps, at
    least one; an anchor that several objects want goes to the cheapest. As in YOLOv7 (arXiv 2207.02696) the candidates
    are those of plain anchor matching, over all levels together.

    Args:
        candidates: Of each level, as `match_anchors` gives them.
        maps: Of each level ``[N, A, H, W, 5 + C]``, raw.
        targets: ``[t, 6]``: image, class, ``x1 y1 x2 y2`` in pixels.
        anchors: ``[3, A, 2]`` in pixels.

    Returns:
        The candidates that remain, by level. No anchor of a cell is in them twice.
    """
    costs, overlaps, places = [], [], []
    for level, (found, raw) in enumerate(zip(candidates, maps, strict=True)):
        p = raw[found.image, found.anchor, found.row, found.column]
        cell = torch.stack([found.column, found.row], 1)
        xy, wh = decode_boxes(p, cell, anchors[level][found.anchor], STRIDES[level])
        overlap = iou(torch.cat([xy - wh / 2, xy + wh / 2], 1), targets[found.target, 2:])
        score = (p[:, 5:].sigmoid() * p[:, 4:5].sigmoid()).sqrt().clamp(EPS, 1 - EPS)
        wanted = F.one_hot(targets[found.target, 1].long(), p.shape[1] - 5).to(p.dtype)
        classes = -torch.where(wanted > 0, score, 1 - score).log().sum(1)
        costs.append(classes - OVERLAP_COST * (overlap + EPS).log())
        overlaps.append(overlap)
        _, n_anchors, height, width, _ = raw.shape
        place = ((found.image * n_anchors + found.anchor) * height + found.row) * width + found.column
        places.append(place * len(STRIDES) + level)
    sizes = [len(cost) for cost in costs]
    target = torch.cat([found.target for found in candidates])
    cost, overlap, place = torch.cat(costs), torch.cat(overlaps), torch.cat(places)
    best = torch.where(_rank(target, -overlap) < CANDIDATES, overlap, 0)
    wanted_count = torch.zeros(len(targets), device=cost.device).index_add(0, target, best).clamp(min=1).floor()
    keep = _rank(target, cost) < wanted_count[target]
    keep &= _rank(place, torch.where(keep, cost, torch.inf)) == 0
    return [found.pick(kept) for found, kept in zip(candidates, keep.split(sizes), strict=True)]


def _rank(group: Tensor, value: Tensor) -> Tensor:
    """Position of every element among those of its group, by rising value, from 0."""
    order = value.argsort(stable=True)
    order = order[group[order].argsort(stable=True)]
    grouped = group[order]
    index = torch.arange(len(order), device=group.device)
    starts = torch.ones_like(grouped, dtype=torch.bool)
    starts[1:] = grouped[1:] != grouped[:-1]
    first = torch.where(starts, index, 0).cummax(0).values if len(order) else index
    rank = torch.empty_like(index)
    rank[order] = index - first
    return rank

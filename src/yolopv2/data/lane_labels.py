"""Lane masks from the outlines people drew, made as the field makes them.

BDD100K's annotators drew both edges of a marking. YOLOP (Wu et al., "YOLOP: You Only Look Once for Panoptic Driving
Perception", 2022) and YOLOPv2 follow Hou et al. ("Learning Lightweight Lane Detection CNNs by Self Attention
Distillation", ICCV 2019): the two edges are averaged to one centre line, which is drawn 8 pixels wide for training and
2 pixels wide for validation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yolopv2.geometry.curves import draw_lines, resample

LANE_WIDTH = {"train": 8.0, "val": 2.0}
"""Width of a lane line by split, in pixels of a frame of `REFERENCE_HEIGHT` rows."""

REFERENCE_HEIGHT = 720

_POINTS = 32
"""So many points of two edges are compared and averaged."""

_MAX_GAP = 60.0
"""Mean distance of two edges of one marking, at most, in pixels of 720 rows: a double line just before the bonnet."""

_MAX_GAP_TO_LENGTH = 0.5
"""Far away, where all lines are close, the two edges of a marking are closer than they are long; its neighbours not."""


@dataclass(frozen=True, eq=False)
class Edge:
    """One line as it was drawn.

    Attributes:
        points: float64 ``[k, 2]`` of ``x y`` in pixels of the frame.
        kind: What it is of; edges of different kinds never belong to one marking.
        paired: Whether such lines come in twos around a marking: those of a crossing stand for themselves.
    """

    points: NDArray[np.float64]
    kind: tuple[str, ...] = ()
    paired: bool = True


def lane_mask(edges: Sequence[Edge], height: int, width: int, line_width: float) -> NDArray[np.uint8]:
    """The mask of lane markings of a frame.

    Args:
        edges: What was drawn.
        height: Rows of the frame.
        width: Columns of the frame.
        line_width: Width of a lane line in pixels of a frame of 720 rows; in others it is scaled.

    Returns:
        uint8 ``[height, width]`` of 0 and 1.

    Example:
        >>> edges = [Edge(np.array([[x, 0.0], [x, 720.0]])) for x in (100, 120)]
        >>> np.flatnonzero(lane_mask(edges, 720, 1280, line_width=8)[300]).tolist()
        [106, 107, 108, 109, 110, 111, 112, 113]
    """
    scale = height / REFERENCE_HEIGHT
    lines = centre_lines(edges, _MAX_GAP * scale)
    return draw_lines(lines, height, width, max(line_width * scale, 1.0)).astype(np.uint8)


def centre_lines(edges: Sequence[Edge], max_gap: float) -> list[NDArray[np.float64]]:
    """One line for each marking: the mean of its two edges, or the edge that has no other.

    The closest two edges of a kind are paired first, then the closest of the rest. Before edges are compared and
    averaged they are resampled by arc length, and laid in one direction.

    Args:
        edges: What was drawn, in any order and direction.
        max_gap: Mean distance of the two edges of a marking, at most, in pixels.

    Returns:
        float64 ``[k, 2]`` each, in the order of the edges.
    """
    resampled = [resample(edge.points, _POINTS) for edge in edges]
    partner: dict[int, int] = {}
    for _, i, j in sorted(_possible_pairs(edges, resampled, max_gap)):
        if i not in partner and j not in partner:
            partner[i], partner[j] = j, i
    lines = []
    for i, edge in enumerate(edges):
        if i not in partner:
            lines.append(edge.points)
        elif i < partner[i]:
            lines.append((resampled[i] + _along(resampled[i], resampled[partner[i]])) / 2)
    return lines


def _possible_pairs(
    edges: Sequence[Edge], resampled: list[NDArray[np.float64]], max_gap: float
) -> list[tuple[float, int, int]]:
    """Mean distance and numbers of edges that may be of one marking."""
    lengths = [float(np.hypot(*np.diff(line, axis=0).T).sum()) for line in resampled]
    pairs = []
    for j, second in enumerate(edges):
        for i, first in enumerate(edges[:j]):
            if first.kind != second.kind or not (first.paired and second.paired):
                continue
            gap = _mean_distance(resampled[i], _along(resampled[i], resampled[j]))
            if gap <= min(max_gap, _MAX_GAP_TO_LENGTH * min(lengths[i], lengths[j])):
                pairs.append((gap, i, j))
    return pairs


def _along(line: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """The other line in the direction of the first."""
    return min(other, other[::-1], key=lambda way: _mean_distance(line, way))


def _mean_distance(line: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.hypot(*(line - other).T).mean())

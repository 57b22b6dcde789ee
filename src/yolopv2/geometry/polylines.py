"""Lane lines: a mask of lane-marking pixels as a few clean polylines.

The mask is cut into rows and each row into runs of marked pixels. Runs that touch from row to row form pieces, and
pieces that continue each other, as the dashes of one line do, are joined. Cutting by rows suits the road: whatever the
direction of a lane line in the picture, its width along a row is its true width on the ground, and that grows in
proportion to the distance below the horizon. So it is known in every row which two edges belong to one marking.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.geometry.masks import as_bytes, mask_box

_WORKING_SIZE = 640
"""Masks are traced at no more than this long side; every length below is in pixels of that size."""

_MARKING_WIDTH, _MAX_MARKING_WIDTH = 0.1, 0.2
"""Width of a marking per row below the horizon, usual and at most: 0.12 to 0.25 m, seen from 1.25 m above the road."""

_MAX_WIDTH_STEP = 4

_SMOOTHING = 2
"""Reach of the smoothing, which can mark pixels beside the marked ones."""

_MIN_BLOB_AREA = 12
_MIN_PIECE_ROWS = 5
_MIN_LINE_LENGTH = 24.0
_MAX_PIECES = 80
_END_ROWS = 40
"""So many rows at the end of a piece tell where it is heading."""

_CAP_ROWS = 6
"""Rows that the blunt end of a marking can take."""

_MAX_GAP = 130.0
_MAX_GAP_TO_DASH = 4.0
"""A gap between dashes is about three times a dash (3 m painted, 9 m not)."""

_MAX_TURN = 0.12
"""Radians by which two pieces of one line may differ, beyond what their shortness leaves uncertain."""

_MIN_STEEPNESS = 0.06
"""Rise over run below which a line lies across the road: a stop line or the edge of a crossing."""

_TOLERANCE = 0.8


@dataclass
class _Runs:
    """Runs of marked pixels, sorted by row, then by column; the end column is exclusive."""

    row: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]


def lane_lines(mask: NDArray[np.bool_]) -> list[NDArray[np.float32]]:
    """Trace the lane lines in a mask of lane-marking pixels.

    The two edges of one marking become one line, the dashes of one line are joined where they continue each other,
    specks are dropped, and so is what lies across the road (stop lines, the edges of crossings).

    Args:
        mask: bool or uint8 ``[H, W]``, nonzero where a lane marking is.

    Returns:
        One float32 ``[k, 2]`` of ``x y`` per line in pixels of the mask (the centre of the first pixel is at 0.5 0.5),
        from the bottom of the frame to the top; the lines go from left to right by where they are lowest.

    Example:
        >>> mask = np.zeros((90, 160), bool)
        >>> mask[10:80, 70:74] = True
        >>> [line.tolist() for line in lane_lines(mask)]
        [[[72.0, 79.5], [72.0, 10.5]]]
    """
    marked, corner, scale = _at_working_size(mask)
    runs = _close_markings(_find_runs(marked), marked.shape)
    pieces = _join(_trace(runs))
    limits = mask.shape[1], mask.shape[0]
    lines = [
        np.clip((_simplify(piece) + corner) * scale, 0, limits).astype(np.float32)
        for piece in pieces
        if _is_lane_line(piece)
    ]
    return sorted(lines, key=lambda line: (float(line[0, 0]), float(line[0, 1])))


def _at_working_size(
    mask: NDArray[np.bool_],
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.float64]]:
    """The marked part of the mask without specks, shrunk where the mask is large.

    Returns:
        That part; ``x y`` of its first pixel; and the factors ``x y`` back to the mask's own pixels.
    """
    height, width = mask.shape
    pixels = as_bytes(mask)
    shrink = max(height, width) / _WORKING_SIZE
    if shrink > 1:
        size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
        # A fifth covered is enough: a line thinner than a working pixel must not break.
        pixels = (cv2.resize(pixels * np.uint8(255), size, interpolation=cv2.INTER_AREA) >= 48).view(np.uint8)
    scale = np.array([width / pixels.shape[1], height / pixels.shape[0]])
    x, y, marked_width, marked_height = mask_box(pixels.view(np.bool_))
    margin = _SMOOTHING + 1  # smoothing mirrors what lies at the edges, which then is nothing
    left, top = max(0, x - margin), max(0, y - margin)
    pixels = pixels[top : y + marked_height + margin, left : x + marked_width + margin]
    _, labels, stats, _ = cv2.connectedComponentsWithStats(pixels, connectivity=8)
    brightness = np.where(stats[:, cv2.CC_STAT_AREA] >= _MIN_BLOB_AREA, 255, 0).astype(np.uint8)
    brightness[0] = 0  # the background
    # Ragged edges would break runs of shallow lines; the low limit keeps diagonals of one pixel.
    smooth = cv2.GaussianBlur(brightness.take(np.asarray(labels, np.int32)), (2 * _SMOOTHING + 1,) * 2, 0)
    return smooth >= 60, np.array([left, top]), scale


def _find_runs(mask: NDArray[np.bool_]) -> _Runs:
    """Every run of marked pixels of every row."""
    padded = np.zeros((mask.shape[0], mask.shape[1] + 2), np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded, axis=1)
    row, start = np.divmod(np.flatnonzero(steps == 1), steps.shape[1])  # several times as quick as np.nonzero
    return _Runs(row, start, np.flatnonzero(steps == -1) % steps.shape[1])


def _close_markings(runs: _Runs, shape: tuple[int, int]) -> _Runs:
    """Join the runs of a row that are the two edges of one marking.

    Edges are first close enough in some rows to be sure, and from there on down or up as long as they may be: a gap
    compared with one limit row by row would be closed here and open there.
    """
    if len(runs.row) == 0:
        return runs
    below_horizon = runs.row[1:] - runs.row[len(runs.row) // 50]
    same_row = runs.row[1:] == runs.row[:-1]
    gap = runs.start[1:] - runs.end[:-1]
    possible = same_row & (gap <= np.maximum(2, _MAX_MARKING_WIDTH * below_horizon))
    certain = same_row & (gap <= np.maximum(2, _MARKING_WIDTH * below_horizon))
    change = np.zeros((shape[0], shape[1] + 1), np.int8)
    change[runs.row[1:][possible], runs.end[:-1][possible]] = 1
    change[runs.row[1:][possible], runs.start[1:][possible]] = -1
    gaps = np.cumsum(change, axis=1, dtype=np.int8).view(np.uint8)
    count, labels = cv2.connectedComponents(gaps, connectivity=8)
    wedge = labels[runs.row[1:], runs.end[:-1]]
    sure = np.zeros(count, bool)
    sure[wedge[certain]] = True
    joined = possible & sure[wedge]
    first = np.concatenate([[True], ~joined])
    last = np.concatenate([~joined, [True]])
    return _Runs(runs.row[first], runs.start[first], runs.end[last])


def _trace(runs: _Runs) -> list[NDArray[np.float64]]:
    """Follow runs from row to row while each has one neighbour only; ``[k, 2]`` centres, from bottom to top."""
    if len(runs.row) == 0:
        return []
    below, above = _only_neighbours(runs)
    pieces = []
    for bottom in np.flatnonzero(below < 0):
        chain = [bottom]
        while above[chain[-1]] >= 0:
            chain.append(above[chain[-1]])
        widths = runs.end[chain] - runs.start[chain]
        # A bar lying across the road is a few very wide runs; its centres say nothing.
        if len(chain) >= max(_MIN_PIECE_ROWS, 0.4 * np.median(widths)):
            centres = (runs.start[chain] + runs.end[chain]) / 2
            piece = np.stack([centres, runs.row[chain] + 0.5], axis=1)
            pieces.append(_straighten_ends(piece[1:-1]))  # smoothing the mask has added a row at each end
    pieces.sort(key=len, reverse=True)
    return pieces[:_MAX_PIECES]


def _straighten_ends(piece: NDArray[np.float64]) -> NDArray[np.float64]:
    """Carry the course of a piece on to its ends: rows cut off the corners of a blunt end, which bends the centres."""
    cap = min(_CAP_ROWS, len(piece) // 4)
    if cap:
        for end, course in ((slice(cap), slice(cap, 3 * cap)), (slice(-cap, None), slice(-3 * cap, -cap))):
            x, y = piece[course].T
            deviation = y - y.mean()
            slope = deviation @ x / (deviation @ deviation)
            piece[end, 0] = x.mean() + slope * (piece[end, 1] - y.mean())
    return piece


def _only_neighbours(runs: _Runs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Index of each run's one neighbour in the row below and above; -1 at ends, forks and junctions."""
    pitch = int(runs.end.max()) + 4  # wider than any row, so that one sorted key holds row and column
    starts, ends = runs.row * pitch + runs.start, runs.row * pitch + runs.end
    # Neighbours in the row below touch, corners included: they end after this one starts and start before it ends.
    first = np.searchsorted(ends, starts + pitch, side="left")
    after = np.searchsorted(starts, ends + pitch, side="right")
    below_count = after - first
    above_count = np.zeros(len(starts) + 1, np.int64)
    np.add.at(above_count, first, 1)
    np.add.at(above_count, after, -1)
    above_count = np.cumsum(above_count)[:-1]
    upper = np.flatnonzero(below_count == 1)
    lower = first[upper]
    width = runs.end - runs.start
    wider, narrower = np.maximum(width[upper], width[lower]), np.minimum(width[upper], width[lower])
    # Where one edge of a marking ends before the other, the width collapses and the centre would jump aside.
    steady = (wider <= 2 * narrower) | (wider - narrower <= _MAX_WIDTH_STEP)
    follows = steady & (above_count[lower] == 1)
    upper, lower = upper[follows], lower[follows]
    below, above = np.full(len(starts), -1), np.full(len(starts), -1)
    below[upper], above[lower] = lower, upper
    return below, above


def _join(pieces: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Join the pieces that continue each other, the closest fit first, until none does."""
    pieces = list(pieces)
    costs = {
        (i, j): cost
        for i, lower in enumerate(pieces)
        for j, upper in enumerate(pieces)
        if (cost := _joining_cost(lower, upper)) is not None
    }
    while costs:
        i, j = min(costs, key=lambda pair: costs[pair])
        pieces[i] = np.concatenate([pieces[i], pieces[j]])
        pieces[j] = pieces[j][:0]
        costs = {pair: cost for pair, cost in costs.items() if not {i, j} & set(pair)}
        for other, piece in enumerate(pieces):
            for pair, cost in (
                ((i, other), _joining_cost(pieces[i], piece)),
                ((other, i), _joining_cost(piece, pieces[i])),
            ):
                if cost is not None:
                    costs[pair] = cost
    return [piece for piece in pieces if len(piece)]


def _joining_cost(lower: NDArray[np.float64], upper: NDArray[np.float64]) -> float | None:
    """How badly ``upper`` continues ``lower`` upwards, or None if it does not."""
    if len(lower) == 0 or len(upper) == 0 or upper[0, 1] >= lower[-1, 1]:
        return None
    tail, head = lower[-_END_ROWS:], upper[:_END_ROWS]
    bridge = head[0] - tail[-1]
    gap = float(np.hypot(*bridge))
    tail_length, head_length = float(np.hypot(*(tail[-1] - tail[0]))), float(np.hypot(*(head[-1] - head[0])))
    dash = min((tail_length + head_length) / 2, 2 * tail_length, 2 * head_length)
    if gap > min(_MAX_GAP, max(8.0, _MAX_GAP_TO_DASH * dash)):
        return None
    whole = head[-1] - tail[0]
    turn = 0.0
    for end, length in ((tail, tail_length), (head, head_length)):
        allowed = _MAX_TURN + 2.0 / max(length, 1.0)
        excess = _angle_between(end[-1] - end[0], whole) / allowed
        turn = max(turn, excess)
    sideways = abs(whole[0] * bridge[1] - whole[1] * bridge[0]) / max(float(np.hypot(*whole)), 1e-9)
    if turn > 1 or sideways > 2.0 + 0.1 * gap:
        return None
    return gap * (1 + turn) + 4 * sideways


def _angle_between(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Unsigned angle between two directions, in radians."""
    return abs(float(np.arctan2(a[0] * b[1] - a[1] * b[0], a @ b)))


def _is_lane_line(piece: NDArray[np.float64]) -> bool:
    """Whether a joined piece is long enough and does not lie across the road."""
    run, rise = np.abs(piece[-1] - piece[0])
    return bool(np.hypot(run, rise) >= _MIN_LINE_LENGTH and rise >= _MIN_STEEPNESS * run)


def _simplify(piece: NDArray[np.float64]) -> NDArray[np.float32]:
    """Smooth the row-by-row centres and keep the vertices that matter."""
    reach = min(4, (len(piece) - 1) // 2)
    kernel = np.full(2 * reach + 1, 1 / (2 * reach + 1))
    # Reflected through the end points, so that smoothing leaves the ends where they are and straight lines straight.
    before, after = 2 * piece[0] - piece[reach:0:-1], 2 * piece[-1] - piece[-2 : -2 - reach : -1]
    padded = np.concatenate([before, piece, after])
    smooth = np.stack([np.convolve(padded[:, axis], kernel, mode="valid") for axis in (0, 1)], axis=1)
    vertices = cv2.approxPolyDP(smooth.astype(np.float32)[:, None], _TOLERANCE, closed=False)
    return vertices[:, 0].astype(np.float32)

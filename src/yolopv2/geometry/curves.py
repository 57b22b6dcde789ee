"""Lines through points: Bezier curves flattened, resampling by arc length, drawing as wide as asked."""

from collections.abc import Callable, Iterable

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from yolopv2.errors import YolopError

_CURVE_STEPS = 32
"""Chords per Bezier curve: even of a curve around a whole frame of 1280 pixels they stay within a pixel."""

_OVERSAMPLING = 4
"""OpenCV draws lines a pixel or two too wide and areas with their border; so many times larger, that matters less."""

_SHIFT = 4
"""Fractional bits of the coordinates OpenCV draws with."""

_FARTHEST = 2.0**20
"""Coordinates are held within this: OpenCV counts in 32 bits."""


def flatten_curves(vertices: ArrayLike, types: str, closed: bool = False) -> NDArray[np.float64]:
    """A line of straight pieces and cubic Bezier curves, as straight pieces alone.

    Args:
        vertices: ``[n, 2]`` of ``x y``.
        types: A letter per vertex: ``L`` is a point of the line, to which a straight piece leads. ``C`` come in threes,
            which are the two control points of a curve that starts at the point before, and its end. Of only two, the
            end is the next ``L``, or the first vertex of a closed line.
        closed: Whether the line returns to its first vertex, which is not repeated.

    Returns:
        float64 ``[m, 2]``.

    Raises:
        YolopError: The vertices are no points, or the letters do not fit them.

    Example:
        >>> flatten_curves([[0, 0], [4, 0], [4, 4]], "LLL").tolist()
        [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0]]
        >>> flatten_curves([[0, 0], [0, 8], [8, 8], [8, 0]], "LCCC")[16].tolist()
        [4.0, 6.0]
    """
    points = _points(vertices)
    if len(types) != len(points) or set(types) - {"L", "C"} or not types.startswith("L"):
        raise YolopError(f"{len(points)} vertices cannot be of the types {types[:40]!r}: a letter L or C for each")
    if closed:
        points, types = np.concatenate([points, points[:1]]), types + "L"
    pieces = [points[:1]]
    at = 1
    while at < len(points):
        if types[at] == "L":
            pieces.append(points[at : at + 1])
            at += 1
        elif types[at : at + 2] == "CC" and at + 2 < len(points):
            pieces.append(_bezier(points[at - 1 : at + 3]))
            at += 3
        else:
            raise YolopError(f"types {types[:40]!r}: a curve has two control points and an end")
    return np.concatenate(pieces)[: -1 if closed and types[-2] == "L" else None]


def resample(line: ArrayLike, count: int) -> NDArray[np.float64]:
    """Points on a line at equal distances along it.

    Args:
        line: ``[k, 2]``, at least one point.
        count: How many points, at least two.

    Returns:
        float64 ``[count, 2]``, the line's own ends among them.

    Example:
        >>> resample([[0, 0], [4, 0], [4, 4]], 5).tolist()
        [[0.0, 0.0], [2.0, 0.0], [4.0, 0.0], [4.0, 2.0], [4.0, 4.0]]
    """
    points = _points(line)
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    places = np.linspace(0, along[-1], count)
    return np.stack([np.interp(places, along, points[:, axis]) for axis in (0, 1)], axis=1)


def draw_lines(lines: Iterable[ArrayLike], height: int, width: int, thickness: float) -> NDArray[np.bool_]:
    """Lines as a mask.

    Args:
        lines: ``[k, 2]`` of ``x y`` each, in pixels (the centre of the first pixel is at 0.5 0.5); they may leave the
            mask.
        height: Rows of the mask.
        width: Columns of the mask.
        thickness: Width of the lines in pixels, at least one; their ends are round.

    Returns:
        bool ``[height, width]``: where half of a pixel or more is covered.

    Example:
        >>> draw_lines([[[4, -9], [4, 9]]], 1, 8, 4).astype(int).tolist()
        [[0, 0, 1, 1, 1, 1, 0, 0]]
    """
    mask = np.zeros((height, width), bool)
    pen = max(round(thickness * _OVERSAMPLING) - 2, 1)
    _mark(
        mask,
        [_points(line) for line in lines],
        thickness,
        lambda large, points: cv2.polylines(large, points, False, 255, pen, cv2.LINE_8, _SHIFT),
    )
    return mask


def fill_polygons(polygons: Iterable[ArrayLike], height: int, width: int) -> NDArray[np.bool_]:
    """The area of polygons as a mask, where they overlap as well.

    Args:
        polygons: ``[k, 2]`` of ``x y`` each, in pixels (the centre of the first pixel is at 0.5 0.5).
        height: Rows of the mask.
        width: Columns of the mask.

    Returns:
        bool ``[height, width]``.

    Example:
        >>> fill_polygons([[[1, 0], [3, 0], [3, 2], [1, 2]]], 2, 5).astype(int).tolist()
        [[0, 1, 1, 0, 0], [0, 1, 1, 0, 0]]
    """
    mask = np.zeros((height, width), bool)
    for polygon in polygons:
        _mark(mask, [_points(polygon)], 0, lambda large, points: cv2.fillPoly(large, points, 255, cv2.LINE_8, _SHIFT))
    return mask


def _mark(
    mask: NDArray[np.bool_],
    lines: list[NDArray[np.float64]],
    margin: float,
    draw: Callable[[NDArray[np.uint8], list[NDArray[np.int32]]], object],
) -> None:
    """Marks what a drawing covers, which is made several times as large, of the part of the mask it lies in."""
    if not lines:
        return
    height, width = mask.shape
    every = np.concatenate(lines)
    x1, y1 = np.clip(np.floor(every.min(0) - margin), 0, (width, height)).astype(int)
    x2, y2 = np.clip(np.ceil(every.max(0) + margin), 0, (width, height)).astype(int)
    if x1 == x2 or y1 == y2:
        return
    large = np.zeros(((y2 - y1) * _OVERSAMPLING, (x2 - x1) * _OVERSAMPLING), np.uint8)
    draw(large, [_fixed_point((line - (x1, y1)) * _OVERSAMPLING) for line in lines])
    mask[y1:y2, x1:x2] |= cv2.resize(large, (x2 - x1, y2 - y1), interpolation=cv2.INTER_AREA) >= 128


def _points(line: ArrayLike) -> NDArray[np.float64]:
    try:
        points = np.asarray(line, np.float64)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.isfinite(points).all():
        raise YolopError(f"expected points [[x, y], ...], got {str(line)[:60]}")
    return points


def _bezier(control: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points on a cubic Bezier curve of four control points, without its start."""
    t = np.arange(1, _CURVE_STEPS + 1)[:, None] / _CURVE_STEPS
    a, b, c, d = control
    return (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d


def _fixed_point(points: NDArray[np.float64]) -> NDArray[np.int32]:
    """As OpenCV takes points; its origin is the centre of the first pixel."""
    return np.round(np.clip(points - 0.5, -_FARTHEST, _FARTHEST) * 2**_SHIFT).astype(np.int32)

"""Anchors for a data set, by clustering its boxes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from yolopv2.training.assign import MAX_RATIO

WANTED_RECALL = 0.98
"""Anchors stay as they are when at least this share of the boxes has one that fits."""


def anchor_recall(sizes: NDArray[np.float32], anchors: NDArray[np.float32]) -> float:
    """Share of boxes that at least one anchor may answer for, by `yolopv2.training.assign.MAX_RATIO`.

    Args:
        sizes: ``[n, 2]``, width and height in pixels at network scale.
        anchors: ``[..., 2]``.

    Returns:
        In 0..1; 1 when there is no box.

    Example:
        >>> anchor_recall(np.array([[10, 10], [90, 10]], np.float32), np.array([[[12, 12]]], np.float32))
        0.5
    """
    if not len(sizes):
        return 1.0
    ratio = sizes[:, None] / anchors.reshape(1, -1, 2)
    return float((np.maximum(ratio, 1 / np.maximum(ratio, 1e-6)).max(-1).min(1) < MAX_RATIO).mean())


def cluster_anchors(sizes: NDArray[np.float32], count: int = 9, seed: int = 0) -> NDArray[np.float32]:
    """K-means of box sizes in logarithmic scale, so that a small car weighs what a near lorry does.

    Args:
        sizes: ``[n, 2]``, width and height in pixels at network scale, n >= count.
        count: Number of anchors.
        seed: Of the starting points.

    Returns:
        ``[3, count / 3, 2]``, by rising area.

    Example:
        >>> cluster_anchors(np.repeat(np.geomspace(4, 400, 9, dtype=np.float32)[:, None], 2, 1))[0, 0]
        array([4., 4.], dtype=float32)
    """
    points = np.log(sizes)
    order = np.argsort(points.sum(1))
    centres = points[order[np.linspace(0, len(order) - 1, count).astype(int)]]
    rng = np.random.default_rng(seed)
    for _ in range(100):
        nearest = ((points[:, None] - centres[None]) ** 2).sum(-1).argmin(1)
        moved = np.stack(
            [points[nearest == k].mean(0) if (nearest == k).any() else points[rng.integers(len(points))]
             for k in range(count)]
        )  # fmt: skip
        if np.allclose(moved, centres):
            break
        centres = moved
    anchors = np.exp(centres).astype(np.float32)
    return anchors[np.argsort(anchors.prod(1))].reshape(3, -1, 2)


def choose_anchors(
    sizes: NDArray[np.float32], given: Sequence[Sequence[Sequence[float]]]
) -> tuple[Sequence[Sequence[Sequence[float]]], str]:
    """The given anchors where they fit the boxes, else clustered ones.

    Args:
        sizes: ``[n, 2]``, width and height of boxes in pixels at network scale.
        given: ``[3, 3, 2]``.

    Returns:
        Anchors ``[3, 3, 2]``, and a sentence on what was chosen.
    """
    sizes = sizes[sizes.min(1, initial=np.inf) >= 2]
    before = anchor_recall(sizes, np.array(given, np.float32))
    if before >= WANTED_RECALL or len(np.unique(sizes, axis=0)) < 9:
        return given, f"{before:.1%} of {len(sizes)} boxes have an anchor that fits; the anchors are kept."
    clustered = cluster_anchors(sizes)
    after = anchor_recall(sizes, clustered)
    if after <= before:
        return given, f"{before:.1%} of {len(sizes)} boxes have an anchor that fits; clustering gives none better."
    return clustered.tolist(), (
        f"Anchors clustered from {len(sizes)} boxes: {after:.1%} have one that fits, {before:.1%} had."
    )

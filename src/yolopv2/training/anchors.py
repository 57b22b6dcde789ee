"""Anchors for a data set, by clustering its boxes."""

import numpy as np
from numpy.typing import NDArray


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

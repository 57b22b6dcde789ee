"""From frames of any size to batches that a runtime takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yolopv2.geometry.letterbox import Letterbox


@dataclass(frozen=True, eq=False)
class Batch:
    """Frames that share the size of their canvas.

    Attributes:
        canvases: uint8 ``[N, H, W, 3]``, RGB.
        letterboxes: Where each frame lies on its canvas.
        positions: Which of the given frames each one is.
    """

    canvases: NDArray[np.uint8]
    letterboxes: list[Letterbox]
    positions: list[int]


Fit = Callable[[int, int, int], Letterbox]
"""Where a frame of a height and width lies on a canvas with that long side."""


def letterbox_batches(images: Sequence[NDArray[np.uint8]], size: int, fit: Fit = Letterbox.fit) -> list[Batch]:
    """Lays frames on canvases and groups them by the canvas's size.

    Args:
        images: uint8 ``[H, W, 3]`` RGB each, of any sizes.
        size: Long side of the canvases, a multiple of 32.
        fit: How frames are laid on them.

    Returns:
        One batch per size of canvas, in order of first appearance.

    Raises:
        YolopError: ``size`` is not a positive multiple of 32.

    Example:
        >>> wide, tall = np.zeros((720, 1280, 3), np.uint8), np.zeros((1280, 720, 3), np.uint8)
        >>> [(batch.canvases.shape, batch.positions) for batch in letterbox_batches([wide, tall, wide], 640)]
        [((2, 384, 640, 3), [0, 2]), ((1, 640, 384, 3), [1])]
    """
    letterboxes = [fit(image.shape[0], image.shape[1], size) for image in images]
    groups: dict[tuple[int, int], list[int]] = {}
    for position, letterbox in enumerate(letterboxes):
        groups.setdefault((letterbox.canvas_height, letterbox.canvas_width), []).append(position)
    batches = []
    for canvas, positions in groups.items():
        canvases = np.empty((len(positions), *canvas, 3), np.uint8)
        for slot, position in zip(canvases, positions, strict=True):
            letterboxes[position].apply(images[position], out=slot)
        batches.append(Batch(canvases, [letterboxes[position] for position in positions], positions))
    return batches

"""Instance masks in the frame's own pixels, from prototypes and coefficients."""

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.geometry.letterbox import Letterbox
from yolopv2.scene.instances import InstanceMasks


def assemble_masks(
    boxes: NDArray[np.float32],
    coefficients: NDArray[np.float32],
    prototypes: NDArray[np.float32],
    letterbox: Letterbox,
) -> InstanceMasks:
    """The masks of boxes: where the sum of coefficients times prototypes is positive (YOLACT, arXiv 1904.02689).

    Every box looks at the pixels of the prototypes in it, as in training, raised to the frame's resolution before the
    decision, which gives smooth outlines.

    Args:
        boxes: ``[n, 4]``, ``x1 y1 x2 y2`` in pixels of the frame, inside it.
        coefficients: ``[n, K]``.
        prototypes: ``[K, h, w]``.
        letterbox: Where the frame lies on the canvas that the prototypes cover.

    Returns:
        Of every box the pixels whose centres lie in it, at least one.

    Example:
        >>> letterbox = Letterbox.fit(64, 96, size=96)
        >>> box = np.array([[8, 8, 40, 24]], np.float32)
        >>> prototypes = np.full((1, 16, 24), -1, np.float32)
        >>> prototypes[:, :, 5:] = 1
        >>> masks = assemble_masks(box, np.ones((1, 1), np.float32), prototypes, letterbox)
        >>> masks.corners, masks.parts[0].shape
        (((8, 8),), (16, 32))
        >>> np.flatnonzero(masks.whole()[0].any(0))[[0, -1]].tolist()  # from column 5 of stride 4 on
        [20, 39]
    """
    height, width = letterbox.frame_height, letterbox.frame_width
    parts: list[NDArray[np.bool_]] = []
    limits = np.array(prototypes.shape[:0:-1])
    stride = letterbox.canvas_width / limits[0]
    scale = np.array([letterbox.scaled_width / width, letterbox.scaled_height / height]) / stride
    offset = np.array([letterbox.left, letterbox.top]) / stride
    frame = _whole(boxes, np.array([width, height]))
    coarse = _whole(letterbox.boxes_to_canvas(boxes) / np.float32(stride), limits)
    for row, (x1, y1, x2, y2), (u1, v1, u2, v2) in zip(coefficients, frame.tolist(), coarse.tolist(), strict=True):
        logits = np.tensordot(row, prototypes[:, v1:v2, u1:u2], 1)
        # OpenCV counts from the middle of the first pixel.
        x, y = (np.array([x1, y1]) + 0.5) * scale + offset - 0.5 - (u1, v1)
        matrix = np.array([[scale[0], 0, x], [0, scale[1], y]])
        raised = cv2.warpAffine(
            logits,
            matrix,
            (x2 - x1, y2 - y1),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        parts.append(raised > 0)
    return InstanceMasks(height, width, tuple((x1, y1) for x1, y1, _, _ in frame.tolist()), tuple(parts))


def _whole(boxes: NDArray[np.float32], limits: NDArray[np.int64]) -> NDArray[np.int64]:
    """The pixels whose centres lie in boxes, ``x1 y1 x2 y2`` with the last ones not included; at least one."""
    borders = np.ceil(boxes - 0.5).astype(np.int64)
    first = np.clip(borders[:, :2], 0, limits - 1)
    last = np.maximum(np.minimum(borders[:, 2:], limits), first + 1)
    return np.concatenate([first, last], 1)

"""Sample: one labelled frame, the unit every data format yields."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

IGNORE = 255
"""Value of mask pixels that nobody labelled: they take no part in losses or scores."""


@dataclass
class Sample:
    """A frame with whatever labels it has; a label that is ``None`` is missing, which is not the same as empty.

    Attributes:
        image: uint8 ``[H, W, 3]``, RGB.
        boxes: float32 ``[n, 4]``, ``x1 y1 x2 y2`` in pixels of the frame, or None.
        class_ids: int64 ``[n]``, or None.
        drivable: uint8 ``[H, W]`` of 0, 1 or `IGNORE`, or None.
        lanes: uint8 ``[H, W]`` of 0, 1 or `IGNORE`, or None.
        masks: bool ``[n, H, W]``, one instance mask per box, or None.
        source: Where the frame came from, for messages.
        path: The file of the picture, or None when there is none.
        attributes: What is known of the whole frame, such as ``{"weather": "rainy", "timeofday": "night"}``.
    """

    image: NDArray[np.uint8]
    boxes: NDArray[np.float32] | None = None
    class_ids: NDArray[np.int64] | None = None
    drivable: NDArray[np.uint8] | None = None
    lanes: NDArray[np.uint8] | None = None
    masks: NDArray[np.bool_] | None = None
    source: str = ""
    path: Path | None = None
    attributes: dict[str, str] = field(default_factory=dict)

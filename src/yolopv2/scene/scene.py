"""Scene: everything the network saw in one frame, in the frame's own pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yolopv2.scene.vehicles import Vehicles


@dataclass(eq=False)
class Scene:
    """What was seen in one frame.

    Attributes:
        vehicles: Detected vehicles; none when the network has no detection head.
        drivable: bool ``[H, W]``, where one may drive, or None when the network has no such head.
        lanes: bool ``[H, W]``, pixels of lane markings, or None when the network has no such head.
        names: Class names by class id.
        height: Height of the frame in pixels.
        width: Width of the frame in pixels.
        source: The file, address or camera the frame came from.
        index: Number of the frame in its source, 0 for a still.
        time: Seconds since the start of a video, or None.
        image: uint8 ``[H, W, 3]`` RGB, the frame itself, or None; it is not serialised.
    """

    vehicles: Vehicles
    drivable: NDArray[np.bool_] | None
    lanes: NDArray[np.bool_] | None
    names: dict[int, str]
    height: int
    width: int
    source: str | None = None
    index: int = 0
    time: float | None = None
    image: NDArray[np.uint8] | None = None

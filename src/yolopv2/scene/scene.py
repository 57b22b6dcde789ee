"""Scene: everything the network saw in one frame, in the frame's own pixels."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolopv2.geometry.masks import polygons
from yolopv2.geometry.polylines import lane_lines
from yolopv2.scene.draw import DEFAULT_LAYERS, draw_scene
from yolopv2.scene.panoptic import panoptic_map
from yolopv2.scene.save import save_scene
from yolopv2.scene.schema import parse_scene, scene_to_dict
from yolopv2.scene.vehicles import Vehicles


@dataclass(eq=False, repr=False)
class Scene:
    """What was seen in one frame.

    Coordinates are pixels of the frame with continuous edges: its left edge is 0, its right edge ``width``, the centre
    of the first pixel 0.5 0.5.

    Attributes:
        vehicles: Detected vehicles; none when the network has no detection head.
        drivable: bool ``[H, W]``, where one may drive, or None when the network has no such head.
        lanes: bool ``[H, W]``, pixels of lane markings, or None when the network has no such head.
        names: Class names by class id.
        height: Height of the frame in pixels.
        width: Width of the frame in pixels.
        source: The file, address or camera the frame came from, or None.
        index: Number of the frame in its source, 0 for a still.
        time: Seconds since the start of a video, or None for a still.
        image: uint8 ``[H, W, 3]`` RGB, the frame itself, or None; it is not serialised.

    Example:
        >>> mask = np.zeros((90, 160), bool)
        >>> mask[40:, 30:130] = True
        >>> vehicles = Vehicles(xyxy=[[70, 30, 90, 50]], confidence=[0.9], class_id=[0])
        >>> scene = Scene(vehicles, drivable=mask, lanes=None, names={0: "car"}, height=90, width=160)
        >>> ids, segments = scene.panoptic()
        >>> [(segment["category"], segment["area"]) for segment in segments]
        [('car', 400), ('drivable area', 4800)]
        >>> Scene.from_dict(scene.to_dict()).vehicles.confidence.tolist() == vehicles.confidence.tolist()
        True
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

    def __post_init__(self) -> None:
        masks = self.vehicles.instances
        for name, shape in (
            ("drivable", None if self.drivable is None else self.drivable.shape),
            ("lanes", None if self.lanes is None else self.lanes.shape),
            ("vehicles.masks", None if masks is None else (masks.height, masks.width)),
            ("image", None if self.image is None else self.image.shape[:2]),
        ):
            if shape is not None and shape != (self.height, self.width):
                raise ValueError(f"{name} has the shape {shape} in a scene of {self.height}x{self.width}")

    def __repr__(self) -> str:
        """One line: a megapixel of mask tells a reader nothing."""
        frame = f"{self.source or 'frame'} {self.index}" if self.time is not None else self.source or "frame"
        seen = [f"{len(self.vehicles)} vehicles"]
        for name, mask in (("drivable", self.drivable), ("lanes", self.lanes)):
            if mask is not None:
                seen.append(f"{name} {100 * mask.mean():.1f} %")
        return f"<Scene {frame}, {self.width}x{self.height}: {', '.join(seen)}>"

    @cached_property
    def lane_lines(self) -> list[NDArray[np.float32]]:
        """The lane markings as lines: float32 ``[k, 2]`` of ``x y`` each, bottom to top, from left to right.

        See `yolopv2.geometry.polylines.lane_lines`. Derived once, when first asked for.
        """
        return [] if self.lanes is None else lane_lines(self.lanes)

    @cached_property
    def drivable_polygons(self) -> list[NDArray[np.float32]]:
        """Outer outlines of the drivable area: float32 ``[k, 2]`` of ``x y`` each, largest first; holes are covered.

        See `yolopv2.geometry.masks.polygons`. Derived once, when first asked for.
        """
        return [] if self.drivable is None else polygons(self.drivable)

    def panoptic(self) -> tuple[NDArray[np.int32], list[dict[str, Any]]]:
        """Everything in one map: each pixel belongs to one vehicle, a lane marking, the drivable area, or nothing.

        A vehicle lies over lane markings and these over the drivable area; of vehicles that overlap, the more
        confident lies over the other. A vehicle without an instance mask takes its whole box.

        Returns:
            ``ids``, int32 ``[H, W]``, 0 for nothing; and ``segments``, COCO's segments_info, one dict for each id in
            the map: ``id``, ``category_id``, ``category``, ``isthing``, ``area`` in pixels, ``bbox`` as ``x y w h``.
            Row i of `vehicles` has the id i + 1. The categories after the last class are drivable area and lane
            marking.
        """
        return panoptic_map(self)

    def draw(
        self, image: NDArray[np.uint8] | None = None, layers: Collection[str] = DEFAULT_LAYERS
    ) -> NDArray[np.uint8]:
        """Draw what was seen over the frame.

        Args:
            image: uint8 ``[H, W, 3]`` RGB to draw over; `image` of the scene if None, and black if it has none.
            layers: What to draw: any of ``drivable``, ``lanes``, ``lane_lines``, ``masks``, ``boxes``, ``labels``, or
                ``panoptic`` for the panoptic map instead of the single masks. What the scene lacks is left out.

        Returns:
            A new uint8 ``[H, W, 3]`` RGB.

        Raises:
            YolopError: A layer is unknown or the image has another size than the scene.
        """
        return draw_scene(self, image, layers)

    def to_dict(self) -> dict[str, Any]:
        """The scene as plain JSON types; the schema is documented in docs/scene.md."""
        return scene_to_dict(self)

    def to_json(self) -> str:
        """The scene as one line of JSON without the line end, as in a ``.jsonl`` file."""
        return json.dumps(self.to_dict(), separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Scene":
        """The scene that `to_dict` made a dict of, without the image.

        Raises:
            YolopError: It is no such dict; the message names the field.
        """
        return cls(**parse_scene(data))

    def save(
        self, folder: str | PathLike[str], formats: Collection[str] = ("image", "json"), name: str | None = None
    ) -> list[Path]:
        """Write the scene into a folder, each file whole or not at all.

        Args:
            folder: Where to; it is made if it does not exist.
            formats: Any of ``image`` (annotated JPEG), ``json`` (`to_dict`), ``coco`` (list of COCO results), ``yolo``
                (YOLO txt with confidence), ``masks`` (PNG of 0 and 255 for drivable and lanes) and ``panoptic`` (COCO
                panoptic PNG and its JSON).
            name: Stem of the file names; if None, the stem of the source, with the number of the frame for videos,
                and with ``-2``, ``-3`` ... where another source with that stem has been saved to this folder.

        Returns:
            The files written.

        Raises:
            YolopError: A format is unknown, the name is no file name, or a file cannot be written.
        """
        return save_scene(self, folder, formats, name)

"""Steps after looking: filter vehicles, draw, write to files."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import YolopError, nearest
from yolopv2.geometry.boxes import box_areas
from yolopv2.ikomia.outputs import IO, DetectionIO, ImageIO, IODataType, joined_scene
from yolopv2.ikomia.parameters import DrawParameters, FilterParameters, WriteParameters, words
from yolopv2.ikomia.task import Task
from yolopv2.inference.results import FORMATS, Prepared, Results, refuse_folder_of_inputs
from yolopv2.scene import Scene

_PICTURE_AND_RESULTS = (IODataType.IMAGE, IODataType.OBJECT_DETECTION, IODataType.SEMANTIC_SEGMENTATION)


class Filter(Task):
    """Keeps some of the vehicles, by class, confidence, area, and where they stand; passes everything else on."""

    name = "filter"
    needs = (1,)
    params: FilterParameters

    def __init__(self) -> None:
        super().__init__()
        self.params = FilterParameters()

    def process(self, given: list[IO | None]) -> list[IO | None]:
        """Filters the detections."""
        scene = cast(DetectionIO, given[1]).scene
        kept = DetectionIO(replace(scene, vehicles=scene.vehicles[self._kept(scene)]))
        return [given[0], kept, *given[2:]]

    def _kept(self, scene: Scene) -> NDArray[np.bool_]:
        params, vehicles = self.params, scene.vehicles
        areas = box_areas(vehicles.xyxy)
        kept = (vehicles.confidence >= params.confidence) & (areas >= params.min_area)
        if params.max_area:
            kept &= areas <= params.max_area
        if params.categories.strip() != "all":
            kept &= np.isin(vehicles.class_id, self._class_ids(scene.names))
        if params.region.strip():
            kept &= _standing_in(vehicles.xyxy, [float(number) for number in params.region.split(",")])
        return kept

    def _class_ids(self, names: dict[int, str]) -> list[int]:
        wanted = words(self.params.categories)
        for name in wanted:
            if name not in names.values():
                raise YolopError(f"filter: the model knows no category {name!r}{nearest(name, names.values())}")
        return [class_id for class_id, name in names.items() if name in wanted]


def _standing_in(xyxy: NDArray[np.float32], region: list[float]) -> NDArray[np.bool_]:
    """Which boxes have the middle of their lower edge in a rectangle or polygon."""
    corners = np.array(region, np.float32).reshape(-1, 2)
    if len(corners) == 2:
        (x1, y1), (x2, y2) = corners
        corners = np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], np.float32)
    feet = zip((xyxy[:, 0] + xyxy[:, 2]) / 2, xyxy[:, 3], strict=True)
    return np.array([cv2.pointPolygonTest(corners, (float(x), float(y)), False) >= 0 for x, y in feet], bool)


class Draw(Task):
    """Draws what was seen into the picture; passes everything else on."""

    name = "draw"
    needs = (0,)
    params: DrawParameters

    def __init__(self) -> None:
        super().__init__()
        self.params = DrawParameters()

    def process(self, given: list[IO | None]) -> list[IO | None]:
        """Draws."""
        image = cast(ImageIO, given[0])
        drawn = joined_scene(image.frame, given).draw(image.get_image(), words(self.params.layers))
        return [ImageIO(replace(image.frame, image=drawn), image.mask), *given[1:]]

    def _draw(self, layers: tuple[str, ...]) -> NDArray[np.uint8]:
        """The picture as it is: everything is drawn into it already."""
        return cast(ImageIO, self.get_output(0)).get_image()


class Write(Task):
    """Writes pictures as they come to it, and what was seen as JSON and other formats, into one folder."""

    name = "write"
    inputs = _PICTURE_AND_RESULTS
    outputs = ()
    needs = (0,)
    params: WriteParameters

    def __init__(self) -> None:
        super().__init__()
        self.params = WriteParameters()
        self._open = ExitStack()
        self._written: Results | None = None

    def begin(self, files: Sequence[str]) -> None:
        """Opens the folder."""
        formats = words(self.params.save)
        for name in formats:
            if name not in FORMATS:
                raise YolopError(f"write: no format is called {name!r}{nearest(name, FORMATS)}")
        folder = Path(self.params.folder)
        refuse_folder_of_inputs(folder, files)
        self._written = self._open.enter_context(Results(folder, formats))

    def end(self) -> None:
        """Finishes every file."""
        self._open.close()
        self._written = None

    def process(self, given: list[IO | None]) -> list[IO | None]:
        """Writes a frame."""
        assert self._written is not None, "the workflow begins a task before it runs it"
        image = cast(ImageIO, given[0])
        scene = joined_scene(image.frame, given)
        drawn = image.get_image() if "image" in words(self.params.save) else None
        self._written.add(Prepared(image.frame, scene, drawn, scene.to_json()))
        return []

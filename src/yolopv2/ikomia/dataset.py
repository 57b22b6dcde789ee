"""The data set of an Ikomia training task, written as one of this package's."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from yolopv2.data.formats.files import read_image, read_plane
from yolopv2.data.sample import Sample
from yolopv2.data.writers import YoloWriter
from yolopv2.errors import YolopError
from yolopv2.files import write_text_atomic

logger = logging.getLogger(__name__)

_AREAS = {
    "drivable": frozenset({"road", "drivable", "drivable area"}),
    "lanes": frozenset({"lane", "lanes", "lane marking", "lane markings"}),
}
"""Categories that are areas of the road and no boxes; underscores count as spaces."""

_NOTHING = "background"


class _Annotation(BaseModel):
    category_id: int
    bbox: tuple[float, float, float, float] | None = None
    segmentation_poly: list[list[float]] = []
    iscrowd: bool = False


class _Image(BaseModel):
    filename: Path
    annotations: list[_Annotation] | None = None
    semantic_seg_masks_file: Path | None = None


class _Metadata(BaseModel):
    category_names: dict[int, str]


class IkomiaData(BaseModel):
    """The part of ``IkDatasetIO.data`` that is learned from; keys beyond it are passed over."""

    images: list[_Image]
    metadata: _Metadata


def write_ikomia_dataset(data: Mapping[str, Any], folder: Path, train_share: float) -> Path:
    """Writes the frames and labels of an Ikomia data set in the format ``yolo``; see docs/data.md.

    Categories called road or drivable area become the drivable area, those called lane or lane marking the lanes, from
    the semantic mask of a frame or from polygons; background is left out, and all others are classes with boxes.

    Args:
        data: ``IkDatasetIO.data``.
        folder: Where to.
        train_share: Share of the frames that are learned from, in 0 to 1; the rest is validated on. Which is which is
            the same for the same number of frames.

    Returns:
        The YAML of the data set.

    Raises:
        YolopError: The data are not what Ikomia describes, no frame can be read, or nothing is labelled. A frame that
            cannot be read is left out and logged.
    """
    parsed = _parsed(data)
    reader = _Reader(parsed)
    order = np.random.default_rng(0).permutation(len(parsed.images))
    count = max(1, round(train_share * len(order)))
    splits = {"train": order[:count], "val": order[count:]}
    written = {split: _write(reader, parsed, rows, folder, split) for split, rows in splits.items() if len(rows)}
    if not written["train"]:
        raise YolopError("no frame of the training data can be read: see the log for the reasons")
    described = {
        "format": "yolo",
        "root": ".",
        "splits": {split: split for split, frames in written.items() if frames},
        "classes": list(reader.names.values()),
    }
    write_text_atomic(folder / "data.yaml", yaml.safe_dump(described, sort_keys=False, allow_unicode=True))
    return folder / "data.yaml"


def _parsed(data: Mapping[str, Any]) -> IkomiaData:
    try:
        parsed = IkomiaData.model_validate(dict(data))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise YolopError(f"the data set of the input is not as Ikomia describes it: {where}: {first['msg']}") from None
    if not parsed.images:
        raise YolopError("the data set of the input has no images: connect a task that loads some")
    return parsed


def _write(reader: "_Reader", parsed: IkomiaData, rows: NDArray[np.int64], folder: Path, split: str) -> int:
    """Writes one split and returns how many frames it has."""
    writer = YoloWriter(folder, split, reader.names)
    written = 0
    for row in rows:
        image = parsed.images[row]
        try:
            sample = reader.sample(image)
        except YolopError as error:
            logger.warning("left out %s: %s", image.filename, error)
            continue
        writer.add(f"{row:06d}_{image.filename.stem}", sample)
        written += 1
    writer.finish()
    return written


class _Reader:
    """Turns images of the data into samples.

    Args:
        data: All of it.

    Attributes:
        names: Class names by class id.
    """

    def __init__(self, data: IkomiaData) -> None:
        kinds = {number: _kind(name) for number, name in sorted(data.metadata.category_names.items())}
        boxes = [number for number, kind in kinds.items() if kind == "boxes"]
        self.names = {row: data.metadata.category_names[number] for row, number in enumerate(boxes)}
        self._rows = {number: row for row, number in enumerate(boxes)}
        self._areas = {area: [number for number, kind in kinds.items() if kind == area] for area in _AREAS}
        drawn = {a.category_id for image in data.images for a in image.annotations or [] if a.segmentation_poly}
        self._drawn = {area: drawn.intersection(numbers) for area, numbers in self._areas.items()}
        if not boxes and not any(self._areas.values()):
            raise YolopError("the data set of the input has no category to learn: " + json.dumps(list(kinds)))

    def sample(self, image: _Image) -> Sample:
        """One frame with its labels.

        Raises:
            YolopError: A file cannot be read, or a category is unknown.
        """
        picture = read_image(image.filename)
        boxes, class_ids = self._boxes(image)
        drivable, lanes = (self._mask(image, picture, area) for area in _AREAS)
        return Sample(picture, boxes, class_ids, drivable, lanes, path=image.filename)

    def _boxes(self, image: _Image) -> tuple[NDArray[np.float32] | None, NDArray[np.int64] | None]:
        if image.annotations is None or not self.names:
            return None, None
        known = {*self._rows, *(number for numbers in self._areas.values() for number in numbers)}
        for annotation in image.annotations:
            if annotation.category_id not in known:
                raise YolopError(f"there is no category {annotation.category_id}")
        found = [
            (self._rows[a.category_id], a.bbox)
            for a in image.annotations
            if a.bbox is not None and a.category_id in self._rows and not a.iscrowd
        ]
        xywh = np.array([box for _, box in found], np.float32).reshape(-1, 4)
        xyxy = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
        return xyxy, np.array([row for row, _ in found], np.int64)

    def _mask(self, image: _Image, picture: NDArray[np.uint8], area: str) -> NDArray[np.uint8] | None:
        """The area from the frame's mask, or from polygons if the data set has such for it; None if it has neither."""
        if not self._areas[area]:
            return None
        if image.semantic_seg_masks_file is not None:
            plane = read_plane(image.semantic_seg_masks_file, picture)
            return np.isin(plane, self._areas[area]).astype(np.uint8)
        if image.annotations is None or not self._drawn[area]:
            return None
        mask = np.zeros(picture.shape[:2], np.uint8)
        for annotation in image.annotations:
            if annotation.category_id in self._areas[area]:
                for outline in annotation.segmentation_poly:
                    points = np.round(np.array(outline[: len(outline) // 2 * 2]).reshape(-1, 2)).astype(np.int32)
                    cv2.fillPoly(mask, [points], 1)
        return mask


def _kind(name: str) -> str:
    """What a category is: an area, nothing, or a class with boxes."""
    plain = name.strip().casefold().replace("_", " ")
    return next((area for area, names in _AREAS.items() if plain in names), "nothing" if plain == _NOTHING else "boxes")

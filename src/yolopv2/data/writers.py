"""Writing labelled frames in a layout that others read: one writer for each format that `convert` knows.

A writer takes the frames of one split. `Writer.keep` writes a frame's own files, `Writer.finish` those that a split has
once. What a layout has no place for, `Writer.lacks` tells.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from yolopv2.data.sample import IGNORE, Sample
from yolopv2.files import cannot_write, copy_file_atomic, write_image, write_text_atomic
from yolopv2.geometry.masks import mask_area, rle_encode

Layout = Literal["yolo", "yolop", "coco", "bdd100k"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)

_GREY = {0: 0, 1: 255, IGNORE: 127}
_IGNORED_AREA = "pixels to be ignored in the drivable area, which are background there"
_INSTANCES = "instance masks"
_JPEG_QUALITY = 95


class Writer:
    """Writes the frames of one split.

    Args:
        root: Folder of the data set.
        split: Name of the split.
        names: Class names by class id, from 0 without gaps.

    Attributes:
        images: Folder of the pictures.
        suffixes: Pictures of these kinds are copied as they are.
    """

    suffixes = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})

    def __init__(self, root: Path, split: str, names: dict[int, str]) -> None:
        self.root, self.split, self.names = root, split, names
        self.images = root / "images" / split

    def add(self, name: str, sample: Sample) -> None:
        """Writes a frame, its picture last; a frame whose picture is there is complete and stays as it is."""
        path = self.picture_path(name, sample)
        self.note(name, sample, path.name)
        if path.exists():
            return
        self.keep(name, sample)
        if sample.path is not None and sample.path.suffix.lower() in self.suffixes:
            copy_file_atomic(sample.path, path)
        else:
            write_image(path, sample.image, _JPEG_QUALITY)

    def picture_path(self, name: str, sample: Sample) -> Path:
        """Where a frame's picture is put: with the suffix it has, or as PNG."""
        suffix = sample.path.suffix.lower() if sample.path is not None else ""
        return self.images / f"{name}{suffix if suffix in self.suffixes else '.png'}"

    def note(self, name: str, sample: Sample, picture: str) -> None:
        """Remembers what `finish` has to write about a frame."""

    def keep(self, name: str, sample: Sample) -> None:
        """Writes the label files of one frame."""
        raise NotImplementedError

    def finish(self) -> None:
        """Writes what the split has once: at least a folder, so that a split without frames is one."""
        try:
            self.images.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(self.images, error) from error

    def lacks(self, sample: Sample) -> Iterator[str]:
        """Labels of a frame that the layout cannot say."""
        if sample.masks is not None and len(sample.masks):
            yield _INSTANCES

    def write_plane(self, folder: str, name: str, labels: NDArray[np.uint8] | None, values: dict[int, int]) -> None:
        """Writes a mask as PNG, with a grey value for each of its labels; nothing where it is missing."""
        if labels is not None:
            table = np.zeros(256, np.uint8)
            table[list(values)] = list(values.values())
            write_image(self.root / folder / self.split / f"{name}.png", table[labels])


class YoloWriter(Writer):
    """A line of text for each box, in shares of the frame; masks beside."""

    def keep(self, name: str, sample: Sample) -> None:
        """Writes ``labels``, ``drivable`` and ``lanes``."""
        if sample.boxes is not None and sample.class_ids is not None:
            height, width = sample.image.shape[:2]
            boxes = sample.boxes.astype(np.float64) / (width, height, width, height)
            lines = [
                f"{class_id} {(x1 + x2) / 2:.9g} {(y1 + y2) / 2:.9g} {x2 - x1:.9g} {y2 - y1:.9g}\n"
                for class_id, (x1, y1, x2, y2) in zip(sample.class_ids, boxes, strict=True)
            ]
            write_text_atomic(self.root / "labels" / self.split / f"{name}.txt", "".join(lines))
        self.write_plane("drivable", name, sample.drivable, _GREY)
        self.write_plane("lanes", name, sample.lanes, _GREY)


class YolopWriter(Writer):
    """One file of each kind for every frame."""

    def keep(self, name: str, sample: Sample) -> None:
        """Writes ``det_annotations``, ``da_seg_annotations`` and ``ll_seg_annotations``."""
        objects = _scalabel_objects(sample, self.names)
        if objects is not None:
            path = self.root / "det_annotations" / self.split / f"{name}.json"
            write_text_atomic(path, json.dumps({"name": name, "frames": [{"timestamp": 0, "objects": objects}]}) + "\n")
        self.write_plane("da_seg_annotations", name, sample.drivable, {0: 0, 1: 255, IGNORE: 0})
        self.write_plane("ll_seg_annotations", name, sample.lanes, _GREY)

    def lacks(self, sample: Sample) -> Iterator[str]:
        """Instance masks, and pixels to be ignored in the drivable area."""
        yield from super().lacks(sample)
        if sample.drivable is not None and (sample.drivable == IGNORE).any():
            yield _IGNORED_AREA


class Bdd100kWriter(Writer):
    """As BDD100K of 2020 is downloaded, but for the lane masks, which say what is to be ignored."""

    suffixes = frozenset({".jpg", ".jpeg"})

    def __init__(self, root: Path, split: str, names: dict[int, str]) -> None:
        super().__init__(root, split, names)
        self.images = root / "images" / "100k" / split
        self._frames: list[dict[str, Any]] = []

    def picture_path(self, name: str, sample: Sample) -> Path:
        """Pictures of BDD100K are all ``.jpg``."""
        return self.images / f"{name}.jpg"

    def note(self, name: str, sample: Sample, picture: str) -> None:
        """Remembers the boxes."""
        objects = _scalabel_objects(sample, self.names)
        unknown = {"attributes": {"labelled": False}} if objects is None else {}
        self._frames.append({"name": picture, "labels": objects, **unknown})

    def keep(self, name: str, sample: Sample) -> None:
        """Writes the drivable area, all of it *direct*, and ``ll_seg_annotations``."""
        self.write_plane("labels/drivable/masks", name, sample.drivable, {0: 2, 1: 0, IGNORE: 255})
        self.write_plane("ll_seg_annotations", name, sample.lanes, _GREY)

    def finish(self) -> None:
        """Writes ``labels/det_20/det_SPLIT.json``."""
        super().finish()
        path = self.root / "labels" / "det_20" / f"det_{self.split}.json"
        write_text_atomic(path, json.dumps(self._frames) + "\n")


class CocoWriter(Writer):
    """Instances of COCO, with masks of drivable area and lanes beside."""

    def __init__(self, root: Path, split: str, names: dict[int, str]) -> None:
        super().__init__(root, split, names)
        self._pictures: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []

    def note(self, name: str, sample: Sample, picture: str) -> None:
        """Remembers boxes and instance masks."""
        height, width = sample.image.shape[:2]
        number = len(self._pictures) + 1
        unknown = {"labelled": False} if sample.boxes is None else {}
        self._pictures.append({"id": number, "file_name": picture, "width": width, "height": height, **unknown})
        if sample.boxes is None or sample.class_ids is None:
            return
        for index, (box, class_id) in enumerate(zip(sample.boxes.tolist(), sample.class_ids.tolist(), strict=True)):
            x1, y1, x2, y2 = box
            annotation = {
                "id": len(self._annotations) + 1,
                "image_id": number,
                "category_id": class_id + 1,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "area": (x2 - x1) * (y2 - y1),
                "iscrowd": 0,
            }
            if sample.masks is not None:
                mask = sample.masks[index]
                annotation |= {"segmentation": rle_encode(mask), "area": mask_area(mask)}
            self._annotations.append(annotation)

    def keep(self, name: str, sample: Sample) -> None:
        """Writes ``drivable`` and ``lanes``."""
        self.write_plane("drivable", name, sample.drivable, _GREY)
        self.write_plane("lanes", name, sample.lanes, _GREY)

    def finish(self) -> None:
        """Writes ``annotations/instances_SPLIT.json``."""
        super().finish()
        categories = [{"id": class_id + 1, "name": name} for class_id, name in self.names.items()]
        labels = {"images": self._pictures, "categories": categories, "annotations": self._annotations}
        write_text_atomic(self.root / "annotations" / f"instances_{self.split}.json", json.dumps(labels) + "\n")

    def lacks(self, sample: Sample) -> Iterator[str]:
        """Nothing."""
        yield from ()


WRITERS: dict[Layout, type[Writer]] = {
    "yolo": YoloWriter,
    "yolop": YolopWriter,
    "coco": CocoWriter,
    "bdd100k": Bdd100kWriter,
}


def _scalabel_objects(sample: Sample, names: dict[int, str]) -> list[dict[str, Any]] | None:
    """Boxes as BDD100K's label objects; None when they are missing."""
    if sample.boxes is None or sample.class_ids is None:
        return None
    return [
        {"id": number, "category": names[class_id], "box2d": dict(zip(("x1", "y1", "x2", "y2"), box, strict=True))}
        for number, (box, class_id) in enumerate(zip(sample.boxes.tolist(), sample.class_ids.tolist(), strict=True))
    ]

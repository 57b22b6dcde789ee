"""COCO instances: boxes, and instance masks where every box has one; masks of areas and lanes beside them."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolopv2.data.classes import VEHICLES, Classes
from yolopv2.data.formats.files import first_existing, read_image, read_json, read_mask
from yolopv2.data.sample import Sample
from yolopv2.errors import YolopError
from yolopv2.geometry.curves import fill_polygons
from yolopv2.geometry.masks import rle_decode


class Coco:
    """The frames of one split. Crowds are left out.

    Layout below ``root``: ``annotations/instances_SPLIT.json``, pictures in ``images/SPLIT`` or ``SPLIT``, and where
    there are such labels ``drivable/SPLIT/ID.png`` and ``lanes/SPLIT/ID.png`` (0 no, 127 to be ignored, anything else
    yes). An image without annotations holds nothing, unless it says ``labelled: false``, which is this package's way
    of telling that nobody looked.

    Args:
        root: Folder of the data set.
        split: Name of the split, for example ``"train2017"``.
        classes: Classes by the names of COCO's categories.

    Raises:
        YolopError: The label file is missing, or no COCO instances.
    """

    def __init__(self, root: str | Path, split: str, classes: Classes = VEHICLES) -> None:
        self.root, self.split = Path(root), split
        self.names = classes.names
        self._path = self.root / "annotations" / f"instances_{split}.json"
        labels = read_json(self._path)
        try:
            categories = {category["id"]: category["name"] for category in labels["categories"]}
            self._files = {image["id"]: Path(image["file_name"]) for image in labels["images"]}
            self._unlabelled = {image["id"] for image in labels["images"] if image.get("labelled") is False}
            self._labels: dict[int, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
            for label in labels["annotations"]:
                number = label["category_id"]
                if number not in categories or label["image_id"] not in self._files:
                    raise YolopError(f"{self._path}: annotation {label['id']} names a category or image it has not.")
                class_id = classes.ids.get(categories[number])
                if class_id is not None and not label.get("iscrowd"):
                    self._labels[label["image_id"]].append((class_id, label))
        except (AttributeError, KeyError, TypeError) as error:
            raise YolopError(f"{self._path} holds no COCO instances: {error!r}.") from None
        self._images = first_existing([self.root / "images" / split]) or self.root / split
        self.ids = sorted(self._files, key=lambda number: str(self._files[number]))

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Sample:
        """Reads one frame with its labels.

        Raises:
            YolopError: The frame cannot be read, or an annotation of it; the message names it.
        """
        number = self.ids[index]
        path = self._images / self._files[number]
        image = read_image(path)
        name = self._files[number].with_suffix(".png")
        sample = Sample(
            image=image,
            drivable=read_mask(self.root / "drivable" / self.split / name, image),
            lanes=read_mask(self.root / "lanes" / self.split / name, image),
            source=f"{self.split}/{self._files[number]}",
            path=path,
        )
        labels = self._labels.get(number, [])
        if labels or number not in self._unlabelled:
            sample.boxes = np.array([self._box(label) for _, label in labels], np.float32).reshape(-1, 4)
            sample.class_ids = np.array([class_id for class_id, _ in labels], np.int64)
            sample.masks = self._masks([label for _, label in labels], *image.shape[:2])
        return sample

    def _box(self, label: dict[str, Any]) -> tuple[float, float, float, float]:
        try:
            x, y, width, height = (float(value) for value in label["bbox"])
            if not np.isfinite([x, y, width, height]).all():
                raise ValueError("a coordinate is not finite")
        except (KeyError, TypeError, ValueError) as error:
            raise YolopError(f"{self._path}: annotation {label.get('id')} has no box: {error!r}.") from None
        return x, y, x + width, y + height

    def _masks(self, labels: list[dict[str, Any]], height: int, width: int) -> NDArray[np.bool_] | None:
        """bool ``[n, H, W]``; None unless every one of the labels has its mask."""
        if not labels or not all(label.get("segmentation") for label in labels):
            return None
        masks = np.zeros((len(labels), height, width), bool)
        for mask, label in zip(masks, labels, strict=True):
            try:
                mask[:] = _segmentation(label["segmentation"], height, width)
            except (YolopError, TypeError, ValueError) as error:
                raise YolopError(f"{self._path}: the mask of annotation {label.get('id')}: {error}.") from None
        return masks


def _segmentation(segmentation: Any, height: int, width: int) -> NDArray[np.bool_]:
    """One instance's mask from run-length encoding or from polygons ``[x1, y1, x2, y2, ...]``."""
    if isinstance(segmentation, dict):
        mask = rle_decode(segmentation)
        if mask.shape != (height, width):
            raise YolopError(f"it is {mask.shape[1]}x{mask.shape[0]}, but its image is {width}x{height}")
        return mask
    return fill_polygons([np.array(polygon, np.float64).reshape(-1, 2) for polygon in segmentation], height, width)

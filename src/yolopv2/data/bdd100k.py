"""BDD100K, read in place: detection JSON of 2018, drivable maps, lane masks."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.data.sample import IGNORE, Sample
from yolopv2.errors import YolopError

VEHICLES: Mapping[str, int] = {"car": 0, "truck": 0, "bus": 0, "train": 0}
"""The paper's one class: BDD100K categories by the class they become; the others are left out."""

_LANE_IGNORE = 127


class BDD100K:
    """The frames of one split; any label but the boxes may be missing from any frame.

    Layout below ``root``: ``images/SPLIT/ID.jpg``, ``labels/bdd100k_labels_images_SPLIT.json``,
    ``drivable_maps/labels/SPLIT/ID_drivable_id.png`` (0 background, 1 direct, 2 alternative) and
    ``ll_seg_annotations/SPLIT/ID.png`` (255 lane marking, 127 to be ignored).

    Args:
        root: Folder of the data set.
        split: ``"train"`` or ``"val"``.
        classes: Category names by class index.

    Raises:
        YolopError: The label file is missing or no JSON list of frames.
    """

    def __init__(self, root: str | Path, split: str, classes: Mapping[str, int] = VEHICLES) -> None:
        self.root, self.split, self.classes = Path(root), split, classes
        path = self.root / "labels" / f"bdd100k_labels_images_{split}.json"
        try:
            frames = json.loads(path.read_text())
            self._labels = {Path(frame["name"]).stem: frame.get("labels") or [] for frame in frames}
        except FileNotFoundError:
            raise YolopError(
                f"BDD100K labels not found: {path}. Give the folder that holds 'labels' and 'images'."
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise YolopError(f"{path} is not a BDD100K label file: {error!r}.") from None
        self.ids = sorted(self._labels)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Sample:
        """Reads one frame with its labels.

        Raises:
            YolopError: The frame, its boxes or one of its masks cannot be read.
        """
        name = self.ids[index]
        image = _read(self.root / "images" / self.split / f"{name}.jpg", cv2.IMREAD_COLOR)[..., ::-1]
        try:
            boxes, class_ids = self._boxes(self._labels[name])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise YolopError(f"The labels of {self.split}/{name} are no BDD100K boxes: {error!r}.") from None
        return Sample(
            image=np.ascontiguousarray(image),
            boxes=boxes,
            class_ids=class_ids,
            drivable=self._drivable(name),
            lanes=self._lanes(name),
            source=f"{self.split}/{name}",
        )

    def _boxes(self, labels: list[dict[str, Any]]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        kept = [x for x in labels if x.get("category") in self.classes and "box2d" in x]
        boxes = np.array([[x["box2d"][k] for k in ("x1", "y1", "x2", "y2")] for x in kept], np.float32)
        return boxes.reshape(-1, 4), np.array([self.classes[x["category"]] for x in kept], np.int64)

    def _drivable(self, name: str) -> NDArray[np.uint8] | None:
        path = self.root / "drivable_maps" / "labels" / self.split / f"{name}_drivable_id.png"
        if not path.exists():
            return None
        return (_read(path, cv2.IMREAD_GRAYSCALE) > 0).astype(np.uint8)

    def _lanes(self, name: str) -> NDArray[np.uint8] | None:
        path = self.root / "ll_seg_annotations" / self.split / f"{name}.png"
        if not path.exists():
            return None
        mask = _read(path, cv2.IMREAD_GRAYSCALE)
        lanes = (mask > _LANE_IGNORE).astype(np.uint8)
        lanes[mask == _LANE_IGNORE] = IGNORE
        return lanes


def _read(path: Path, flags: int) -> NDArray[np.uint8]:
    image = cv2.imread(str(path), flags)
    if image is None:
        raise YolopError(f"Cannot read {path}: missing or damaged.")
    return image.astype(np.uint8, copy=False)

"""Instance masks kept as pictures, with the boxes around them: BDD100K's 10K set and Cityscapes."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.data.classes import VEHICLES, Classes
from yolopv2.data.formats.files import first_existing, images_in, read_image
from yolopv2.data.formats.folder import FrameFolder
from yolopv2.data.sample import IGNORE, Sample
from yolopv2.errors import YolopError
from yolopv2.geometry.masks import mask_box
from yolopv2.media import Unreadable
from yolopv2.media.images import read_file

_CROWD_OR_IGNORE = 0b0011
"""Of the attributes in BDD100K's green channel: ``truncated << 3 | occluded << 2 | crowd << 1 | ignore``."""

_INS_SEG = dict(enumerate(["pedestrian", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"], start=1))
_PAN_SEG = dict(
    enumerate(
        ["person", "rider", "bicycle", "bus", "car", "caravan", "motorcycle", "trailer", "train", "truck"], start=31
    )
)
"""Categories by number, of BDD100K's instances and of the things of its panoptic maps."""

_CITYSCAPES = dict(
    enumerate(
        ["person", "rider", "car", "truck", "bus", "caravan", "trailer", "train", "motorcycle", "bicycle"], start=24
    )
)
_CITYSCAPES_ROAD, _CITYSCAPES_VOID, _PER_CLASS = 7, 4, 1000


class BDD10K(FrameFolder):
    """The frames of one split of BDD100K's 10K images, with instance masks and their boxes.

    Layout below ``root``: ``images/10k/SPLIT/ID.jpg``, and ``labels/ins_seg/bitmasks/SPLIT/ID.png`` or
    ``labels/pan_seg/bitmasks/SPLIT/ID.png``, RGBA: category, attributes, and the number of the instance in two bytes,
    ``B << 8 | A``. Crowds and what is to be ignored are left out.

    Args:
        root: Folder of the data set.
        split: ``"train"`` or ``"val"``.
        classes: Classes by BDD100K's categories.

    Raises:
        YolopError: There is no such split.
    """

    def __init__(self, root: str | Path, split: str, classes: Classes = VEHICLES) -> None:
        super().__init__(root, split, classes, Path(root, "images", "10k", split))

    def __getitem__(self, index: int) -> Sample:
        """Reads one frame with its labels.

        Raises:
            YolopError: A file of the frame is damaged, or its labels have another size or kind.
        """
        name = self.ids[index]
        sample = Sample(read_image(self.images[name]), source=f"{self.split}/{name}", path=self.images[name])
        folders = {f"labels/{kind}_seg/bitmasks": kind for kind in ("ins", "pan")}
        path = first_existing(self.label_path(folder, name) for folder in folders)
        if path is not None:
            categories = _INS_SEG if path == self.label_path("labels/ins_seg/bitmasks", name) else _PAN_SEG
            _add_instances(sample, _bdd100k_instances(path, sample.image), categories, self.classes)
        return sample


class Cityscapes:
    """The frames of one split of Cityscapes, with instance masks, their boxes, and the road as drivable area.

    Layout below ``root``: ``leftImg8bit/SPLIT/CITY/ID_leftImg8bit.png`` and
    ``gtFine/SPLIT/CITY/ID_gtFine_instanceIds.png``, 16 bits: an instance is its class times 1000 plus a number; a class
    alone is what has no instances, or a group of them, which is left out. There are no lanes.

    Args:
        root: Folder of the data set.
        split: ``"train"`` or ``"val"``.
        classes: Classes by Cityscapes's names.

    Raises:
        YolopError: There is no such split.
    """

    def __init__(self, root: str | Path, split: str, classes: Classes = VEHICLES) -> None:
        self.root, self.split, self.classes, self.names = Path(root), split, classes, classes.names
        folder = self.root / "leftImg8bit" / split
        cities = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
        if not cities:
            raise YolopError(f"There is no folder {folder} with a folder for each city: give the root that holds it.")
        self._images = [path for city in cities for path in images_in(city).values()]
        self.ids = [path.stem.removesuffix("_leftImg8bit") for path in self._images]

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Sample:
        """Reads one frame with its labels.

        Raises:
            YolopError: A file of the frame is damaged, or its labels have another size or kind.
        """
        path, name = self._images[index], self.ids[index]
        sample = Sample(read_image(path), source=f"{self.split}/{name}", path=path)
        labels = self.root / "gtFine" / self.split / path.parent.name / f"{name}_gtFine_instanceIds.png"
        if labels.exists():
            numbers = _read_unchanged(labels, sample.image, channels=1)
            sample.drivable = (numbers == _CITYSCAPES_ROAD).astype(np.uint8)
            sample.drivable[numbers < _CITYSCAPES_VOID] = IGNORE
            found = np.unique(numbers[numbers >= _PER_CLASS]).tolist()
            instances = ((number // _PER_CLASS, numbers == number) for number in found)
            _add_instances(sample, instances, _CITYSCAPES, self.classes)
        return sample


def _bdd100k_instances(path: Path, image: NDArray[np.uint8]) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Category and mask of each instance that is neither a crowd nor to be ignored."""
    planes = _read_unchanged(path, image, channels=4)
    low, category, attributes, high = (planes[..., channel].astype(np.int64) for channel in (3, 2, 1, 0))  # BGRA
    numbers = np.where(attributes & _CROWD_OR_IGNORE, 0, category << 16 | high << 8 | low)
    for number in np.unique(numbers).tolist():
        yield number >> 16, numbers == number


def _add_instances(
    sample: Sample, instances: Iterable[tuple[int, NDArray[np.bool_]]], categories: dict[int, str], classes: Classes
) -> None:
    """Gives a sample the masks of the classes' categories, and the boxes around them."""
    kept = [
        (class_id, mask)
        for number, mask in instances
        if (class_id := classes.ids.get(categories.get(number, ""))) is not None
    ]
    boxes = np.array([mask_box(mask) for _, mask in kept], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    sample.boxes = boxes
    sample.class_ids = np.array([class_id for class_id, _ in kept], np.int64)
    sample.masks = np.array([mask for _, mask in kept], bool).reshape(-1, *sample.image.shape[:2])


def _read_unchanged(path: Path, image: NDArray[np.uint8], channels: int) -> NDArray[np.uint8 | np.uint16]:
    """A picture of labels as its file holds it, in OpenCV's order of channels."""
    try:
        plane = cv2.imdecode(np.frombuffer(read_file(path), np.uint8), cv2.IMREAD_UNCHANGED)
    except (Unreadable, cv2.error) as error:
        raise YolopError(f"Cannot read {path}: {error}.") from None
    if plane is None:
        raise YolopError(f"Cannot read {path}: the file is truncated, corrupt or no picture.")
    if plane.shape[:2] != image.shape[:2]:
        (height, width), (rows, columns) = plane.shape[:2], image.shape[:2]
        raise YolopError(f"{path} is {width}x{height}, but its image is {columns}x{rows}: labels must have its size.")
    if (plane.shape[2] if plane.ndim == 3 else 1) != channels:
        raise YolopError(f"{path} holds no instances: it must have {channels} channels.")
    return plane  # type: ignore[return-value]

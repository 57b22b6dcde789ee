"""BDD100K, read in place as it is downloaded: boxes, drivable maps, lane masks."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolopv2.data.classes import VEHICLES, Classes
from yolopv2.data.formats.files import first_existing, read_image, read_json, read_mask, read_plane, scalabel_boxes
from yolopv2.data.sample import IGNORE, Sample
from yolopv2.errors import YolopError

_DRIVABLE_BACKGROUND = 2
_LANE_BACKGROUND_BIT = 0b1000


class BDD100K:
    """The frames of one split; any label but the boxes may be missing from any frame.

    Layout below ``root``, the first of each that is there:

    - ``images/100k/SPLIT/ID.jpg`` or ``images/SPLIT/ID.jpg``
    - ``labels/det_20/det_SPLIT.json`` or ``labels/bdd100k_labels_images_SPLIT.json`` (2018): a list of frames, or
      ``{"frames": [...]}``; a frame whose ``labels`` are null holds nothing
    - ``drivable_maps/labels/SPLIT/ID_drivable_id.png`` (0 background, 1 direct, 2 alternative) or
      ``labels/drivable/masks/SPLIT/ID.png`` (0 direct, 1 alternative, 2 background)
    - ``ll_seg_annotations/SPLIT/ID.png`` (lane marking, 127 to be ignored) or ``labels/lane/masks/SPLIT/ID.png``
      (background where the bit of value 8 is set)

    Args:
        root: Folder of the data set.
        split: ``"train"`` or ``"val"``.
        classes: Classes by BDD100K's categories.

    Raises:
        YolopError: The label file is missing or no list of frames.
    """

    def __init__(self, root: str | Path, split: str, classes: Classes = VEHICLES) -> None:
        self.root, self.split, self.classes = Path(root), split, classes
        self.names = classes.names
        labels = self.root / "labels"
        in_2018 = labels / f"bdd100k_labels_images_{split}.json"
        path = first_existing([labels / "det_20" / f"det_{split}.json"]) or in_2018
        frames = read_json(path)
        try:
            frames = frames["frames"] if isinstance(frames, dict) else frames
            self._labels: dict[str, list[dict[str, Any]]] = {
                Path(x["name"]).stem: x.get("labels") or [] for x in frames
            }
            self._attributes: dict[str, dict[str, str]] = {
                Path(x["name"]).stem: _known(x.get("attributes")) for x in frames
            }
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise YolopError(f"{path} is not a BDD100K label file: {error!r}.") from None
        images = self.root / "images"
        self._images = first_existing([images / "100k" / split]) or images / split
        self.ids = sorted(self._labels)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Sample:
        """Reads one frame with its labels.

        Raises:
            YolopError: The frame, its boxes or one of its masks cannot be read, or a mask has another size.
        """
        name = self.ids[index]
        source = f"{self.split}/{name}"
        boxes, class_ids = scalabel_boxes(self._labels[name], self.classes, source)
        image = read_image(self._images / f"{name}.jpg")
        return Sample(
            image=image,
            boxes=boxes,
            class_ids=class_ids,
            drivable=self._drivable(name, image),
            lanes=self._lanes(name, image),
            source=source,
            attributes=self._attributes[name],
        )

    def _drivable(self, name: str, image: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        path = self.root / "drivable_maps" / "labels" / self.split / f"{name}_drivable_id.png"
        if path.exists():
            return (read_plane(path, image) > 0).astype(np.uint8)
        path = self.root / "labels" / "drivable" / "masks" / self.split / f"{name}.png"
        if not path.exists():
            return None
        plane = read_plane(path, image)
        drivable = (plane < _DRIVABLE_BACKGROUND).astype(np.uint8)
        drivable[plane > _DRIVABLE_BACKGROUND] = IGNORE
        return drivable

    def _lanes(self, name: str, image: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        path = self.root / "labels" / "lane" / "masks" / self.split / f"{name}.png"
        filled = self.root / "ll_seg_annotations" / self.split / f"{name}.png"
        if filled.exists() or not path.exists():
            return read_mask(filled, image)
        return ((read_plane(path, image) & _LANE_BACKGROUND_BIT) == 0).astype(np.uint8)


def _known(attributes: dict[str, Any] | None) -> dict[str, str]:
    """Weather, scene and time of day, without what the annotators could not tell."""
    return {name: str(value) for name, value in (attributes or {}).items() if value not in (None, "undefined")}

"""The layout in which YOLOP and its descendants keep BDD100K: one file of each kind per frame."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from yolopv2.data.classes import VEHICLES, Classes
from yolopv2.data.formats.files import read_image, read_json, read_mask, read_plane
from yolopv2.data.formats.folder import FrameFolder
from yolopv2.data.formats.scalabel import boxes_of
from yolopv2.data.sample import Sample
from yolopv2.errors import YolopError


class Yolop(FrameFolder):
    """The frames of one split; any label may be missing from any frame.

    Layout below ``root``: ``images/SPLIT/ID.jpg`` (or another kind of picture), ``det_annotations/SPLIT/ID.json``
    (``{"frames": [{"objects": [...]}]}`` with BDD100K's ``category`` and ``box2d``),
    ``da_seg_annotations/SPLIT/ID.png`` (drivable where not 0) and ``ll_seg_annotations/SPLIT/ID.png`` (lane marking
    where not 0, 127 to be ignored).

    Args:
        root: Folder of the data set.
        split: Name of the split.
        classes: Classes by BDD100K's categories.

    Raises:
        YolopError: There is no such split.
    """

    def __init__(self, root: str | Path, split: str, classes: Classes = VEHICLES) -> None:
        super().__init__(root, split, classes, Path(root, "images", split))

    def __getitem__(self, index: int) -> Sample:
        """Reads one frame with its labels.

        Raises:
            YolopError: A file of the frame is damaged, or a mask has another size than the frame; the message names it.
        """
        name = self.ids[index]
        image = read_image(self.images[name])
        boxes, class_ids = self._boxes(name)
        area = self.label_path("da_seg_annotations", name)
        return Sample(
            image=image,
            boxes=boxes,
            class_ids=class_ids,
            drivable=(read_plane(area, image) > 0).astype(np.uint8) if area.exists() else None,
            lanes=read_mask(self.label_path("ll_seg_annotations", name), image),
            source=f"{self.split}/{name}",
            path=self.images[name],
        )

    def _boxes(self, name: str) -> tuple[NDArray[np.float32] | None, NDArray[np.int64] | None]:
        path = self.label_path("det_annotations", name, ".json")
        if not path.exists():
            return None, None
        labels = read_json(path)
        try:
            objects = [thing for frame in labels["frames"] for thing in frame["objects"] or []]
        except (KeyError, TypeError) as error:
            raise YolopError(f"{path} is no YOLOP label file: {error!r}.") from None
        return boxes_of(objects, self.classes, path)

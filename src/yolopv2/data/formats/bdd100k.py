"""BDD100K, read in place as it is downloaded: boxes, and drivable areas and lanes from masks or from outlines."""

from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from yolopv2.data.classes import VEHICLES, Classes
from yolopv2.data.formats.files import first_existing, read_image, read_mask, read_plane
from yolopv2.data.formats.scalabel import (
    DRIVABLE,
    LANE,
    Frames,
    boxes_of,
    drivable_outlines,
    lane_edges,
    masks_of,
    of_category,
    read_frames,
    read_frames_and_attributes,
)
from yolopv2.data.lane_labels import LANE_WIDTH, lane_mask
from yolopv2.data.sample import IGNORE, Sample
from yolopv2.errors import YolopError
from yolopv2.geometry.curves import fill_polygons

DrivableKind = Literal["direct", "alternative"]

DRIVABLE_KINDS: tuple[DrivableKind, ...] = get_args(DrivableKind)
"""The ego's own lane, and lanes it may change to."""

_LANE_BACKGROUND_BIT = 0b1000


class BDD100K:
    """The frames of one split; any label may be missing from any frame.

    Layout below ``root``, the first of each that is there:

    - ``images/100k/SPLIT/ID.jpg`` or ``images/SPLIT/ID.jpg``
    - ``labels/det_20/det_SPLIT.json`` or ``labels/bdd100k_labels_images_SPLIT.json`` (2018): a list of frames, or
      ``{"frames": [...]}``; a frame whose ``labels`` are null holds nothing, unless its ``attributes`` say
      ``labelled: false``, which is this package's way of telling that nobody looked; where every vehicle has an
      outline (``poly2d``) as well, they are instance masks
    - ``drivable_maps/labels/SPLIT/ID_drivable_id.png`` (0 background, 1 direct, 2 alternative),
      ``labels/drivable/masks/SPLIT/ID.png`` (0 direct, 1 alternative, 2 background),
      ``labels/drivable/polygons/drivable_SPLIT.json``, or the ``drivable area`` of the file of 2018
    - ``ll_seg_annotations/SPLIT/ID.png`` (lane marking, 127 to be ignored), ``labels/lane/masks/SPLIT/ID.png``
      (background where the bit of value 8 is set), ``labels/lane/polygons/lane_SPLIT.json``, or the ``lane`` of the
      file of 2018

    A frame that a file of outlines lists without any holds none; the file of 2018 tells of areas or lanes when any of
    its frames has one. Lanes drawn as outlines become a mask as `yolopv2.data.lane_labels` says.

    Args:
        root: Folder of the data set.
        split: ``"train"`` or ``"val"``.
        classes: Classes by BDD100K's categories.
        drivable: Which of `DRIVABLE_KINDS` count as drivable area.
        lane_width: Width of lanes drawn as outlines, in pixels of a frame of 720 rows; by the split if None.

    Raises:
        YolopError: The label file is missing or no list of frames.
    """

    def __init__(
        self,
        root: str | Path,
        split: str,
        classes: Classes = VEHICLES,
        drivable: Collection[str] = DRIVABLE_KINDS,
        lane_width: float | None = None,
    ) -> None:
        self.root, self.split, self.classes = Path(root), split, classes
        self.names = classes.names
        self.drivable = drivable
        self.lane_width = lane_width or LANE_WIDTH.get(split, LANE_WIDTH["val"])
        labels = self.root / "labels"
        self._in_2018 = labels / f"bdd100k_labels_images_{split}.json"
        self._label_file = first_existing([labels / "det_20" / f"det_{split}.json"]) or self._in_2018
        self._labels, self._attributes = read_frames_and_attributes(self._label_file)
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
        labels = self._labels[name]
        boxes, class_ids = (None, None) if labels is None else boxes_of(labels, self.classes, source)
        path = self._images / f"{name}.jpg"
        image = read_image(path)
        height, width = image.shape[:2]
        return Sample(
            image=image,
            boxes=boxes,
            class_ids=class_ids,
            masks=None if labels is None else masks_of(labels, self.classes, height, width, source),
            drivable=self._drivable(name, image),
            lanes=self._lanes(name, image),
            source=source,
            path=path,
            attributes=self._attributes[name],
        )

    def _drivable(self, name: str, image: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        path = self.root / "drivable_maps" / "labels" / self.split / f"{name}_drivable_id.png"
        if path.exists():
            plane = read_plane(path, image)
            if plane.max() > len(DRIVABLE_KINDS):
                raise YolopError(f"{path}: value {plane.max()} is out of range, drivable maps have 0, 1 and 2.")
            return self._of_kinds(plane, first=1)
        path = self.root / "labels" / "drivable" / "masks" / self.split / f"{name}.png"
        if path.exists():
            plane = read_plane(path, image)
            drivable = self._of_kinds(plane, first=0)
            drivable[plane > len(DRIVABLE_KINDS)] = IGNORE
            return drivable
        labels = self._areas.get(name)
        if labels is None:
            return None
        outlines = drivable_outlines(labels, self.drivable, f"{self.split}/{name}")
        height, width = image.shape[:2]
        return fill_polygons(outlines, height, width).astype(np.uint8)

    def _of_kinds(self, plane: NDArray[np.uint8], first: int) -> NDArray[np.uint8]:
        """Where a map of kinds, numbered from ``first``, has one that counts."""
        numbers = [first + number for number, kind in enumerate(DRIVABLE_KINDS) if kind in self.drivable]
        return np.isin(plane, numbers).astype(np.uint8)

    def _lanes(self, name: str, image: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        path = self.root / "ll_seg_annotations" / self.split / f"{name}.png"
        if path.exists():
            return read_mask(path, image)
        path = self.root / "labels" / "lane" / "masks" / self.split / f"{name}.png"
        if path.exists():
            return ((read_plane(path, image) & _LANE_BACKGROUND_BIT) == 0).astype(np.uint8)
        labels = self._drawn_lanes.get(name)
        if labels is None:
            return None
        height, width = image.shape[:2]
        return lane_mask(lane_edges(labels, f"{self.split}/{name}"), height, width, self.lane_width)

    @cached_property
    def _areas(self) -> Frames:
        return self._outlines("drivable", DRIVABLE)

    @cached_property
    def _drawn_lanes(self) -> Frames:
        return self._outlines("lane", LANE)

    def _outlines(self, task: str, category: str) -> Frames:
        """Labels with the outlines of a task by frame; read when a frame lacks its mask, for the files are large."""
        path = self.root / "labels" / task / "polygons" / f"{task}_{self.split}.json"
        if path.exists():
            return read_frames(path)
        frames = self._labels
        if self._label_file != self._in_2018:
            frames = read_frames(self._in_2018) if self._in_2018.exists() else {}
        return of_category(frames, category)

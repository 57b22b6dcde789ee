"""Boxes as YOLO keeps them, a line of text each, with masks beside them: the easiest layout for one's own labels."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from yolopv2.data.classes import Classes
from yolopv2.data.formats.files import read_image, read_mask
from yolopv2.data.formats.folder import FrameFolder
from yolopv2.data.sample import Sample
from yolopv2.errors import YolopError


class Yolo(FrameFolder):
    """The frames of one split; any label may be missing from any frame.

    Layout below ``root``: ``images/SPLIT/ID.jpg`` (or another kind of picture), ``labels/SPLIT/ID.txt`` (a line
    ``class cx cy w h`` per box, in shares of the frame; an empty file says that nothing is there), and where there are
    such labels ``drivable/SPLIT/ID.png`` and ``lanes/SPLIT/ID.png`` (0 no, 127 to be ignored, anything else yes).

    Args:
        root: Folder of the data set.
        split: Name of the split.
        classes: Classes by the numbers in the files.

    Raises:
        YolopError: There is no such split.
    """

    def __init__(self, root: str | Path, split: str, classes: Classes) -> None:
        super().__init__(root, split, classes, Path(root, "images", split))

    def __getitem__(self, index: int) -> Sample:
        """Reads one frame with its labels.

        Raises:
            YolopError: A file of the frame is damaged, a class is out of range, or a mask has another size than the
                frame; the message names the file, and the line.
        """
        name = self.ids[index]
        image = read_image(self.images[name])
        height, width = image.shape[:2]
        boxes, class_ids = self._boxes(self.label_path("labels", name, ".txt"), height, width)
        return Sample(
            image=image,
            boxes=boxes,
            class_ids=class_ids,
            drivable=read_mask(self.label_path("drivable", name), image),
            lanes=read_mask(self.label_path("lanes", name), image),
            source=f"{self.split}/{name}",
            path=self.images[name],
        )

    def _boxes(
        self, path: Path, height: int, width: int
    ) -> tuple[NDArray[np.float32] | None, NDArray[np.int64] | None]:
        if not path.exists():
            return None, None
        boxes: list[list[float]] = []
        class_ids: list[int] = []
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            raise YolopError(f"Cannot read {path}: {error}.") from None
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                category, box = _parse(line)
                class_id = self.classes.number(category)
            except YolopError as error:
                raise YolopError(f"{path}, line {number}: {error}.") from None
            if class_id is not None:
                boxes.append(box)
                class_ids.append(class_id)
        centred = np.array(boxes, np.float64).reshape(-1, 4) * (width, height, width, height)
        half = centred[:, 2:] / 2
        corners = np.concatenate([centred[:, :2] - half, centred[:, :2] + half], 1)
        return corners.astype(np.float32), np.array(class_ids, np.int64)


def _parse(line: str) -> tuple[int, list[float]]:
    """Class number and ``cx cy w h`` of one line."""
    words = line.split()
    try:
        category, box = int(words[0]), [float(word) for word in words[1:]]
    except ValueError:
        box = []
    if len(box) != 4 or not np.isfinite(box).all():
        raise YolopError(f"expected 'class cx cy w h', got {line.strip()[:60]!r}")
    return category, box

"""CamVid in the layout of the SegNet tutorial: its road is the drivable area."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from yolopv2.data.classes import Classes
from yolopv2.data.formats.files import read_image, read_plane
from yolopv2.data.formats.folder import FrameFolder
from yolopv2.data.sample import IGNORE, Sample
from yolopv2.errors import YolopError

_ROAD, _UNLABELLED = 3, 11


class CamVid(FrameFolder):
    """The frames of one split, with drivable area alone: CamVid tells neither one car from another nor lanes from road.

    Layout below ``root``: ``SPLIT/ID.jpg`` (or another kind of picture) and ``SPLITannot/ID.png`` with the 12 classes
    0 sky, 1 building, 2 pole, 3 road, 4 pavement, 5 tree, 6 sign, 7 fence, 8 car, 9 pedestrian, 10 bicyclist and
    11 unlabelled, which is ignored.

    Args:
        root: Folder of the data set.
        split: Name of the split.
        classes: Classes of a network that is to learn from these frames beside others; there are no boxes here.

    Raises:
        YolopError: There is no such split.
    """

    def __init__(self, root: str | Path, split: str, classes: Classes | None = None) -> None:
        super().__init__(root, split, classes or Classes.of([]), Path(root, split))

    def __getitem__(self, index: int) -> Sample:
        """Reads one frame with its labels.

        Raises:
            YolopError: A file of the frame is damaged, or its labels have another size or a class out of range.
        """
        name = self.ids[index]
        image = read_image(self.images[name])
        drivable = self._drivable(name, image)
        return Sample(image=image, drivable=drivable, source=f"{self.split}/{name}", path=self.images[name])

    def _drivable(self, name: str, image: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        path = self.root / f"{self.split}annot" / f"{name}.png"
        if not path.exists():
            return None
        plane = read_plane(path, image)
        if plane.max() > _UNLABELLED:
            raise YolopError(f"{path}: class {plane.max()} is out of range, CamVid's classes are 0 to {_UNLABELLED}.")
        drivable = (plane == _ROAD).astype(np.uint8)
        drivable[plane == _UNLABELLED] = IGNORE
        return drivable

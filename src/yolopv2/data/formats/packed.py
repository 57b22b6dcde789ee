"""Packed folders as a data set: frames prepared for training, with soft labels where there are such."""

from pathlib import Path

from yolopv2.data.classes import Classes
from yolopv2.data.packed import PackedFrames, PackedSample, unpack_sample
from yolopv2.data.sample import Sample
from yolopv2.errors import YolopError


class Packed:
    """The frames of one split, from a folder ``root/SPLIT`` that `yolopv2.data.packed.write_packed` wrote.

    Args:
        root: Folder of the data set.
        split: Name of the split.
        classes: Classes by the numbers in the files.

    Raises:
        YolopError: There is no such split, it is not complete, or a box has a class out of range.
    """

    def __init__(self, root: str | Path, split: str, classes: Classes) -> None:
        self.root, self.split = Path(root), split
        self.names = classes.names
        self.frames = PackedFrames(self.root / split)
        for number, boxes in self.frames.boxes.items():
            strange = {*boxes[:, 0].tolist()} - {*map(float, self.names)}
            if strange:
                raise YolopError(
                    f"{self.frames.folder}: frame {number} has a box of class {min(strange):g}, "
                    f"the classes are {sorted(self.names)}."
                )

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> Sample:
        """A frame with its labels decided: see `unpack_sample`."""
        return unpack_sample(self.packed(index), f"{self.split}/{index:06d}")

    def packed(self, index: int) -> PackedSample:
        """A frame with its labels as they are, for training."""
        return self.frames[index]

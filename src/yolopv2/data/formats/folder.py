"""What the layouts share that keep one file of each kind for every frame."""

from pathlib import Path

from yolopv2.data.classes import Classes
from yolopv2.data.formats.files import images_in


class FrameFolder:
    """The pictures of one split, by whose names the labels are found.

    Args:
        root: Folder of the data set.
        split: Name of the split.
        classes: The data set's classes.
        images: Folder of the pictures.

    Raises:
        YolopError: There is no such folder, or two pictures share a name.
    """

    def __init__(self, root: str | Path, split: str, classes: Classes, images: Path) -> None:
        self.root, self.split, self.classes = Path(root), split, classes
        self.names = classes.names
        self.images = images_in(images)
        self.ids = list(self.images)

    def __len__(self) -> int:
        return len(self.ids)

    def label_path(self, folder: str, name: str, suffix: str = ".png") -> Path:
        """Where a label of a frame is, in a folder of the data set that has one for each split."""
        return self.root / folder / self.split / f"{name}{suffix}"

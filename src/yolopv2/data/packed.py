"""Frames and labels at training size in flat arrays: reading one costs a memory copy, not a JPEG.

A packed folder holds ``images.npy`` (uint8 ``[n, H, W, 3]``), ``maps.npy`` (uint8 ``[n, H, W, 4]``, see `MAPS`) and
``boxes.npz``. Masks are shrunk by area, so that a thin marking becomes a fainter one instead of vanishing.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.data.sample import IGNORE, Sample
from yolopv2.errors import YolopError

MAPS = ("drivable", "drivable_weight", "lanes", "lanes_weight")
"""Channels of a packed label map, each 0..255: how much of the pixel is road or marking, and how far to trust that."""


@dataclass
class PackedSample:
    """One packed frame.

    Attributes:
        image: uint8 ``[H, W, 3]``, RGB.
        maps: uint8 ``[H, W, 4]``, see `MAPS`.
        boxes: float32 ``[n, 5]``: class, then ``x1 y1 x2 y2`` in pixels; None when the frame has no box labels.
        problems: What could not be read and was left out on the way here, for the log.
    """

    image: NDArray[np.uint8]
    maps: NDArray[np.uint8]
    boxes: NDArray[np.float32] | None
    problems: list[str] = field(default_factory=list)


def pack_sample(sample: Sample, height: int, width: int) -> PackedSample:
    """Shrinks a sample to ``height`` x ``width`` (same aspect, or it is stretched)."""
    size = (width, height)
    image = cv2.resize(sample.image, size, interpolation=cv2.INTER_AREA)
    channels: list[NDArray[np.uint8]] = []
    for mask in (sample.drivable, sample.lanes):
        channels += _soft(mask, size)
    boxes = None
    if sample.boxes is not None and sample.class_ids is not None:
        scale = np.array([width / sample.image.shape[1], height / sample.image.shape[0]] * 2, np.float32)
        boxes = np.concatenate([sample.class_ids[:, None], sample.boxes * scale], 1).astype(np.float32)
    return PackedSample(image.astype(np.uint8), np.stack(channels, -1), boxes)


def _soft(mask: NDArray[np.uint8] | None, size: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """A mask's share of every small pixel, and the share of labelled pixels there."""
    if mask is None:
        return [np.zeros(size[::-1], np.uint8)] * 2
    known = cv2.resize((mask != IGNORE).astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
    share = cv2.resize((mask == 1).astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
    return [share.astype(np.uint8), known.astype(np.uint8)]


def write_packed(folder: str | Path, samples: Iterable[PackedSample], count: int) -> None:
    """Writes packed samples to a folder; a folder that is there already is complete and stays as it is.

    Args:
        folder: Where to; made when missing.
        samples: ``count`` samples of one size.
        count: How many there are.
    """
    folder = Path(folder)
    if (folder / "boxes.npz").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    images: np.memmap | None = None
    boxes: dict[str, NDArray[np.float32]] = {}
    for i, sample in enumerate(samples):
        if images is None:
            h, w = sample.image.shape[:2]
            images = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, (count, h, w, 3))
            maps = np.lib.format.open_memmap(folder / "maps.npy", "w+", np.uint8, (count, h, w, len(MAPS)))
        images[i], maps[i] = sample.image, sample.maps
        if sample.boxes is not None:
            boxes[str(i)] = sample.boxes
    # Written last and renamed into place: its presence says that the folder is complete.
    np.savez(folder / "boxes.part.npz", **boxes)  # type: ignore[arg-type]
    os.replace(folder / "boxes.part.npz", folder / "boxes.npz")


class PackedFrames:
    """The frames of one packed folder, mapped from disk.

    Raises:
        YolopError: The folder is no complete packed folder.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        try:
            self.images = np.load(self.folder / "images.npy", mmap_mode="r")
            self.maps = np.load(self.folder / "maps.npy", mmap_mode="r")
            with np.load(self.folder / "boxes.npz") as stored:
                self.boxes = {int(name): stored[name] for name in stored.files}
        except (OSError, ValueError) as error:
            raise YolopError(f"{folder} is not a complete folder of packed frames: {error}.") from None

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> PackedSample:
        return PackedSample(self.images[index], self.maps[index], self.boxes.get(index))

"""Frames and labels at training size in flat arrays: reading one costs a memory copy, not a JPEG.

A packed folder holds ``images.npy`` (uint8 ``[n, H, W, 3]``), ``maps.npy`` (uint8 ``[n, H, W, 4]``, see `MAPS`) and
``boxes.npz`` (float32 ``[k, 5]`` under the number of each frame that has box labels: class, then ``x1 y1 x2 y2``).
Where any frame has instance masks there is ``instances.npy`` as well, uint16 ``[n, H, W]``, see `PackedSample`.
"""

import math
import os
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.data.sample import IGNORE, Sample
from yolopv2.errors import YolopError
from yolopv2.files import cannot_write
from yolopv2.geometry.letterbox import Letterbox

MAPS = ("drivable", "drivable_weight", "lanes", "lanes_weight")
"""Channels of a packed label map, each 0..255: how much of the pixel is road or marking, and how far to trust that."""

Lanes = Literal["touch", "area"]

_INSTANCES = "instances.npy"


@dataclass
class PackedSample:
    """One packed frame.

    Attributes:
        image: uint8 ``[H, W, 3]``, RGB.
        maps: uint8 ``[H, W, 4]``, see `MAPS`.
        boxes: float32 ``[n, 5]``: class, then ``x1 y1 x2 y2`` in pixels; None when the frame has no box labels.
        instances: uint16 ``[H, W]``: where row i of the boxes is seen i + 1, elsewhere 0; None when no box has a mask.
            The mask of a box without any pixel is not known.
        problems: What could not be read and was left out on the way here, for the log.
    """

    image: NDArray[np.uint8]
    maps: NDArray[np.uint8]
    boxes: NDArray[np.float32] | None
    instances: NDArray[np.uint16] | None = None
    problems: list[str] = field(default_factory=list)


def pack_sample(sample: Sample, height: int, width: int, lanes: Lanes = "touch") -> PackedSample:
    """Brings a sample to ``height`` x ``width``, as a frame comes to the network: in proportion, centred, grey around.

    The drivable area is shrunk by area, to the share of every small pixel that it covers. The padding is known to be
    neither road nor marking, of those labels that the frame has: prediction cuts it off, but whoever looks at the
    network's own output shall find it empty.

    Args:
        sample: The frame and its labels.
        height: Rows of the packed frame.
        width: Columns of the packed frame.
        lanes: How markings shrink. ``touch``: a small pixel that holds any of a marking is marking, as is usual, so
            that thin ones stay. ``area``: by area, so that thin ones become faint.

    Example:
        >>> lanes = np.zeros((72, 128), np.uint8)
        >>> lanes[:, 10] = 1
        >>> sample = Sample(np.zeros((72, 128, 3), np.uint8), lanes=lanes)
        >>> [pack_sample(sample, 36, 64, way).maps[0, 4:7, 2].tolist() for way in ("touch", "area")]
        [[0, 255, 0], [0, 128, 0]]
    """
    rows, columns = sample.image.shape[:2]
    letterbox = Letterbox.into(rows, columns, height, width)
    channels = [*_soft(sample.drivable, letterbox), *_soft(sample.lanes, letterbox)]
    if lanes == "touch" and sample.lanes is not None:
        channels[2] = (letterbox.apply_mask(sample.lanes, thin=True) == 1).astype(np.uint8) * np.uint8(255)
    boxes = None
    if sample.boxes is not None and sample.class_ids is not None:
        moved = letterbox.boxes_to_canvas(sample.boxes)
        boxes = np.concatenate([sample.class_ids[:, None], moved], 1).astype(np.float32)
    instances = None
    if boxes is not None and sample.masks is not None:
        instances = np.zeros((height, width), np.uint16)
        instances[letterbox.rows, letterbox.columns] = resize_instances(
            instance_map(sample.masks), letterbox.scaled_height, letterbox.scaled_width
        )
    return PackedSample(letterbox.apply(sample.image), np.stack(channels, -1), boxes, instances)


def instance_map(masks: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Masks ``[n, H, W]`` as one map of 1 to n, and 0 where there is none; the smaller lies over the larger.

    Example:
        >>> instance_map(np.array([[[0, 1, 1]], [[1, 1, 1]]], bool)).tolist()
        [[2, 1, 1]]
    """
    numbers = np.zeros(masks.shape[1:], np.uint16)
    for row in np.argsort(-masks.sum((1, 2)), kind="stable"):
        numbers[masks[row]] = row + 1
    return numbers


def resize_instances(instances: NDArray[np.uint16], height: int, width: int) -> NDArray[np.uint16]:
    """An instance map in another size; every pixel takes the number of the nearest one."""
    resized = cv2.resize(instances, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return resized.astype(np.uint16, copy=False)


def unpack_sample(packed: PackedSample, source: str = "") -> Sample:
    """A packed frame as a sample: what is more likely than not is marked, what nobody trusts is to be ignored.

    Args:
        packed: The frame; a label without any weight is missing.
        source: Where it came from, for messages.
    """
    boxes, masks = packed.boxes, None
    if boxes is not None and packed.instances is not None and (packed.instances.any() or not len(boxes)):
        masks = packed.instances[None] == np.arange(1, len(boxes) + 1, dtype=np.uint16)[:, None, None]
    return Sample(
        image=np.array(packed.image),
        boxes=None if boxes is None else boxes[:, 1:].copy(),
        class_ids=None if boxes is None else boxes[:, 0].astype(np.int64),
        drivable=_decided(packed.maps[..., 0], packed.maps[..., 1]),
        lanes=_decided(packed.maps[..., 2], packed.maps[..., 3]),
        masks=masks,
        source=source,
    )


def _decided(share: NDArray[np.uint8], weight: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    mask = (share >= 128).astype(np.uint8)
    mask[weight == 0] = IGNORE
    return mask if weight.any() else None


def _soft(mask: NDArray[np.uint8] | None, letterbox: Letterbox) -> list[NDArray[np.uint8]]:
    """A mask's share of every small pixel, and the share of labelled pixels there."""
    share = np.zeros((letterbox.canvas_height, letterbox.canvas_width), np.uint8)
    if mask is None:
        return [share, share]
    known = np.full_like(share, 255)
    size = (letterbox.scaled_width, letterbox.scaled_height)
    for canvas, pixels in ((share, mask == 1), (known, mask != IGNORE)):
        whole = pixels.astype(np.uint8) * np.uint8(255)
        canvas[letterbox.rows, letterbox.columns] = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
    return [share, known]


def write_packed(folder: str | Path, samples: Iterable[PackedSample], count: int) -> None:
    """Writes packed samples to a folder; one that is complete already stays as it is, one that is not is begun anew.

    Args:
        folder: Where to; made when missing.
        samples: ``count`` samples of one size.
        count: How many there are.

    Raises:
        YolopError: The folder cannot be written.
        ValueError: There are more or fewer samples, or of several sizes.
    """
    folder = Path(folder)
    boxes_path = folder / "boxes.npz"
    if boxes_path.exists():
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        boxes = _write_arrays(folder, samples, count)
        # Written last and renamed into place: its presence says that the folder is complete.
        part = folder / "boxes.part.npz"
        np.savez(part, **boxes)  # type: ignore[arg-type]
        os.replace(part, boxes_path)
    except OSError as error:
        raise cannot_write(folder, error) from error


def _write_arrays(folder: Path, samples: Iterable[PackedSample], count: int) -> dict[str, NDArray[np.float32]]:
    """Writes frames and maps one by one, so that a full disk is an error here and not a crash; returns the boxes."""
    boxes: dict[str, NDArray[np.float32]] = {}
    shape: tuple[int, ...] = ()
    written, masked = 0, False
    files = (folder / name for name in ("images.npy", "maps.npy", _INSTANCES))
    with ExitStack() as stack:
        images, maps, instances = (stack.enter_context(path.open("wb")) for path in files)
        for sample in samples:
            if not written:
                shape = sample.image.shape[:2]
                _write_header(images, (count, *shape, 3))
                _write_header(maps, (count, *shape, len(MAPS)))
                begin = _write_header(instances, (count, *shape), "<u2")
            if sample.image.shape != (*shape, 3) or sample.maps.shape != (*shape, len(MAPS)) or written == count:
                raise ValueError(
                    f"expected {count} samples of {shape}, got one of {sample.image.shape} after {written}"
                )
            images.write(np.ascontiguousarray(sample.image, np.uint8).data)
            maps.write(np.ascontiguousarray(sample.maps, np.uint8).data)
            if sample.boxes is not None:
                boxes[str(written)] = sample.boxes.astype(np.float32)
            if sample.instances is not None:
                instances.seek(begin + 2 * written * math.prod(shape))  # what is passed over reads as 0
                instances.write(np.ascontiguousarray(sample.instances, "<u2").data)
                masked = True
            written += 1
        instances.truncate(begin + 2 * count * math.prod(shape))
    if not masked:
        (folder / _INSTANCES).unlink()
    if written != count or not count:
        raise ValueError(f"expected {count} samples, at least one, got {written}")
    return boxes


def _write_header(file: BinaryIO, shape: tuple[int, ...], kind: str = "|u1") -> int:
    """Begins an array; returns where its numbers begin."""
    np.lib.format.write_array_header_1_0(file, {"descr": kind, "fortran_order": False, "shape": shape})
    return file.tell()


class PackedFrames:
    """The frames of one packed folder, mapped from disk.

    Raises:
        YolopError: The folder is no complete packed folder, or a file of it is damaged.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        try:
            self.images = _load_map(self.folder / "images.npy", 3)
            self.maps = _load_map(self.folder / "maps.npy", len(MAPS))
            self.boxes = _load_boxes(self.folder / "boxes.npz")
            path = self.folder / _INSTANCES
            self.instances = _load_instances(path, self.maps.shape[:3]) if path.exists() else None
            if self.images.shape[:3] != self.maps.shape[:3] or not {*self.boxes} <= {*range(len(self.images))}:
                raise ValueError("its files belong to different sets of frames")
        # Whatever a damaged file makes NumPy's readers raise, from EOFError to zlib.error; they run no code.
        except Exception as error:
            raise YolopError(f"{folder} is not a complete folder of packed frames: {error}.") from None

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> PackedSample:
        instances = None if self.instances is None else self.instances[index]
        return PackedSample(self.images[index], self.maps[index], self.boxes.get(index), instances)


def _load_map(path: Path, channels: int) -> NDArray[np.uint8]:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8 or array.ndim != 4 or array.shape[3] != channels:
        raise ValueError(f"{path.name} holds no bytes of the shape [n, H, W, {channels}]")
    return array


def _load_instances(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint16]:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray) or array.dtype != np.uint16 or array.shape != shape:
        raise ValueError(f"{path.name} holds no numbers of 16 bits of the shape {list(shape)}")
    return array


def _load_boxes(path: Path) -> dict[int, NDArray[np.float32]]:
    with np.load(path, allow_pickle=False) as stored:
        boxes = {int(name): stored[name] for name in stored.files}
    for number, array in boxes.items():
        if array.dtype != np.float32 or array.ndim != 2 or array.shape[1] != 5 or not np.isfinite(array).all():
            raise ValueError(f"{path.name} holds no boxes of frame {number}")
    return boxes

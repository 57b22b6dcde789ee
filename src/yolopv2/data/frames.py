"""The frames of a data set at training size, read each time, or kept in memory or on disk."""

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import is_dataclass
from pathlib import Path
from typing import Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.data.ahead import Frames, iterate_samples
from yolopv2.data.dataset import Dataset
from yolopv2.data.packed import MAPS, Lanes, PackedSample, pack_sample, resize_instances
from yolopv2.errors import YolopError
from yolopv2.files import cannot_write, hidden_path
from yolopv2.geometry.letterbox import Letterbox

Cache = Literal["none", "ram", "disk"]

_BYTES = 3 + len(MAPS) + 2
"""Of a pixel: image, maps, and the number of an instance."""

_LABELS = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".json", ".txt"}
"""Kinds of files that data sets are made of."""


def open_frames(
    dataset: Dataset,
    height: int,
    width: int,
    cache: Cache = "none",
    folder: str | Path | None = None,
    progress: Callable[[], object] | None = None,
    lanes: Lanes = "touch",
) -> Frames[PackedSample]:
    """The frames of a data set, none larger than the training canvas.

    Args:
        dataset: One split.
        height: Of the canvas.
        width: Of the canvas.
        cache: ``none``: frames are decoded and shrunk each time they are asked for. ``ram``: once, now, and kept;
            worker processes share the memory where they are forked, as on Linux. ``disk``: once for all runs, and
            mapped from then on; files below the data set's root that are new or changed make a new copy.
        folder: Where ``disk`` keeps its copies.
        progress: Called for each frame that is read for a cache.
        lanes: How markings shrink, see `yolopv2.data.packed.pack_sample`.

    Raises:
        YolopError: The memory or the disk is too small for the cache, or it cannot be written.

    Example:
        >>> import tempfile
        >>> from yolopv2.data.synthetic import SyntheticDataset, write_dataset
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     yaml = write_dataset(folder, {"train": 2}, height=180, width=320)
        ...     frames = open_frames(SyntheticDataset(folder, "train"), 96, 160, cache="ram")
        >>> len(frames), frames[0].image.shape
        (2, (90, 160, 3))
    """
    frames = SizedFrames(dataset, height, width, lanes)
    if cache == "none":
        return frames
    if cache == "ram":
        return _in_memory(frames, progress)
    if folder is None:
        raise YolopError("A cache on disk needs a folder.")
    return _on_disk(frames, Path(folder), progress)


class SizedFrames:
    """The frames of a data set, shrunk in proportion until they fit a canvas, anew each time they are asked for.

    Args:
        dataset: One split. Of one that has packed frames (``packed(index) -> PackedSample``) those are taken.
        height: Of the canvas.
        width: Of the canvas.
        lanes: How markings shrink.
    """

    def __init__(self, dataset: Dataset, height: int, width: int, lanes: Lanes = "touch") -> None:
        self.dataset, self.height, self.width, self.lanes = dataset, height, width, lanes

    def __len__(self) -> int:
        return len(self.dataset)

    @property
    def most_bytes(self) -> int:
        """Of a frame, its maps and its instances."""
        return self.height * self.width * _BYTES

    def __getitem__(self, index: int) -> PackedSample:
        """Reads one frame; raises `YolopError` when that cannot be done."""
        packed: Callable[[int], PackedSample] | None = getattr(self.dataset, "packed", None)
        if packed is not None:
            sample = packed(index)
            return _shrink(sample, *self._size(sample.image))
        frame = self.dataset[index]
        return pack_sample(frame, *self._size(frame.image), self.lanes)

    def _size(self, image: NDArray[np.uint8]) -> tuple[int, int]:
        height, width = image.shape[:2]
        fitted = Letterbox.into(height, width, self.height, self.width)
        return min(height, fitted.scaled_height), min(width, fitted.scaled_width)


def _shrink(sample: PackedSample, height: int, width: int) -> PackedSample:
    rows, columns = sample.image.shape[:2]
    if (rows, columns) == (height, width):
        return sample
    instances = None if sample.instances is None else resize_instances(sample.instances, height, width)
    image, maps = (
        cv2.resize(array, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        for array in (sample.image, sample.maps)
    )
    boxes = sample.boxes
    if boxes is not None:
        boxes = boxes * np.array([1, *[width / columns, height / rows] * 2], np.float32)
    return PackedSample(image, maps, boxes, instances)


class CachedFrames:
    """Frames of any sizes in one array, so that processes can share it.

    Args:
        pixels: uint8 ``[n, bytes]``: each frame's image, then its maps, then its instances where it has any.
        shapes: int ``[n, 2]``: height and width of each frame; 0, 0 of one that could not be read.
        boxes: ``[m, 5]``, those of all frames one after another.
        counts: int ``[n]``: how many boxes each frame has, -1 where nobody labelled any.
        masked: bool ``[n]``: whether it has instances.
        problems: str ``[k]``: why each of those frames could not be read.
    """

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        shapes: NDArray[np.int64],
        boxes: NDArray[np.float32],
        counts: NDArray[np.int64],
        masked: NDArray[np.bool_],
        problems: NDArray[np.str_],
    ) -> None:
        self.pixels, self.shapes, self.boxes, self.counts = pixels, shapes, boxes, counts
        self.masked, self.problems = masked, problems
        self._ends = np.cumsum(np.maximum(counts, 0))

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, index: int) -> PackedSample:
        """One frame, whose arrays are part of the cache.

        Raises:
            YolopError: It could not be read when the cache was made.
        """
        height, width = (int(side) for side in self.shapes[index])
        if not height:
            raise YolopError(str(self.problems[np.count_nonzero(self.shapes[:index, 0] == 0)]))
        ends = np.cumsum([3, len(MAPS), 2]) * height * width
        image, maps, numbers, _ = np.split(self.pixels[index], ends)
        count, end = int(self.counts[index]), int(self._ends[index])
        boxes = None if count < 0 else self.boxes[end - count : end]
        instances = numbers.view(np.uint16).reshape(height, width) if self.masked[index] else None
        return PackedSample(image.reshape(height, width, 3), maps.reshape(height, width, len(MAPS)), boxes, instances)


class _Mapped(CachedFrames):
    """Frames of a folder; another process maps it anew instead of being sent a copy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            with np.load(folder / "frames.npz") as stored:
                index = {name: stored[name] for name in ("shapes", "boxes", "counts", "masked", "problems")}
            pixels = np.memmap(folder / "pixels.bin", np.uint8, "r").reshape(len(index["shapes"]), -1)
        except (OSError, ValueError, KeyError) as error:
            raise YolopError(f"The cached frames in {folder} are damaged ({error}): delete the folder.") from None
        super().__init__(pixels, **index)

    def __reduce__(self) -> tuple[type["_Mapped"], tuple[Path]]:
        return _Mapped, (self.folder,)


def _in_memory(frames: SizedFrames, progress: Callable[[], object] | None) -> CachedFrames:
    needed, free = len(frames) * frames.most_bytes, _free_memory()
    if free is not None and needed > 0.8 * free:
        raise YolopError(
            f"{len(frames)} frames of {frames.width}x{frames.height} take {_size(needed)} and {_size(free)} of memory "
            "are free: cache them on disk or not at all, or train on smaller ones."
        )
    pixels = np.empty((len(frames), frames.most_bytes), np.uint8)  # memory is taken only where it is written to

    def keep(index: int, content: NDArray[np.uint8]) -> None:
        pixels[index, : len(content)] = content

    return CachedFrames(pixels, **_gather(frames, keep, progress))


def _on_disk(frames: SizedFrames, folder: Path, progress: Callable[[], object] | None) -> CachedFrames:
    """Maps the copy of these frames, which is written first where there is none."""
    final = folder / _fingerprint(frames, folder)
    if final.is_dir():
        return _Mapped(final)
    try:
        part = hidden_path(final)
        _require_space(frames, folder)
        part.mkdir()
        try:
            _write(frames, part, progress)
            if not final.is_dir():  # else another process was faster
                os.replace(part, final)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise cannot_write(final, error) from error
    return _Mapped(final)


def _write(frames: SizedFrames, folder: Path, progress: Callable[[], object] | None) -> None:
    # Written, not mapped: a full disk under a mapping ends the process without a word.
    with (folder / "pixels.bin").open("wb") as file:

        def keep(index: int, content: NDArray[np.uint8]) -> None:
            file.seek(index * frames.most_bytes)
            file.write(content.data)

        facts = _gather(frames, keep, progress)
        file.truncate(len(frames) * frames.most_bytes)
    np.savez(folder / "frames.npz", **facts)  # type: ignore[arg-type]


def _require_space(frames: SizedFrames, folder: Path) -> None:
    needed, free = len(frames) * frames.most_bytes, shutil.disk_usage(folder).free
    if needed > free:
        raise YolopError(
            f"{len(frames)} frames of {frames.width}x{frames.height} take {_size(needed)} and {_size(free)} are free "
            f"in {folder}: free some space, or cache elsewhere or not at all."
        )


class _Keep(Protocol):
    def __call__(self, index: int, content: NDArray[np.uint8], /) -> None: ...


def _gather(frames: SizedFrames, keep: _Keep, progress: Callable[[], object] | None) -> dict[str, NDArray]:
    """Reads all frames once; pixels go to ``keep``, what else `CachedFrames` needs is returned."""
    shapes = np.zeros((len(frames), 2), np.int64)
    counts, masked = np.full(len(frames), -1, np.int64), np.zeros(len(frames), bool)
    boxes, problems = [np.zeros((0, 5), np.float32)], list[str]()
    for index, sample in enumerate(iterate_samples(frames)):
        if isinstance(sample, YolopError):
            problems.append(str(sample))
        else:
            shapes[index] = sample.image.shape[:2]
            parts = [sample.image.ravel(), sample.maps.ravel()]
            if sample.instances is not None:
                masked[index] = True
                parts.append(np.ascontiguousarray(sample.instances).view(np.uint8).ravel())
            keep(index, np.concatenate(parts))
            if sample.boxes is not None:
                counts[index] = len(sample.boxes)
                boxes.append(sample.boxes)
        if progress is not None:
            progress()
    return {
        "shapes": shapes,
        "boxes": np.concatenate(boxes),
        "counts": counts,
        "masked": masked,
        "problems": np.array(problems, str),
    }


def _fingerprint(frames: SizedFrames, folder: Path) -> str:
    """Stands for all that determines the frames: the data set's settings, its files and the size."""
    dataset = frames.dataset
    root = getattr(dataset, "root", None)
    if root is None:
        raise YolopError(
            "This data set has no root whose files could tell a cache from a stale one: use another cache."
        )
    settings = {
        name: str(value)
        for name, value in vars(dataset).items()
        if isinstance(value, str | int | float | Path | None) or is_dataclass(value)
    }
    size = (frames.height, frames.width, _BYTES)
    made_by = (type(dataset).__name__, len(dataset), dataset.names, settings, *size, frames.lanes)
    digest = hashlib.sha256(repr(made_by).encode())
    for where, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if Path(where, name) != folder)
        for name in sorted(names):
            path = Path(where, name)
            if path.suffix.lower() in _LABELS:
                facts = path.stat()
                digest.update(f"{path.relative_to(root)} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _free_memory() -> int | None:
    """Bytes that can be taken without swapping; None where the system does not tell."""
    try:
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        free = int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, ValueError, KeyError):
        return None
    limit = Path("/sys/fs/cgroup/memory.max")  # a container may take less than its machine has
    try:
        return min(free, int(limit.read_text()))
    except (OSError, ValueError):
        return free


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB"

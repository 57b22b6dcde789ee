"""Generated scenes on disk: written frame by frame, continued where it stopped, read back as samples."""

import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from yolopv2.data.formats.files import read_image, read_plane
from yolopv2.data.sample import Sample
from yolopv2.errors import YolopError
from yolopv2.files import write_image, write_text_atomic

from .drive import CLASS_NAMES, Drive, render_scene

_RECIPE = "recipe.json"


def write_dataset(
    folder: str | Path,
    splits: Mapping[str, int],
    seed: int = 0,
    height: int = 720,
    width: int = 1280,
    weather: str | None = None,
    time_of_day: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Render a labelled data set; frames that are already there whole are kept.

    A split can be enlarged later by a second call with a greater number; no scene is in two splits.

    Args:
        folder: Where it goes; made when missing.
        splits: Number of frames by name of the split, for example ``{"train": 64, "val": 16}``.
        seed: Makes the scenes.
        height: Rows, at least 64.
        width: Columns, at least 64.
        weather: One of `yolopv2.data.synthetic.WEATHERS`, or None for all of them.
        time_of_day: One of `yolopv2.data.synthetic.TIMES_OF_DAY`, or None for all of them.
        progress: Called after each frame with the frames done and the frames in all.

    Returns:
        Path of the ``data.yaml`` that describes the data set.

    Raises:
        YolopError: A size or name that cannot be, or the folder holds scenes of another recipe, or cannot be written.
    """
    Drive(0, height=height, width=width, weather=weather, time_of_day=time_of_day)  # refuses before anything is written
    folder = Path(folder)
    recipe = {"seed": seed, "height": height, "width": width, "weather": weather, "time_of_day": time_of_day}
    _agree_on_recipe(folder, recipe)
    total, done = sum(splits.values()), 0
    for split, count in splits.items():
        for index in range(count):
            paths = _paths(folder, split, f"{index:06d}")
            if not all(path.is_file() for path in paths.values()):
                scene_seed = zlib.crc32(f"{seed}/{split}/{index}".encode())
                scene = render_scene(scene_seed, height, width, weather, time_of_day)
                _write_sample(paths, scene, quality=72 + scene_seed % 24)
            done += 1
            if progress is not None:
                progress(done, total)
    return _describe(folder, splits)


def _agree_on_recipe(folder: Path, recipe: dict[str, Any]) -> None:
    """Refuse to mix scenes of different recipes in one folder."""
    path = folder / _RECIPE
    if not path.exists():
        write_text_atomic(path, json.dumps(recipe, indent=2) + "\n")
        return
    try:
        there = json.loads(path.read_text())
    except (OSError, ValueError):
        there = None
    if there != recipe:
        raise YolopError(
            f"{path} says that this folder holds other scenes ({there}): choose another or an empty folder"
        )


def _describe(folder: Path, splits: Mapping[str, int]) -> Path:
    path = folder / "data.yaml"
    names = {split: split for split in splits}
    if path.exists():
        known = yaml.safe_load(path.read_text())
        names = {**known.get("splits", {}), **names} if isinstance(known, dict) else names
    described = {"format": "synthetic", "root": ".", "splits": names, "classes": list(CLASS_NAMES.values())}
    write_text_atomic(path, yaml.safe_dump(described, sort_keys=False))
    return path


def _paths(root: Path, split: str, name: str) -> dict[str, Path]:
    return {
        "instances": root / "instances" / split / f"{name}.png",
        "drivable": root / "drivable" / split / f"{name}.png",
        "lanes": root / "lanes" / split / f"{name}.png",
        "boxes": root / "boxes" / split / f"{name}.json",
        "image": root / "images" / split / f"{name}.jpg",
    }


def _write_sample(paths: dict[str, Path], scene: Sample, quality: int) -> None:
    assert scene.boxes is not None
    assert scene.class_ids is not None
    assert scene.masks is not None
    assert scene.drivable is not None
    assert scene.lanes is not None
    instances = np.zeros(scene.image.shape[:2], np.uint8)
    for number, mask in enumerate(scene.masks, start=1):
        instances[mask] = number
    write_image(paths["instances"], instances)
    write_image(paths["drivable"], scene.drivable * 255)
    write_image(paths["lanes"], scene.lanes * 255)
    boxes = {"boxes": scene.boxes.tolist(), "class_ids": scene.class_ids.tolist(), "source": scene.source}
    write_text_atomic(paths["boxes"], json.dumps(boxes) + "\n")
    write_image(paths["image"], scene.image, quality)


class SyntheticDataset:
    """Reads one split of generated scenes; the layout is described in docs/data.md.

    Args:
        root: Folder that `write_dataset` wrote.
        split: Name of the split.

    Raises:
        YolopError: There is no such split.
    """

    def __init__(self, root: str | Path, split: str) -> None:
        self.root, self.split = Path(root), split
        self.names = CLASS_NAMES
        folder = self.root / "images" / split
        if not folder.is_dir():
            raise YolopError(f"No generated scenes in {folder}: give the folder that holds 'images' and a split it has")
        self.ids = sorted(path.stem for path in folder.glob("*.jpg"))

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Sample:
        """Reads one frame with all its labels.

        Raises:
            YolopError: A file of the frame is missing or damaged; the message names it.
        """
        name = self.ids[index]
        paths = _paths(self.root, self.split, name)
        boxes, class_ids = _read_boxes(paths["boxes"])
        try:
            image = read_image(paths["image"])
            planes = {plane: read_plane(paths[plane], image) for plane in ("instances", "drivable", "lanes")}
        except YolopError as error:
            raise YolopError(f"{error} Delete the frame's files and render it again.") from None
        numbers = np.arange(1, len(boxes) + 1, dtype=np.uint8)
        return Sample(
            image=image,
            boxes=boxes,
            class_ids=class_ids,
            drivable=(planes["drivable"] > 127).astype(np.uint8),
            lanes=(planes["lanes"] > 127).astype(np.uint8),
            masks=planes["instances"][None] == numbers[:, None, None],
            source=f"{self.split}/{name}",
            path=paths["image"],
        )


def _read_boxes(path: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    try:
        labels = json.loads(path.read_text())
        boxes = np.array(labels["boxes"], np.float32).reshape(-1, 4)
        class_ids = np.array(labels["class_ids"], np.int64).reshape(-1)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise YolopError(f"Cannot read {path}: {error!r}; delete the frame's files and render it again") from None
    if len(boxes) != len(class_ids):
        raise YolopError(f"{path} has {len(boxes)} boxes but {len(class_ids)} class ids: render this frame again")
    if not np.isfinite(boxes).all() or not np.isin(class_ids, list(CLASS_NAMES)).all():
        raise YolopError(f"{path} has a box or a class id out of range: render this frame again")
    return boxes, class_ids

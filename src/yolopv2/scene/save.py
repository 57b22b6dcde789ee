"""Writing a scene to files: annotated picture, JSON, COCO results, YOLO txt, mask pictures, COCO panoptic."""

import itertools
import json
import os
import re
import threading
import weakref
from collections.abc import Callable, Collection
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import YolopError
from yolopv2.files import encode_image, write_bytes_atomic
from yolopv2.geometry.boxes import clip_boxes, xyxy_to_cxcywh
from yolopv2.scene.panoptic import categories
from yolopv2.scene.schema import shortest

if TYPE_CHECKING:
    from yolopv2.scene.scene import Scene

_MAX_STEM_BYTES = 180
_owners: dict[tuple[Path, str], object] = {}
"""The source that has each name in each folder, so that ``a/1.jpg`` and ``b/1.jpg`` do not overwrite each other."""
_owners_lock = threading.Lock()


def save_scene(
    scene: "Scene", folder: str | os.PathLike[str], formats: Collection[str], name: str | None
) -> list[Path]:
    """Write a scene in several formats; see `Scene.save`."""
    formats = (formats,) if isinstance(formats, str) else formats
    unknown = [kind for kind in formats if kind not in _WRITERS]
    if unknown:
        raise YolopError(f"cannot save as {unknown[0]!r}; the formats are {', '.join(_WRITERS)}")
    if name is None:
        name = scene_name(scene, folder)
    elif name in {"", ".", ".."} or re.search(r"[/\\\0]", name):
        raise YolopError(f"{name!r} is no name for a file: give it without folders")
    written = []
    for kind in formats:
        for suffix, content in _WRITERS[kind](scene, name).items():
            path = Path(folder) / f"{name}{suffix}"
            write_bytes_atomic(path, content)
            written.append(path)
    return written


def scene_name(scene: "Scene", folder: str | os.PathLike[str]) -> str:
    """A stem for the files of a scene: that of its source, made unique in the folder, and for videos the frame number.

    Asking again for a frame of the same source gives the same name, in one process; so does a second run over the
    same sources in the same order, which therefore replaces its own files.
    """
    owner = weakref.ref(scene) if scene.source is None else scene.source
    frame = f"_{scene.index:06d}" if scene.time is not None or scene.index > 0 else ""
    place, stem = Path(folder).absolute(), _source_stem(scene.source)
    with _owners_lock:
        for number in itertools.count(1):
            candidate = stem if number == 1 else f"{stem}-{number}"
            # The frame's name too: drive_000042.jpg may lie beside drive.mp4.
            keys = ((place, name.casefold()) for name in (candidate, candidate + frame))
            if all(_owners.setdefault(key, owner) == owner for key in keys):
                break
    return candidate + frame


def forget_names(folder: str | os.PathLike[str]) -> None:
    """Forgets which names `scene_name` gave in a folder and below, once its files are gone."""
    gone = Path(folder).absolute()
    with _owners_lock:
        for place, name in [key for key in _owners if key[0].is_relative_to(gone)]:
            del _owners[place, name]


def coco_results(scene: "Scene", image_id: str | int, file_name: str) -> list[dict[str, Any]]:
    """The vehicles as COCO results, with instance masks where there are some.

    Args:
        scene: The scene.
        image_id: The image's id in the data set the results belong to.
        file_name: The image's file name.

    Returns:
        ``{"image_id", "file_name", "category_id", "bbox": [x, y, width, height], "score"}`` each, and
        ``"segmentation"`` in compressed run-length encoding; ``category_id`` is the class id, counted from 0.
    """
    vehicles = scene.vehicles
    results: list[dict[str, Any]] = []
    for row in range(len(vehicles)):
        x1, y1, x2, y2 = vehicles.xyxy[row]
        results.append(
            {
                "image_id": image_id,
                "file_name": file_name,
                "category_id": int(vehicles.class_id[row]),
                "bbox": [shortest(value) for value in (x1, y1, x2 - x1, y2 - y1)],
                "score": shortest(vehicles.confidence[row]),
            }
        )
        if vehicles.instances is not None:
            results[-1]["segmentation"] = vehicles.instances.rle(row)
    return results


def yolo_lines(scene: "Scene") -> list[str]:
    """The vehicles as lines of a YOLO txt: ``class cx cy w h confidence``, lengths as parts of the frame's."""
    boxes = xyxy_to_cxcywh(clip_boxes(scene.vehicles.xyxy, scene.height, scene.width))
    boxes /= np.array([scene.width, scene.height] * 2, np.float32)
    rows = zip(scene.vehicles.class_id, boxes, scene.vehicles.confidence, strict=True)
    return [f"{class_id} " + " ".join(f"{value:.6f}" for value in (*box, score)) for class_id, box, score in rows]


def panoptic_picture(ids: NDArray[np.int32]) -> NDArray[np.uint8]:
    """A panoptic map as COCO stores it: uint8 ``[H, W, 3]`` RGB with ``id = R + 256 G + 65536 B``."""
    return np.stack([ids & 255, (ids >> 8) & 255, (ids >> 16) & 255], axis=-1).astype(np.uint8)


def _image_files(scene: "Scene", name: str) -> dict[str, bytes]:
    return {".jpg": encode_image(scene.draw(), ".jpg")}


def _json_files(scene: "Scene", name: str) -> dict[str, bytes]:
    return {".json": scene.to_json().encode() + b"\n"}


def _coco_files(scene: "Scene", name: str) -> dict[str, bytes]:
    return {"_coco.json": _json_bytes(coco_results(scene, *image_identity(scene, name)))}


def _yolo_files(scene: "Scene", name: str) -> dict[str, bytes]:
    return {".txt": "".join(f"{line}\n" for line in yolo_lines(scene)).encode()}


def _mask_files(scene: "Scene", name: str) -> dict[str, bytes]:
    masks = {"_drivable.png": scene.drivable, "_lanes.png": scene.lanes}
    return {
        suffix: encode_image(mask.astype(np.uint8) * np.uint8(255), ".png")
        for suffix, mask in masks.items()
        if mask is not None
    }


def _panoptic_files(scene: "Scene", name: str) -> dict[str, bytes]:
    ids, segments = scene.panoptic()
    image_id, _ = image_identity(scene, name)
    annotation = {
        "image_id": image_id,
        "file_name": f"{name}_panoptic.png",
        "segments_info": segments,
        "categories": categories(scene.names),
    }
    return {
        "_panoptic.png": encode_image(panoptic_picture(ids), ".png"),
        "_panoptic.json": _json_bytes(annotation),
    }


_WRITERS: dict[str, Callable[["Scene", str], dict[str, bytes]]] = {
    "image": _image_files,
    "json": _json_files,
    "coco": _coco_files,
    "yolo": _yolo_files,
    "masks": _mask_files,
    "panoptic": _panoptic_files,
}


def image_identity(scene: "Scene", name: str) -> tuple[str | int, str]:
    """COCO's image id, a number where the name is one as in COCO itself, and the file name."""
    image_id = int(name) if name.isascii() and name.isdigit() else name
    return image_id, name if scene.source is None else _path_part(scene.source).name


def _path_part(source: str) -> PurePosixPath:
    """The path in a source, which may be a file, an address with a query, or the number of a camera."""
    path = unquote(urlsplit(source).path) if "://" in source else source
    return PurePosixPath(path.replace("\\", "/"))


def _source_stem(source: str | None) -> str:
    """A file name for a source, without what file systems may refuse."""
    stem = "" if source is None else re.sub(r"[^\w.-]+", "_", _path_part(source).stem).strip("._")
    return stem.encode()[:_MAX_STEM_BYTES].decode(errors="ignore") or "scene"


def _json_bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode() + b"\n"

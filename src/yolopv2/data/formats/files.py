"""Reading the files of a data set; each error names the file."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2 import media
from yolopv2.data.sample import IGNORE
from yolopv2.errors import YolopError
from yolopv2.media import Unreadable
from yolopv2.media.images import Picture

_IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
_GREY_IGNORE = 127


def images_in(folder: Path) -> dict[str, Path]:
    """The pictures of a folder by their name without suffix, in order.

    Raises:
        YolopError: There is no such folder, or two pictures share a name and so their labels.
    """
    if not folder.is_dir():
        raise YolopError(f"There is no folder {folder}: give the root that holds it, and a split it has.")
    images: dict[str, Path] = {}
    for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in _IMAGE_SUFFIXES):
        if path.stem in images:
            raise YolopError(f"{path} and {images[path.stem].name} share one name and so their labels: rename one.")
        images[path.stem] = path
    return images


def first_existing(paths: Iterable[Path]) -> Path | None:
    """The first of several places that exists."""
    return next((path for path in paths if path.exists()), None)


def read_image(path: Path) -> NDArray[np.uint8]:
    """A picture as uint8 RGB ``[H, W, 3]``.

    Raises:
        YolopError: It is missing, damaged or cut short.
    """
    return _read_picture(path).image


def read_plane(path: Path, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture of labels as uint8 ``[H, W]``; colours become grey.

    Args:
        path: The file.
        image: The frame it labels.

    Raises:
        YolopError: It is missing or damaged, of another size than its frame, or its values cannot be kept in 8 bits.
    """
    picture = _read_picture(path)
    if picture.remarks:
        raise YolopError(f"{path} cannot be read as labels: {'; '.join(picture.remarks)}.")
    plane = cv2.cvtColor(picture.image, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    if plane.shape != image.shape[:2]:
        (height, width), (rows, columns) = plane.shape, image.shape[:2]
        raise YolopError(f"{path} is {width}x{height}, but its image is {columns}x{rows}: labels must have its size.")
    return plane


def read_mask(path: Path | None, image: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """A mask of 0, 1 and `IGNORE` from a picture of 0 (no), 127 (ignore) and anything else (yes).

    Returns:
        uint8 ``[H, W]``; None when there is no file.

    Raises:
        YolopError: As `read_plane`.
    """
    if path is None or not path.exists():
        return None
    plane = read_plane(path, image)
    mask = (plane > 0).astype(np.uint8)
    mask[plane == _GREY_IGNORE] = IGNORE
    return mask


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        YolopError: It is missing or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise YolopError(f"Labels not found: {path}. Give the root that holds it, and a split it has.") from None
    except (OSError, ValueError) as error:
        raise YolopError(f"{path} cannot be read as JSON: {error}.") from None


def _read_picture(path: Path) -> Picture:
    if not path.is_file():
        raise YolopError(f"There is no {path}.")
    try:
        return media.read_image(path)
    except Unreadable as error:
        raise YolopError(f"Cannot read {path}: {error}.") from None

"""List what a caller's source stands for: files, the files of folders and patterns, addresses, cameras, arrays."""

import glob
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from yolopv2.errors import YolopError
from yolopv2.media.arrays import is_pil_image
from yolopv2.media.headers import is_image
from yolopv2.media.remote import SCHEMES, public_name, url_path

IMAGE_SUFFIXES = frozenset(
    "jpg jpeg jpe jfif png webp tif tiff bmp dib gif ppm pgm pbm pnm heic heif avif".split()  # noqa: SIM905 - dense
)
"""Files taken for stills; HEIC and AVIF among them so that they are named, though they cannot be read."""

VIDEO_SUFFIXES = frozenset(
    "mp4 m4v mov mkv webm avi ts mts m2ts mpg mpeg flv wmv asf ogv 3gp 3g2 mxf ivf dv y4m"  # noqa: SIM905 - dense
    " h264 h265 hevc mjpeg mjpg".split()
)
"""Files taken for videos."""


class Item(NamedTuple):
    """One thing to read.

    Attributes:
        kind: How it is to be read; ``problem`` if it cannot be.
        name: How frames and problems call it.
        value: Path, address, camera number, array or picture; for a problem, the message.
    """

    kind: Literal["image", "video", "image_url", "stream", "camera", "array", "pil", "problem"]
    name: str
    value: Any


def is_several(source: Any) -> bool:
    """Whether a source names several inputs, as a list, a folder or a pattern does; it need not exist.

    Example:
        >>> is_several("drives/*.mp4"), is_several("drive.mp4")
        (True, False)
    """
    if isinstance(source, list | tuple):
        return True
    if not isinstance(source, str | os.PathLike) or "://" in os.fspath(source):
        return False
    return os.path.isdir(source) or (glob.has_magic(os.fspath(source)) and not os.path.lexists(source))


def list_items(source: Any) -> list[Item]:
    """List what a source stands for, in reading order.

    Args:
        source: A path, pattern, address, camera number, array, PIL picture, or a list or tuple of such.

    Returns:
        At least one item that may be readable, among items of kind ``problem`` for what surely is not.

    Raises:
        YolopError: If nothing at all can be read: the source does not exist, or a folder or pattern holds no
            image or video, or its type is unknown.
    """
    items = _expand(source)
    if any(item.kind != "problem" for item in items):
        return items
    if not items:
        raise YolopError("no input was given: name an image, video, folder, pattern, address or camera")
    raise YolopError("\n".join(f"{item.name}: {item.value}" for item in items))


def _expand(source: Any) -> list[Item]:
    flat = list(_flatten(source))
    items: list[Item] = []
    for number, value in enumerate(flat):
        if isinstance(value, str | os.PathLike):
            items += _expand_text(os.fspath(value))
        elif isinstance(value, int | np.integer) and not isinstance(value, bool):
            items.append(_camera(int(value)))
        elif isinstance(value, np.ndarray):
            items.append(Item("array", f"array-{number}", value))
        elif is_pil_image(value):
            items.append(Item("pil", _printable(getattr(value, "filename", "")) or f"image-{number}", value))
        else:
            raise YolopError(
                f"a source of type {type(value).__name__} cannot be read: give a path, pattern, address, camera "
                "number, numpy array, PIL picture, or a list of these"
            )
    return items


def _flatten(source: Any) -> Iterator[Any]:
    if isinstance(source, list | tuple):
        for part in source:
            yield from _flatten(part)
    else:
        yield source


def _camera(number: int) -> Item:
    return Item("camera", f"camera-{number}", number)


def _expand_text(text: str | bytes) -> list[Item]:
    text = os.fsdecode(text)
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", text):
        return [_url(text)]
    if os.path.isdir(text):
        return _folder(text)
    if os.path.lexists(text):
        return [_file(text)]
    if re.fullmatch(r"[0-9]{1,3}", text):
        return [_camera(int(text))]
    if glob.has_magic(text):
        return _pattern(text)
    return [Item("problem", _printable(text), "it does not exist: check the path")]


def _url(url: str) -> Item:
    scheme = url.split("://")[0].lower()
    if scheme not in SCHEMES:
        return Item("problem", public_name(url), f"{scheme}:// is not supported: give a path or {', '.join(SCHEMES)}")
    is_picture = scheme in ("http", "https") and _suffix(url_path(url)) in IMAGE_SUFFIXES
    return Item("image_url" if is_picture else "stream", public_name(url), url)


def _file(path: str) -> Item:
    suffix = _suffix(path)
    if suffix in VIDEO_SUFFIXES:
        return Item("video", _printable(path), path)
    if suffix in IMAGE_SUFFIXES or _starts_like_image(path):
        return Item("image", _printable(path), path)
    return Item("video", _printable(path), path)


def _starts_like_image(path: str) -> bool:
    try:
        if not os.path.isfile(path):  # opening a pipe would wait for its other end
            return False
        with open(path, "rb") as file:
            return is_image(file.read(64))
    except OSError:
        return False


def _folder(folder: str) -> list[Item]:
    problems: list[Item] = []

    def unreadable(error: OSError) -> None:
        problems.append(Item("problem", _printable(error.filename), f"it cannot be read: {error.strerror}"))

    paths: list[str] = []
    for root, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths += [os.path.join(root, name) for name in folders + files if not name.startswith(".")]
    items = problems + _media(paths)
    return items or [Item("problem", _printable(folder), "the folder holds no image or video")]


def _pattern(pattern: str) -> list[Item]:
    paths = glob.glob(pattern, recursive=True)
    missing = f"{len(paths)} files match, but none is an image or video" if paths else "nothing matches this pattern"
    return _media(paths) or [Item("problem", _printable(pattern), missing)]


def _media(paths: Iterable[str]) -> list[Item]:
    """The images and videos among paths, by their suffix and in natural order; folders named so are problems."""
    items = []
    for path in sorted(paths, key=_natural):
        if _suffix(path) in IMAGE_SUFFIXES | VIDEO_SUFFIXES:
            is_folder = os.path.isdir(path)
            items.append(
                Item("problem", _printable(path), "it is a folder named like a file") if is_folder else _file(path)
            )
    return items


def _natural(path: str) -> tuple[list[list[str | int]], str]:
    """Sort key: numbers in names by value, so that 9.jpg comes before 10.jpg."""
    parts = re.split(r"[/\\]" if os.sep == "\\" else "/", path.casefold())
    return [[int(word) if word.isdecimal() else word for word in re.split(r"(\d+)", part)] for part in parts], path


def _suffix(path: str) -> str:
    return Path(path).suffix.lower().removeprefix(".")


def _printable(path: Any) -> str:
    """A path as text that can be printed and stored even when its bytes are no valid UTF-8."""
    return os.fsdecode(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace") if path else ""

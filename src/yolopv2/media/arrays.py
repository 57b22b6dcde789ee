"""Bring arrays and PIL pictures that a caller holds in memory into the one form of a frame: uint8 RGB."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolopv2.media.frame import Unreadable, check_size
from yolopv2.media.images import upright


def array_to_rgb(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Bring an array into the form of a frame.

    Args:
        array: ``[H, W]`` or ``[H, W, 1]`` grey, ``[H, W, 3]`` RGB or ``[H, W, 4]`` RGBA, whose alpha is dropped; of
            uint8, of uint16 (the high byte is kept), or floating point from 0 to 1.

    Returns:
        uint8 ``[H, W, 3]``, RGB, contiguous; the same memory when the array had this form.

    Raises:
        Unreadable: If the array is empty, too small or large, or of another shape, type or range.

    Example:
        >>> array_to_rgb(np.full((8, 8), 0.5)).shape
        (8, 8, 3)
    """
    grey = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 1)
    if array.size == 0:
        raise Unreadable(f"the array is empty (shape {array.shape})")
    if not grey and not (array.ndim == 3 and array.shape[2] in (3, 4)):
        raise Unreadable(f"shape {array.shape} is not [H, W], [H, W, 1], [H, W, 3] or [H, W, 4]{_shape_hint(array)}")
    check_size(array.shape[1], array.shape[0])
    image = _to_uint8(array)
    if grey:
        return np.repeat(image.reshape(*image.shape[:2], 1), 3, axis=2)
    return np.ascontiguousarray(image[..., :3])


def _shape_hint(array: NDArray[Any]) -> str:
    if array.ndim == 4:
        return ": give the frames of a batch as a list"
    if array.ndim == 3 and array.shape[0] in (1, 3, 4):
        return ": move the channels to the end, array.transpose(1, 2, 0)"
    return ""


def _to_uint8(array: NDArray[Any]) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.uint16:
        return (array >> 8).astype(np.uint8)
    if np.issubdtype(array.dtype, np.floating):
        low, high = float(array.min()), float(array.max())
        if not (low >= 0 and high <= 1):  # NaN fails too
            raise Unreadable(f"floating-point values must lie from 0 to 1, not {low:.4g} to {high:.4g}")
        return np.rint(array * 255).astype(np.uint8)
    raise Unreadable(f"values of type {array.dtype} are not uint8, uint16 or floating point from 0 to 1")


def is_pil_image(value: object) -> bool:
    """Whether a value looks like a ``PIL.Image.Image``; PIL itself is not needed.

    Args:
        value: Anything.

    Returns:
        True if it has a PIL picture's methods.
    """
    return all(hasattr(value, name) for name in ("convert", "getexif", "mode", "size"))


def pil_to_rgb(picture: Any) -> NDArray[np.uint8]:
    """Bring a PIL picture of any mode into the form of a frame, its EXIF orientation applied.

    Args:
        picture: A ``PIL.Image.Image``; its alpha channel is dropped.

    Returns:
        uint8 ``[H, W, 3]``, RGB, contiguous.

    Raises:
        Unreadable: If it is animated, too small or large, or its file cannot be decoded.
    """
    check_size(*picture.size)
    if getattr(picture, "is_animated", False):
        raise Unreadable("it is an animated picture: convert it to a video or extract its pictures first")
    try:
        if picture.mode == "F" or picture.mode.startswith("I"):  # convert() would clip these to 0..255
            array = np.asarray(picture)
            if array.dtype == np.int32 and array.min() >= 0 and array.max() < 1 << 16:
                array = array.astype(np.uint16)
        else:
            array = np.asarray(picture.convert("RGB"))
        orientation = picture.getexif().get(0x0112, 1)
    except (OSError, SyntaxError, ValueError) as error:  # PIL decodes late, and raises all of these
        raise Unreadable(f"the picture cannot be decoded: {error}") from None
    return upright(array_to_rgb(array), orientation)

"""Masks: outlines as polygons, COCO run-length encoding, areas and extents.

A mask is bool ``[H, W]``. In run-length encoding it is read column by column, and ``counts`` holds the lengths of the
runs of zeros and ones in turn, beginning with zeros. COCO writes the counts as a list (uncompressed) or packed into a
string of printable characters (compressed); see ``common/maskApi.c`` of the COCO API for that format.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import YolopError

MAX_MASK_PIXELS = 2**28
"""Larger masks (16384 x 16384) are refused on reading: ten characters can claim to be a mask of a terabyte."""

_TOLERANCE = 0.001
_MIN_POLYGON_AREA = 0.0002

_DIGIT_BITS = 5
_CONTINUES = 0x20
_NEGATIVE = 0x10
_FIRST_CHARACTER = 48
_MAX_DIGITS = 7
"""Seven digits of five bits hold any difference of two counts below 2**33."""


def mask_area(mask: NDArray[np.bool_]) -> int:
    """Number of set pixels of a mask ``[H, W]``."""
    return int(np.count_nonzero(mask))


def as_bytes(mask: NDArray[np.generic]) -> NDArray[np.uint8]:
    """A mask ``[H, W]`` of any type as OpenCV takes it: 1 where it is nonzero; one of bool is not copied.

    Example:
        >>> as_bytes(np.array([[0.5, 0.0]])).tolist()
        [[1, 0]]
    """
    mask = np.ascontiguousarray(mask)
    return (mask if mask.dtype == np.bool_ else mask != 0).view(np.uint8)


def mask_box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Extent of the set pixels of a mask ``[H, W]`` as ``x y width height``; all zero when none is set.

    Example:
        >>> mask_box(np.array([[0, 0, 0], [0, 1, 1]], bool))
        (1, 1, 2, 1)
    """
    x, y, width, height = cv2.boundingRect(np.ascontiguousarray(mask, np.bool_).view(np.uint8))
    return int(x), int(y), int(width), int(height)


def polygons(mask: NDArray[np.bool_]) -> list[NDArray[np.float32]]:
    """Outlines of the connected areas of a mask.

    Only outer outlines are given: holes within an area are covered by its polygon. Outlines are simplified to within
    0.1 % of the mask's long side (at least a pixel), and areas smaller than 0.02 % of the mask are dropped.

    Args:
        mask: bool or uint8 ``[H, W]``, nonzero where set.

    Returns:
        One float32 ``[k, 2]`` of ``x y`` per area, largest first, through the centres of its border pixels, in pixels
        of the mask (the centre of the first pixel is at 0.5 0.5).

    Example:
        >>> mask = np.zeros((100, 100), bool)
        >>> mask[10:20, 30:50] = True
        >>> [polygon.tolist() for polygon in polygons(mask)]
        [[[30.5, 10.5], [30.5, 19.5], [49.5, 19.5], [49.5, 10.5]]]
    """
    pixels = as_bytes(mask)
    contours, _ = cv2.findContours(pixels, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    tolerance = max(1.0, _TOLERANCE * max(pixels.shape))
    outlines = []
    for contour in contours:
        simple = cv2.approxPolyDP(contour, tolerance, closed=True)
        area = cv2.contourArea(simple)
        if len(simple) >= 3 and area >= _MIN_POLYGON_AREA * pixels.size:
            outlines.append((area, simple[:, 0].astype(np.float32) + np.float32(0.5)))
    return [polygon for _, polygon in sorted(outlines, key=lambda outline: -outline[0])]


def rle_encode(mask: NDArray[np.bool_], compressed: bool = True) -> dict[str, Any]:
    """Encode a mask as COCO does.

    Args:
        mask: bool ``[H, W]``.
        compressed: Pack the counts into a string, as in COCO results, instead of a list of integers.

    Returns:
        ``{"size": [H, W], "counts": str or list}``, plain JSON types.

    Example:
        >>> rle_encode(np.array([[0, 1], [1, 1]], bool), compressed=False)
        {'size': [2, 2], 'counts': [1, 3]}
        >>> rle_encode(np.array([[0, 1], [1, 1]], bool))
        {'size': [2, 2], 'counts': '13'}
    """
    height, width = mask.shape
    return rle_encode_part(mask, 0, 0, height, width, compressed)


def rle_encode_part(
    part: NDArray[np.bool_], x: int, y: int, height: int, width: int, compressed: bool = True
) -> dict[str, Any]:
    """Encode a mask of which only a part is given; outside of it no pixel is set.

    Args:
        part: bool ``[h, w]``.
        x: Column of its first pixel.
        y: Row of its first pixel.
        height: Of the whole mask.
        width: Of the whole mask.
        compressed: As for `rle_encode`.

    Example:
        >>> rle_encode_part(np.ones((1, 2), bool), 1, 0, 2, 4, compressed=False)
        {'size': [2, 4], 'counts': [2, 1, 1, 1, 3]}
    """
    borders = _borders(np.ascontiguousarray(part, np.bool_), x, y, height)
    counts = np.diff(borders, prepend=0, append=height * width)
    if len(counts) > 1 and counts[-1] == 0:
        counts = counts[:-1]
    return {"size": [height, width], "counts": _pack(counts) if compressed else counts.tolist()}


def rle_decode(rle: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Decode a mask from COCO's run-length encoding.

    Args:
        rle: ``{"size": [H, W], "counts": str or list}``.

    Returns:
        bool ``[H, W]``.

    Raises:
        YolopError: It is no such mapping, a count is no count, the counts do not add up to the size, or the size is
            above `MAX_MASK_PIXELS`.

    Example:
        >>> rle_decode({"size": [2, 2], "counts": [1, 3]}).astype(int).tolist()
        [[0, 1], [1, 1]]
    """
    height, width = rle_size(rle)
    counts = _rle_counts(rle)
    if int(counts.sum()) != height * width:
        raise YolopError(
            f"mask: the counts add up to {int(counts.sum())} pixels, {height}x{width} are {height * width}"
        )
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return np.ascontiguousarray(flat.reshape(width, height).T)


def rle_area(rle: Mapping[str, Any]) -> int:
    """Number of set pixels of an encoded mask, without decoding it.

    Raises:
        YolopError: As `rle_decode`.
    """
    rle_size(rle)
    return int(_rle_counts(rle)[1::2].sum())


def rle_size(rle: Mapping[str, Any]) -> tuple[int, int]:
    """Height and width an encoded mask claims, checked without decoding anything.

    Raises:
        YolopError: There is no size of two positive integers, or it is above `MAX_MASK_PIXELS`.
    """
    size = rle.get("size") if isinstance(rle, Mapping) else None
    is_pair = isinstance(size, Sequence) and len(size) == 2 and all(type(side) is int and side > 0 for side in size)
    if not is_pair:
        raise YolopError(f"mask: expected run-length encoding with a size of [height, width], got {_short(rle)}")
    height, width = size  # type: ignore[misc]
    if height * width > MAX_MASK_PIXELS:
        raise YolopError(f"mask: {height}x{width} pixels are more than the {MAX_MASK_PIXELS} this program reads")
    return height, width


def _borders(part: NDArray[np.bool_], x: int, y: int, height: int) -> NDArray[np.int64]:
    """Where, column by column through the whole mask, runs of ones begin and end in turn."""
    rows, columns = part.shape
    # OpenCV transposes block by block, several times as quickly as numpy copies columns.
    pixels = cv2.transpose(part.view(np.uint8)) if part.size else np.zeros((columns, rows), np.uint8)
    whole_columns = rows == height
    if not whole_columns:  # a row of zeros below ends the runs of every column
        transposed, pixels = pixels, np.zeros((columns, rows + 1), np.uint8)
        pixels[:, :rows] = transposed
    flat = pixels.ravel()
    borders = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    if flat.size and (flat[0] or flat[-1]):
        borders = np.concatenate([[0] * int(flat[0]), borders, [flat.size] * int(flat[-1])]).astype(np.int64)
    if not whole_columns:
        column, row = np.divmod(borders, rows + 1)
        borders = column * height + row + y
    return borders + x * height


def _rle_counts(rle: Mapping[str, Any]) -> NDArray[np.int64]:
    """The run lengths of an encoded mask, whichever way they are written."""
    counts = rle.get("counts")
    if isinstance(counts, bytes):
        counts = counts.decode("ascii", "replace")
    if isinstance(counts, str):
        values = _unpack(counts)
    elif isinstance(counts, list) and all(type(count) is int and abs(count) < 2**62 for count in counts):
        values = np.array(counts, np.int64)
    else:
        raise YolopError(f"mask: expected counts as a list of integers or a string, got {_short(counts)}")
    if ((values < 0) | (values > MAX_MASK_PIXELS)).any():
        raise YolopError("mask: the counts contain a run that no mask can have")
    return values


def _pack(counts: NDArray[np.int64]) -> str:
    """Pack run lengths as COCO does: differences to the last but one, in digits of five bits, lowest first."""
    differences = counts.astype(np.int32)  # a mask has fewer pixels than 2**31
    differences[3:] -= counts[1:-2]
    magnitude = differences ^ (differences >> 31)
    # As many digits as leave room for the sign: -2**(5k - 1) <= difference < 2**(5k - 1).
    most = int(magnitude.max()).bit_length() // _DIGIT_BITS + 1
    characters = np.empty((len(counts), most), np.uint8)
    used = np.ones((len(counts), most), bool)
    for digit in range(most):
        continues = magnitude >= 1 << (_DIGIT_BITS * (digit + 1) - 1)
        characters[:, digit] = (differences & 0x1F) + _FIRST_CHARACTER + _CONTINUES * continues
        used[:, digit + 1 :] = continues[:, None]
        differences >>= _DIGIT_BITS
    return characters[used].tobytes().decode("ascii")


def _unpack(packed: str) -> NDArray[np.int64]:
    """The run lengths in a string made by `_pack`."""
    codes = np.frombuffer(packed.encode("utf-8"), np.uint8).astype(np.int64) - _FIRST_CHARACTER
    if len(codes) == 0:
        return codes
    ends = np.flatnonzero(codes & _CONTINUES == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if codes.min() < 0 or codes.max() >= 64 or ends.size == 0 or ends[-1] != len(codes) - 1:
        raise YolopError(f"mask: the counts {_short(packed)} are not in COCO's compressed form")
    if lengths.max() > _MAX_DIGITS:
        raise YolopError("mask: the counts contain a run longer than any mask")
    position = np.arange(len(codes)) - np.repeat(starts, lengths)
    values = np.add.reduceat((codes & 0x1F) << (_DIGIT_BITS * position), starts)
    values -= np.where(codes[ends] & _NEGATIVE, 1 << (_DIGIT_BITS * lengths), 0)
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values


def _short(value: object) -> str:
    """A value as it may stand in a message."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."

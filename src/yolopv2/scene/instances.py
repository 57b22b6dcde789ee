"""Instance masks: which pixels of the frame each vehicle takes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolopv2.geometry.masks import mask_box, rle_encode_part

Region = tuple[slice, slice]


@dataclass(frozen=True, eq=False)
class InstanceMasks:
    """One mask per vehicle, each kept as the part of the frame it lies in: three hundred whole ones fill 276 MB at 720p.

    Attributes:
        height: Height of the frame in pixels.
        width: Width of the frame in pixels.
        corners: For each mask column and row of its part's first pixel.
        parts: For each mask bool ``[h, w]``; outside of it no pixel is set.

    Example:
        >>> whole = np.zeros((1, 4, 6), bool)
        >>> whole[0, 1:3, 2:5] = True
        >>> masks = InstanceMasks.of(whole)
        >>> masks.corners, masks.parts[0].shape, (masks.whole() == whole).all().item()
        (((2, 1),), (2, 3), True)
    """

    height: int
    width: int
    corners: tuple[tuple[int, int], ...]
    parts: tuple[NDArray[np.bool_], ...]

    @classmethod
    def of(cls, whole: NDArray[np.bool_]) -> "InstanceMasks":
        """From bool ``[n, H, W]``."""
        boxes = [mask_box(mask) for mask in whole]
        parts = (mask[y : y + h, x : x + w].copy() for mask, (x, y, w, h) in zip(whole, boxes, strict=True))
        return cls(*whole.shape[1:], tuple((x, y) for x, y, _, _ in boxes), tuple(parts))

    def __len__(self) -> int:
        return len(self.parts)

    def __iter__(self) -> Iterator[tuple[Region, NDArray[np.bool_]]]:
        """For each mask rows and columns of its part, and the part."""
        for (x, y), part in zip(self.corners, self.parts, strict=True):
            yield (slice(y, y + part.shape[0]), slice(x, x + part.shape[1])), part

    def pick(self, rows: Sequence[int]) -> "InstanceMasks":
        """The masks of some vehicles."""
        chosen = tuple(self.corners[row] for row in rows), tuple(self.parts[row] for row in rows)
        return InstanceMasks(self.height, self.width, *chosen)

    def whole(self) -> NDArray[np.bool_]:
        """bool ``[n, H, W]``."""
        masks = np.zeros((len(self), self.height, self.width), bool)
        for mask, (region, part) in zip(masks, self, strict=True):
            mask[region] = part
        return masks

    def rle(self, row: int) -> dict[str, Any]:
        """One mask in COCO's compressed run-length encoding."""
        return rle_encode_part(self.parts[row], *self.corners[row], self.height, self.width)

"""Letterbox: a frame of any size placed, in proportion and centred, on the canvas the network looks at; and back."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import YolopError

PADDING = 114
"""Grey value around the frame on the canvas, the one the network was trained with."""


@dataclass(frozen=True)
class Letterbox:
    """Where a frame lies on its canvas; all lengths in pixels.

    Coordinates are continuous: the frame's left edge is 0 and its right edge ``frame_width``. Each axis is scaled by
    exactly ``scaled / frame``, so that boxes go to the canvas and back without drift even where rounding to whole
    pixels has changed the proportions a little.

    Attributes:
        frame_height: Height of the frame.
        frame_width: Width of the frame.
        canvas_height: Height of the canvas.
        canvas_width: Width of the canvas.
        scaled_height: Height the frame takes on the canvas.
        scaled_width: Width the frame takes on the canvas.
        top: Rows of padding above the frame.
        left: Columns of padding left of the frame.

    Example:
        >>> box = Letterbox.fit(720, 1280)
        >>> (box.canvas_width, box.canvas_height), (box.scaled_width, box.scaled_height), (box.left, box.top)
        ((640, 384), (640, 360), (0, 12))
        >>> box.boxes_to_canvas(np.array([[0, 0, 1280, 720]])).tolist()
        [[0.0, 12.0, 640.0, 372.0]]
    """

    frame_height: int
    frame_width: int
    canvas_height: int
    canvas_width: int
    scaled_height: int
    scaled_width: int
    top: int
    left: int

    @property
    def rows(self) -> slice:
        """The canvas's rows that the frame takes."""
        return slice(self.top, self.top + self.scaled_height)

    @property
    def columns(self) -> slice:
        """The canvas's columns that the frame takes."""
        return slice(self.left, self.left + self.scaled_width)

    @classmethod
    def fit(cls, frame_height: int, frame_width: int, size: int = 640, stride: int = 32) -> "Letterbox":
        """Letterbox onto the smallest canvas with long side ``size`` that the network accepts.

        Args:
            frame_height: Height of the frame.
            frame_width: Width of the frame.
            size: Long side of the canvas, a multiple of ``stride``.
            stride: Both sides of the canvas are multiples of this.

        Raises:
            YolopError: The frame has no pixels or ``size`` is not a positive multiple of ``stride``.
        """
        _require_pixels(frame_height, frame_width)
        if size < stride or size % stride:
            below, above = max(size // stride, 1) * stride, max(size // stride + 1, 1) * stride
            raise YolopError(f"size {size} is not a positive multiple of {stride}; take {below} or {above}")
        short = _scaled_side(min(frame_height, frame_width), size, max(frame_height, frame_width))
        short_canvas = -(-short // stride) * stride
        canvas = (short_canvas, size) if frame_height <= frame_width else (size, short_canvas)
        return cls.into(frame_height, frame_width, *canvas)

    @classmethod
    def into(cls, frame_height: int, frame_width: int, canvas_height: int, canvas_width: int) -> "Letterbox":
        """Letterbox onto a given canvas: the frame as large as it fits, in proportion, centred.

        Raises:
            YolopError: The frame or the canvas has no pixels.
        """
        _require_pixels(frame_height, frame_width)
        _require_pixels(canvas_height, canvas_width)
        by_width = _scaled_side(frame_height, canvas_width, frame_width), canvas_width
        by_height = canvas_height, _scaled_side(frame_width, canvas_height, frame_height)
        scaled_height, scaled_width = max(
            (height, width)
            for height, width in (by_width, by_height)
            if height <= canvas_height and width <= canvas_width
        )
        return cls(
            frame_height,
            frame_width,
            canvas_height,
            canvas_width,
            scaled_height,
            scaled_width,
            top=(canvas_height - scaled_height) // 2,
            left=(canvas_width - scaled_width) // 2,
        )

    @classmethod
    def stretch(cls, frame_height: int, frame_width: int, size: int = 640) -> "Letterbox":
        """No letterbox at all: the frame fills a square canvas, out of proportion, as some tables are measured.

        Raises:
            YolopError: The frame or the canvas has no pixels.
        """
        _require_pixels(frame_height, frame_width)
        _require_pixels(size, size)
        return cls(frame_height, frame_width, size, size, size, size, top=0, left=0)

    def apply(self, image: NDArray[np.uint8], out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        """Scale an image and lay it on the canvas.

        Args:
            image: uint8 ``[frame_height, frame_width, 3]``.
            out: A canvas to write into, for example one slot of a batch; a new one if None.

        Returns:
            The canvas, uint8 ``[canvas_height, canvas_width, 3]``, grey (`PADDING`) around the frame.
        """
        self._require_frame(image)
        # Beyond half size, linear interpolation skips pixels and far vehicles crumble; up to there it is 5x as quick.
        shrink = max(self.frame_height / self.scaled_height, self.frame_width / self.scaled_width)
        return self._place(image, cv2.INTER_AREA if shrink > 2 else cv2.INTER_LINEAR, PADDING, out)

    def apply_mask(self, mask: NDArray[np.generic], padding: int = 0, thin: bool = False) -> NDArray[np.uint8]:
        """Scale a label mask and lay it on the canvas, without inventing values between labels.

        Args:
            mask: uint8 or bool ``[frame_height, frame_width]``.
            padding: Value around the frame.
            thin: Keep thin labels: where the mask shrinks, a pixel takes the largest label it covers instead of the
                nearest one, 255 (ignore) counting as the lowest.

        Returns:
            uint8 ``[canvas_height, canvas_width]``.
        """
        self._require_frame(mask)
        labels = np.asarray(mask).astype(np.uint8, copy=False)
        if thin:
            labels = self._largest_label(labels)
        return self._place(labels, cv2.INTER_NEAREST_EXACT, padding, None)

    def boxes_to_canvas(self, boxes: NDArray[np.floating]) -> NDArray[np.float32]:
        """Move boxes ``x1 y1 x2 y2`` ``[n, 4]`` from frame pixels to canvas pixels, as a new float32 array."""
        scale, offset = self._scale_and_offset()
        return (np.asarray(boxes, np.float64) * scale + offset).astype(np.float32)

    def boxes_to_frame(self, boxes: NDArray[np.floating]) -> NDArray[np.float32]:
        """Move boxes ``x1 y1 x2 y2`` ``[n, 4]`` from canvas pixels to frame pixels, as a new float32 array.

        They are not clipped: see `yolopv2.geometry.boxes.clip_boxes`.
        """
        scale, offset = self._scale_and_offset()
        return ((np.asarray(boxes, np.float64) - offset) / scale).astype(np.float32)

    def mask_to_frame(self, probability: NDArray[np.uint8], threshold: float = 0.5) -> NDArray[np.bool_]:
        """Bring a probability map of the canvas to the frame's own pixels and decide each pixel there.

        Interpolating the probabilities and deciding afterwards gives smooth edges; deciding first would give stairs.

        Args:
            probability: uint8 ``[canvas_height, canvas_width]``, probability times 255.
            threshold: Probability above which a pixel belongs to the mask, in 0 to 1.

        Returns:
            bool ``[frame_height, frame_width]``.
        """
        inside = probability[self.top : self.top + self.scaled_height, self.left : self.left + self.scaled_width]
        frame_size = (self.frame_width, self.frame_height)
        resized = cv2.resize(np.ascontiguousarray(inside), frame_size, interpolation=cv2.INTER_LINEAR)
        decided = cv2.threshold(resized, threshold * 255, 1, cv2.THRESH_BINARY, dst=resized)[1]
        return decided.view(np.bool_)

    def _place(
        self, pixels: NDArray[np.uint8], interpolation: int, padding: int, out: NDArray[np.uint8] | None
    ) -> NDArray[np.uint8]:
        """Resize pixels into their place on the canvas and fill what is around them."""
        if out is None:
            out = np.empty((self.canvas_height, self.canvas_width, *pixels.shape[2:]), np.uint8)
        bottom, right = self.top + self.scaled_height, self.left + self.scaled_width
        out[: self.top], out[bottom:] = padding, padding
        out[self.top : bottom, : self.left], out[self.top : bottom, right:] = padding, padding
        if pixels.shape[:2] == (self.scaled_height, self.scaled_width):
            out[self.top : bottom, self.left : right] = pixels
        else:
            size = (self.scaled_width, self.scaled_height)
            out[self.top : bottom, self.left : right] = cv2.resize(pixels, size, interpolation=interpolation)
        return out

    def _largest_label(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Shrink a label mask to its scaled size; axes that grow are left as they are."""
        ranks = labels + np.uint8(1)  # wraps: 255 becomes the lowest
        for scaled in (self.scaled_height, self.scaled_width):
            length = len(ranks)
            if scaled < length:
                first = np.arange(scaled) * length // scaled
                last = -(-np.arange(1, scaled + 1) * length // scaled) - 1
                largest = ranks[first]
                for step in range(1, int((last - first).max()) + 1):
                    np.maximum(largest, ranks[np.minimum(first + step, last)], out=largest)
                ranks = largest
            ranks = np.ascontiguousarray(ranks.T)  # whole rows are compared many times as quickly as columns
        return ranks - np.uint8(1)

    def _scale_and_offset(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Factors and offsets that take ``x1 y1 x2 y2`` from the frame to the canvas."""
        scale = (self.scaled_width / self.frame_width, self.scaled_height / self.frame_height)
        return np.array(scale * 2, np.float64), np.array((self.left, self.top) * 2, np.float64)

    def _require_frame(self, pixels: NDArray[np.generic]) -> None:
        if pixels.shape[:2] != (self.frame_height, self.frame_width):
            raise ValueError(f"expected {self.frame_height}x{self.frame_width} pixels, got {pixels.shape}")


def _scaled_side(side: int, target: int, limiting: int) -> int:
    """``side`` scaled by ``target / limiting``, rounded to whole pixels, at least one."""
    return max(1, (2 * side * target + limiting) // (2 * limiting))


def _require_pixels(height: int, width: int) -> None:
    if height < 1 or width < 1:
        raise YolopError(f"a frame of {width}x{height} pixels has nothing to look at")

"""Augmentation of a frame, its boxes and its masks together, so that a label and its pixels never part ways."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.data.packed import MAPS, PackedSample

PADDING = 114


@dataclass(frozen=True)
class AugmentConfig:
    """How far frames are varied.

    Attributes:
        zoom: Least and largest size of a frame, where 1 just fits the canvas; what hangs over is cut.
        translate: Shift, as a share of the canvas.
        rotate: Degrees either way.
        mosaic: Share of samples that are made of four frames.
        flip: Share that is mirrored.
        hue, saturation, value: Largest relative change.
        blur: Share that is blurred.
        noise: Share that gets sensor noise.
    """

    zoom: tuple[float, float] = (0.8, 1.8)
    translate: float = 0.1
    rotate: float = 3.0
    mosaic: float = 0.4
    flip: float = 0.5
    hue: float = 0.02
    saturation: float = 0.6
    value: float = 0.5
    blur: float = 0.1
    noise: float = 0.1


def augment(
    draw: Callable[[], PackedSample], height: int, width: int, config: AugmentConfig, rng: np.random.Generator
) -> PackedSample:
    """Makes one training sample.

    Args:
        draw: Gives the next frame: called once, or four times for a mosaic.
        height: Canvas height in pixels.
        width: Canvas width in pixels.
        config: How far to go.
        rng: Source of chance.

    Returns:
        The sample on its canvas. Boxes of which little is left are dropped; `boxes` is None when a frame had none.
    """
    canvas = PackedSample(
        np.full((height, width, 3), PADDING, np.uint8), np.zeros((height, width, len(MAPS)), np.uint8), None
    )
    boxes: list[NDArray[np.float32]] = []
    frames = [draw() for _ in range(4 if rng.random() < config.mosaic else 1)]
    for frame, (x1, y1, x2, y2) in zip(frames, _tiles(len(frames), height, width, rng), strict=True):
        matrix = _random_matrix(frame.image.shape[:2], (x1, y1, x2, y2), len(frames) > 1, config, rng)
        size = (x2 - x1, y2 - y1)
        inside = matrix - np.array([[0, 0, x1], [0, 0, y1]])
        canvas.image[y1:y2, x1:x2] = cv2.warpAffine(frame.image, inside, size, borderValue=(PADDING,) * 3)
        canvas.maps[y1:y2, x1:x2] = cv2.warpAffine(frame.maps, inside, size, borderValue=(0,) * 4)
        if frame.boxes is not None:
            boxes.append(warp_boxes(frame.boxes, matrix, (x1, y1, x2, y2)))
    if len(boxes) == len(frames):
        canvas.boxes = np.concatenate(boxes)
    if rng.random() < config.flip:
        _flip(canvas)
    canvas.image = _photometric(canvas.image, config, rng)
    return canvas


def _tiles(count: int, height: int, width: int, rng: np.random.Generator) -> list[tuple[int, int, int, int]]:
    if count == 1:
        return [(0, 0, width, height)]
    x = int(width * rng.uniform(0.35, 0.65))
    y = int(height * rng.uniform(0.35, 0.65))
    return [(0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height)]


def _random_matrix(
    frame: tuple[int, ...],
    tile: tuple[int, int, int, int],
    mosaic: bool,
    config: AugmentConfig,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Frame to canvas: the frame fits the tile's canvas, then is scaled, turned and shifted by chance."""
    height, width = frame
    x1, y1, x2, y2 = tile
    tile_w, tile_h = x2 - x1, y2 - y1
    fit = max(tile_w / width, tile_h / height) if mosaic else min(tile_w / width, tile_h / height)
    scale = fit * np.exp(rng.uniform(*np.log(config.zoom)))
    if mosaic:
        scale = max(1.4 * scale, fit)  # a tile is always filled, and its frame not too small to see anything
    angle = rng.uniform(-config.rotate, config.rotate)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale).astype(np.float64)
    slack = np.abs(np.array([tile_w - scale * width, tile_h - scale * height])) / 2
    shift = rng.uniform(-1, 1, 2) * (slack + config.translate * np.array([tile_w, tile_h]) * (not mosaic))
    matrix[:, 2] += np.array([(x1 + x2) / 2, (y1 + y2) / 2]) - np.array([width, height]) / 2 + shift
    return matrix


def warp_boxes(
    boxes: NDArray[np.float32], matrix: NDArray[np.float64], tile: tuple[int, int, int, int]
) -> NDArray[np.float32]:
    """Boxes after an affine map, cut at a tile.

    Args:
        boxes: ``[n, 5]``: class, ``x1 y1 x2 y2``.
        matrix: ``[2, 3]``.
        tile: ``x1 y1 x2 y2``.

    Returns:
        ``[m, 5]``: those of which a quarter is left and that are at least two pixels wide and high.
    """
    x1, y1, x2, y2 = boxes[:, 1:].T
    # The four middles of the sides turn to a tighter box than the corners do; for small angles it fits objects better.
    points = np.stack([np.stack([(x1 + x2) / 2, y1]), np.stack([(x1 + x2) / 2, y2]),
                       np.stack([x1, (y1 + y2) / 2]), np.stack([x2, (y1 + y2) / 2])])  # fmt: skip
    moved = np.einsum("ij,pjn->pin", matrix[:, :2], points) + matrix[:, 2][None, :, None]
    low, high = moved.min(0).T, moved.max(0).T
    full = np.prod(high - low, 1)
    low, high = np.clip(low, tile[:2], tile[2:]), np.clip(high, tile[:2], tile[2:])
    side = high - low
    keep = (np.prod(side, 1) > 0.25 * full) & (side.min(1, initial=np.inf) >= 2)
    return np.concatenate([boxes[keep, :1], low[keep], high[keep]], 1).astype(np.float32)


def _flip(sample: PackedSample) -> None:
    sample.image = np.ascontiguousarray(sample.image[:, ::-1])
    sample.maps = np.ascontiguousarray(sample.maps[:, ::-1])
    if sample.boxes is not None:
        sample.boxes[:, [1, 3]] = sample.image.shape[1] - sample.boxes[:, [3, 1]]


def _photometric(image: NDArray[np.uint8], config: AugmentConfig, rng: np.random.Generator) -> NDArray[np.uint8]:
    gains = 1 + rng.uniform(-1, 1, 3) * (config.hue, config.saturation, config.value)
    levels = np.arange(256)
    hue, saturation, value = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV))
    hue = cv2.LUT(hue, ((levels * gains[0]) % 180).astype(np.uint8))
    saturation = cv2.LUT(saturation, np.clip(levels * gains[1], 0, 255).astype(np.uint8))
    value = cv2.LUT(value, np.clip(levels * gains[2], 0, 255).astype(np.uint8))
    image = cv2.cvtColor(cv2.merge([hue, saturation, value]), cv2.COLOR_HSV2RGB).astype(np.uint8)
    if rng.random() < config.blur:
        image = cv2.GaussianBlur(image, (3, 3), 0).astype(np.uint8)
    if rng.random() < config.noise:
        noise = rng.normal(0, rng.uniform(2, 10), image.shape).astype(np.int16)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    return image

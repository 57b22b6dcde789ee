"""Augmentation of a frame, its boxes and its masks together, so that a label and its pixels never part ways."""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.data import photometric
from yolopv2.data.packed import MAPS, PackedSample
from yolopv2.data.warp import Tile, View, renumber, warp_boxes, warp_into
from yolopv2.errors import YolopError

_LIMITS = {"rotate": 180.0, "shear": 45.0, "perspective": 0.4}
"""Largest values of what is not a share: beyond them a frame turns inside out."""

_ZOOMS = (0.1, 10.0)

_MOSAIC_ZOOM = 1.4
"""How much larger than its tile a mosaic's frame is made, so that it is not too small to see anything."""

_EVENNESS = 8.0
"""Of the weights of a mix, as Beta(8, 8): mostly 0.3 to 0.7, since both frames' boxes are to be found in it."""


@dataclass(frozen=True)
class AugmentConfig:
    """How far and how often training frames are varied; `off` leaves them as they are.

    The defaults are for training from scratch on a thousand to a hundred thousand frames.

    Attributes:
        mosaic: Share of samples that are made of four frames (arXiv:2004.10934).
        mixup: Share of samples that are a mixture of two (arXiv:1710.09412), with the boxes of both; the maps are mixed
            by the same weights as the pixels.
        zoom: Least and largest size of a frame, where 1 just fits the canvas; what hangs over is cut. 0.1 to 10.
        translate: Largest shift either way, as a share of the canvas, 0 to 1, beyond what a frame hangs over or leaves
            free; with 0 frames stay in the middle.
        rotate: Largest turn either way, in degrees, 0 to 180.
        shear: Largest slant of each axis, in degrees, 0 to 45.
        perspective: Largest relative change of scale from the middle of a frame to its edges, 0 to 0.4.
        flip: Share of frames that are mirrored.
        hue: Largest turn of the hues either way, as a share of the colour circle, 0 to 1.
        saturation: Largest relative change of saturation, 0 to 1.
        value: Largest relative change of brightness, 0 to 1.
        rain: Share of frames it rains in.
        fog: Share of frames with fog.
        night: Share of frames that are darkened to a night with headlamps; dark ones stay as they are.
        blur: Share of samples that are out of focus.
        motion_blur: Share of samples smeared by motion.
        noise: Share of samples with a sensor's noise.
        jpeg: Share of samples with the blocks of strong JPEG compression.

    Raises:
        YolopError: A value is out of its range; the message names it.

    Example:
        >>> AugmentConfig(mosaic=2)
        Traceback (most recent call last):
        yolopv2.errors.YolopError: augmentation: mosaic is 2, it must be a number from 0 to 1.
    """

    mosaic: float = 0.5
    mixup: float = 0.1
    zoom: tuple[float, float] = (0.8, 1.8)
    translate: float = 0.1
    rotate: float = 3.0
    shear: float = 2.0
    perspective: float = 0.0
    flip: float = 0.5
    hue: float = 0.015
    saturation: float = 0.6
    value: float = 0.4
    rain: float = 0.03
    fog: float = 0.03
    night: float = 0.05
    blur: float = 0.05
    motion_blur: float = 0.05
    noise: float = 0.1
    jpeg: float = 0.1

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "zoom":
                self._check_zoom(value)
            elif not _is_number(value) or not 0 <= value <= _LIMITS.get(field.name, 1.0):
                limit = _LIMITS.get(field.name, 1.0)
                raise YolopError(f"augmentation: {field.name} is {value!r}, it must be a number from 0 to {limit:g}.")

    def _check_zoom(self, zoom: object) -> None:
        least, largest = _ZOOMS
        pair = list(zoom) if isinstance(zoom, list | tuple) else []
        if len(pair) != 2 or not all(map(_is_number, pair)) or not least <= pair[0] <= pair[1] <= largest:
            wanted = f"the least and the largest size, {least:g} to {largest:g}"
            raise YolopError(f"augmentation: zoom is {zoom!r}, it must be two numbers: {wanted}.")
        object.__setattr__(self, "zoom", tuple(pair))  # a list, as from a file, would not be hashable

    @classmethod
    def off(cls) -> "AugmentConfig":
        """No augmentation: each sample is one frame, fitted onto the canvas."""
        return cls(**{field.name: 0.0 for field in fields(cls) if field.name != "zoom"}, zoom=(1.0, 1.0))


def augment(
    draw: Callable[[], PackedSample], height: int, width: int, config: AugmentConfig, rng: np.random.Generator
) -> PackedSample:
    """Makes one training sample.

    Args:
        draw: Gives the next frame; called once, four times for a mosaic, and as often again for what is mixed in.
        height: Canvas height in pixels.
        width: Canvas width in pixels.
        config: How far to go.
        rng: Source of chance; the sample follows from it and the frames.

    Returns:
        The sample on its canvas. Boxes of which little is left are dropped; ``boxes`` is None when a frame had none.

    Example:
        >>> frame = PackedSample(np.full((90, 160, 3), 9, np.uint8), np.zeros((90, 160, 4), np.uint8), None)
        >>> augment(lambda: frame, 96, 160, AugmentConfig(), np.random.default_rng(0)).image.shape
        (96, 160, 3)
    """
    sample = _compose(draw, height, width, config, rng)
    if _happens(config.mixup, rng):
        sample = mix(sample, _compose(draw, height, width, config, rng), rng.beta(_EVENNESS, _EVENNESS))
    sample.image = _seen_by_camera(sample.image, config, rng)
    return sample


def mix(one: PackedSample, other: PackedSample, weight: float) -> PackedSample:
    """A mixture of two samples of one size (arXiv:1710.09412).

    Args:
        one: Takes part by ``weight``.
        other: Takes part by ``1 - weight``.
        weight: 0..1.

    Returns:
        Pixels and weights of labels are means by ``weight``. So are the labels, of those that are known: a frame that
        nobody labelled does not say that there is nothing. The boxes of both, None when either has none; the stronger
        frame's first, and only those keep their instance masks, for a pixel belongs to one instance.
    """
    weights = np.array([weight, 1 - weight], np.float32)[:, None, None]
    image = cv2.addWeighted(one.image, weight, other.image, 1 - weight, 0).astype(np.uint8, copy=False)
    maps = np.empty(one.maps.shape, np.float32)
    for channel in range(0, len(MAPS), 2):
        known = weights * (one.maps[..., channel + 1], other.maps[..., channel + 1])
        labels = np.stack([one.maps[..., channel], other.maps[..., channel]])
        maps[..., channel + 1] = known.sum(0)
        maps[..., channel] = (known * labels).sum(0) / np.maximum(maps[..., channel + 1], 1e-6)
    boxes = instances = None
    if one.boxes is not None and other.boxes is not None:
        first, second = (one, other) if weight >= 0.5 else (other, one)
        boxes = np.concatenate([first.boxes, second.boxes])  # type: ignore[list-item]
        instances = first.instances
    return PackedSample(image, np.rint(maps).astype(np.uint8), boxes, instances)


def _compose(
    draw: Callable[[], PackedSample], height: int, width: int, config: AugmentConfig, rng: np.random.Generator
) -> PackedSample:
    """One frame or four, each under its own weather and seen its own way, on a canvas."""
    mosaic = _happens(config.mosaic, rng)
    canvas = PackedSample(np.empty((height, width, 3), np.uint8), np.empty((height, width, len(MAPS)), np.uint8), None)
    boxes: list[NDArray[np.float32]] = []
    tiles = _tiles(height, width, rng) if mosaic else [(0, 0, width, height)]
    for tile in tiles:
        frame = draw()
        matrix = _view(frame, tile, mosaic, config, rng).matrix(*frame.image.shape[:2])
        frame = replace(frame, image=_under_weather(frame.image, config, rng))
        warp_into(canvas, frame, matrix, tile)
        if frame.boxes is not None:
            moved, kept = warp_boxes(frame.boxes, matrix, tile)
            renumber(canvas, tile, kept, before=sum(map(len, boxes)))
            boxes.append(moved)
    if len(boxes) == len(tiles):
        canvas.boxes = np.concatenate(boxes)
    else:
        canvas.instances = None
    return canvas


def _tiles(height: int, width: int, rng: np.random.Generator) -> list[Tile]:
    x = int(width * rng.uniform(0.35, 0.65))
    y = int(height * rng.uniform(0.35, 0.65))
    return [(0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height)]


def _view(frame: PackedSample, tile: Tile, mosaic: bool, config: AugmentConfig, rng: np.random.Generator) -> View:
    """The frame fits its tile, then is scaled, turned and shifted by chance; a mosaic's tiles are always filled."""
    height, width = frame.image.shape[:2]
    x1, y1, x2, y2 = tile
    ratios = ((x2 - x1) / width, (y2 - y1) / height)
    fit = max(ratios) if mosaic else min(ratios)
    scale = fit * float(np.exp(rng.uniform(*np.log(config.zoom))))
    if mosaic:
        scale = max(_MOSAIC_ZOOM * scale, fit)
    room = np.array([x2 - x1, y2 - y1])
    reach = np.abs(room - scale * np.array([width, height])) / 2 + config.translate * room * (not mosaic)
    x, y = np.array([x1 + x2, y1 + y2]) / 2 + rng.uniform(-1, 1, 2) * reach * (config.translate > 0)
    angle, slant_x, slant_y = rng.uniform(-1, 1, 3) * (config.rotate, config.shear, config.shear)
    far, low = rng.uniform(-1, 1, 2) * config.perspective
    return View(scale, angle, (slant_x, slant_y), (far, low), _happens(config.flip, rng), (x, y))


def _under_weather(image: NDArray[np.uint8], config: AugmentConfig, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Weather belongs to a scene with its horizon, so it comes before the frame is moved."""
    if _happens(config.night, rng):
        image = photometric.night(image, rng)
    if _happens(config.fog, rng):
        image = photometric.fog(image, rng)
    if _happens(config.rain, rng):
        image = photometric.rain(image, rng)
    return image


def _seen_by_camera(image: NDArray[np.uint8], config: AugmentConfig, rng: np.random.Generator) -> NDArray[np.uint8]:
    """What optics, sensor and compression do, in their order."""
    if _happens(config.blur, rng):
        image = photometric.blur(image, rng.uniform(0.4, 1.2))
    if _happens(config.motion_blur, rng):
        image = photometric.motion_blur(image, int(rng.integers(3, 10)), rng.uniform(0, 180))
    if config.hue or config.saturation or config.value:
        hue, saturation, value = rng.uniform(-1, 1, 3) * (config.hue, config.saturation, config.value)
        image = photometric.shift_colours(image, hue, 1 + saturation, 1 + value)
    if _happens(config.noise, rng):
        image = photometric.noise(image, rng.uniform(2, 10), rng)
    if _happens(config.jpeg, rng):
        image = photometric.jpeg(image, int(rng.integers(20, 70)))
    return image


def _happens(share: float, rng: np.random.Generator) -> bool:
    return bool(rng.random() < share)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

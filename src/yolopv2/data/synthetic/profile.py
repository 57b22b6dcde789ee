"""A road's cross-section as a picture: across the road by how coarsely it is seen.

Row k of each picture is the cross-section as pixels ``TEXEL * 2**k`` metres wide see it, so that sampling between
rows is free of aliasing at any distance.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .conditions import Conditions
from .layout import WORLD, Layout

TEXEL = 0.01
"""Metres across the road that a texel covers."""

LEVELS = 12
"""How many times the width of a pixel doubles."""

_ALBEDO = {
    "grass": (70.0, 84, 44),
    "dirt": (132.0, 116, 92),
    "gravel": (122.0, 115, 106),
    "pavement": (152.0, 149, 143),
    "ground": (128.0, 124, 118),
    "curb": (166.0, 164, 158),
    "gutter": (104.0, 103, 102),
}

_ROUGH = ("grass", "dirt", "gravel")


@dataclass(frozen=True)
class Profile:
    """Cross-sections by coarseness, ``[LEVELS, n]``.

    Attributes:
        half_width: Metres to either side of t 0.
        colour: The lit ground without paint, uint8 RGB.
        paint: uint8, four channels: solid paint, dashed paint, how yellow it is, how rough the ground is.
        label: uint8, two channels: lane marking, drivable.
        bare_colour: Lit asphalt.
        paint_colours: Lit white and yellow paint, float32 ``[3]`` each.
        lamp_floor: Share of the ground's light that is there without lamps.
    """

    half_width: float
    colour: NDArray[np.uint8]
    paint: NDArray[np.uint8]
    label: NDArray[np.uint8]
    bare_colour: tuple[float, float, float]
    paint_colours: tuple[NDArray[np.float32], NDArray[np.float32]]
    lamp_floor: float


def build_profile(layout: Layout, conditions: Conditions, rng: np.random.Generator) -> Profile:
    """Draw the ground's colours and rasterise the layout."""
    light, floor = _ground_light(conditions)
    count = round(2 * WORLD / TEXEL)
    t: NDArray[np.float64] = (np.arange(count, dtype=np.float64) + 0.5) * TEXEL - WORLD
    asphalt = _asphalt(layout, conditions, rng)
    bare = np.clip(asphalt * light, 0, 255)
    paint, label = _lines(layout, t)
    return Profile(
        half_width=WORLD,
        colour=_coarser(np.clip(_colours(layout, conditions, rng, t, asphalt) * light, 0, 255)),
        paint=paint,
        label=label,
        bare_colour=(float(bare[0]), float(bare[1]), float(bare[2])),
        paint_colours=(
            np.clip(np.array([215.0, 214, 208]) * light, 0, 255).astype(np.float32),
            np.clip(np.array([214.0, 160, 48]) * light, 0, 255).astype(np.float32),
        ),
        lamp_floor=floor,
    )


def _ground_light(conditions: Conditions) -> tuple[NDArray[np.float64], float]:
    """Light that the profile is lit with, and the share of it that does not come from lamps.

    At night the profile is lit as under a lamp, so that lamps and headlights can bring it out by a factor up to one.
    """
    light = conditions.ground_light
    if conditions.dark < 1:
        return light, 1.0
    lamp = np.array([1.0, 0.9, 0.74]) * 0.75
    return lamp, float(light.mean() / lamp.mean())


def _asphalt(layout: Layout, conditions: Conditions, rng: np.random.Generator) -> NDArray[np.float64]:
    bright = rng.uniform(128, 168) if layout.style == "highway" and rng.random() < 0.45 else rng.uniform(66, 125)
    tint = np.array([1.0, 0.995, 0.985]) + rng.uniform(-0.015, 0.025, 3)
    return bright * tint * (1 - 0.42 * conditions.wetness)


def _colours(
    layout: Layout,
    conditions: Conditions,
    rng: np.random.Generator,
    t: NDArray[np.float64],
    asphalt: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Unlit colours over t, float64 ``[n, 3]``."""
    colours = np.empty((len(t), 3))
    for strip in layout.strips:
        base = asphalt if strip.material == "asphalt" else np.array(_ALBEDO[strip.material])
        base = base * (1.0 if strip.material == "asphalt" else rng.uniform(0.82, 1.15))
        inside = (t >= strip.left - TEXEL) & (t <= strip.right + TEXEL)
        colours[inside] = base
    tracks, oil = rng.uniform(-0.10, 0.08), rng.uniform(0.0, 0.10)
    snow = np.full(len(t), conditions.snow_cover)
    for lane in layout.lanes:
        across = t - lane.t
        inside = np.abs(across) < lane.width / 2
        wheels = np.exp(-(((np.abs(across) - 0.82) / 0.28) ** 2)) * (not lane.parking)
        colours *= np.where(inside, 1 + tracks * wheels - oil * np.exp(-((across / 0.4) ** 2)), 1)[:, None]
        seam = np.exp(-(((np.abs(across) - lane.width / 2) / 0.05) ** 2)) * oil
        colours *= (1 - seam)[:, None]
        snow = np.where(inside, snow * (1 - 0.85 * wheels - 0.35 * (not lane.parking)), snow)
    snow = np.clip(snow, 0, 1)[:, None]
    return colours * (1 - snow) + np.array([228.0, 232, 238]) * snow


def _lines(layout: Layout, t: NDArray[np.float64]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The paint and label pictures; labels stay at least about two pixels wide however far they are."""
    paint = np.zeros((len(t), 4))
    for strip in layout.strips:
        if strip.material in _ROUGH:
            paint[(t > strip.left) & (t < strip.right), 3] = 255
    label = np.zeros((LEVELS, len(t), 2), np.uint8)
    reach = TEXEL * 2.0 ** np.arange(LEVELS)
    for marking in layout.markings:
        away = np.abs(t - marking.t)
        if marking.kind != "curb":
            paint[away < marking.width / 2, 1 if marking.dashed else 0] = 255
        paint[away < 1.0, 2] = 255.0 * (marking.kind == "yellow")
        half = np.maximum(marking.width / 2, 1.1 * reach)
        label[..., 0] |= np.where(away < half[:, None], 255, 0).astype(np.uint8)
    left, right = layout.drivable
    label[..., 1] = np.where((t > left) & (t < right), 255, 0)
    return _coarser(paint), label


def _coarser(section: NDArray[np.float64]) -> NDArray[np.uint8]:
    """A cross-section ``[n, c]`` as seen by wider and wider pixels, uint8 ``[LEVELS, n, c]``."""
    row = section.astype(np.float32)[None]
    blurred = [row] + [cv2.blur(row, ((1 << k) | 1, 1), borderType=cv2.BORDER_REPLICATE) for k in range(1, LEVELS)]
    return np.rint(np.concatenate(blurred)).astype(np.uint8)

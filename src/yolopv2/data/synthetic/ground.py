"""Paints the road and the land, pixel by pixel through inverse perspective, and labels both."""

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .canvas import GROUND, SUBPIXEL_BITS, Canvas, fixed_point
from .conditions import Conditions
from .layout import Layout
from .perspective import ROW_STEPS, RowTable
from .profile import LEVELS, TEXEL, Profile, build_profile
from .road import Stretch
from .textures import CvImage, fractal_noise, grain

_GRAIN_SIZE, _GRAIN_LEVELS, _GRAIN_TEXEL = 512, 8, 0.008
_NOISE_PERIOD = 4096.0
_ROUGHER = np.clip(128 + (np.arange(256) - 128) * 2.2, 0, 255).astype(np.uint8)

Points = NDArray[np.float64]


@dataclass(frozen=True)
class GroundPatch:
    """Flat things on the road that do not run along it.

    Attributes:
        bare: Pixel polygons of plain asphalt without markings: where roads cross.
        mends: Pixel polygons of patched asphalt, cracks and manholes, and how bright each is beside the asphalt.
        paint: Pixel polygons of white paint.
        lanes: Pixel polygons that count as lane markings: the edges of crosswalks.
        shadows: Pixel polygons that the sun does not reach.
        contact: Pixel polygons under vehicles, which hardly any light reaches.
    """

    bare: list[Points] = field(default_factory=list)
    mends: list[tuple[Points, float]] = field(default_factory=list)
    paint: list[Points] = field(default_factory=list)
    lanes: list[Points] = field(default_factory=list)
    shadows: list[Points] = field(default_factory=list)
    contact: list[Points] = field(default_factory=list)


@dataclass(frozen=True)
class GroundLabels:
    """Labels of the bare ground, before anything stands on it; uint8 ``[H, W]`` of 0 and 1."""

    ground: NDArray[np.uint8]
    drivable: NDArray[np.uint8]
    lanes: NDArray[np.uint8]


class GroundPainter:
    """Paints the ground of one drive.

    Args:
        layout: The road's cross-section.
        conditions: Light and weather.
        rng: Draws how worn the road is.
        lamp_every: Metres between street lamps, or None where there are none.
    """

    def __init__(
        self, layout: Layout, conditions: Conditions, rng: np.random.Generator, lamp_every: float | None
    ) -> None:
        self.layout, self.conditions, self.lamp_every = layout, conditions, lamp_every
        self.profile: Profile = build_profile(layout, conditions, rng)
        self.wear = float(rng.uniform(0, 1) ** 2)
        self.paint_light = float(rng.uniform(0.72, 1.0))
        self.blotches = float(rng.uniform(0.3, 1.0))
        self.beam = float(rng.uniform(0.45, 1.1))
        self.lamps = float(rng.uniform(0.3, 0.75))

    def paint(self, canvas: Canvas, camera: Camera, stretch: Stretch, ego_s: float, patch: GroundPatch) -> GroundLabels:
        """Paint the ground over the sky that is on the canvas.

        Returns:
            Labels of the ground as if nothing stood on it.
        """
        table = RowTable.build(camera, stretch, ego_s)
        top = table.first_row(camera)
        u, v = camera.level_coordinates(top)
        index, s, t = table.locate(u, v)
        level = np.clip(np.log2(table.footprint / TEXEL), 0, LEVELS - 1)[index]
        across = (t + self.profile.half_width) * np.float32(1 / TEXEL) - np.float32(0.5)
        shifted = _Shifted(top)
        colour = cv2.remap(self.profile.colour, across, level, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        paint = cv2.remap(self.profile.paint, across, level, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        label = cv2.remap(self.profile.label, across, level, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        shifted.fill(colour, patch.bare, self.profile.bare_colour)
        for polygon, bright in patch.mends:
            shifted.fill(colour, [polygon], tuple(min(c * bright, 255.0) for c in self.profile.bare_colour))
        shifted.fill(paint, patch.bare, (0, 0, 0, 0))
        shifted.fill(paint, patch.paint, (255, 0, 0, 0))
        self._lay_paint(colour, paint, s, t, ego_s, table, index)
        fine = self._grain(index, s, t, ego_s, table)
        cv2.copyTo(cv2.LUT(fine, _ROUGHER), cv2.inRange(paint[..., 3], 128, 255), fine)
        gain = cv2.multiply(self._light_and_wear(camera, table, ego_s, top, patch, v.shape), fine, scale=1 / 128)
        lit = cv2.multiply(colour, cv2.cvtColor(gain, cv2.COLOR_GRAY2RGB), scale=1 / 128)
        self._haze(lit, table, index)
        ground = v >= np.float32(table.top)
        cv2.copyTo(lit, ground.astype(np.uint8), canvas.image[top:])
        return self._labels(camera, label, ground, table, index, patch, shifted)

    def _lay_paint(
        self,
        colour: CvImage,
        paint: CvImage,
        s: NDArray[np.float32],
        t: NDArray[np.float32],
        ego_s: float,
        table: RowTable,
        index: NDArray[np.intp],
    ) -> None:
        """Put the markings on the road, broken where they are dashed, patchy where they are worn."""
        painted = np.flatnonzero(cv2.max(paint[..., 0], paint[..., 1]) > 4)
        solid, dashed, yellow, _ = (paint.reshape(-1, 4)[painted].astype(np.float32) / 255).T
        along = s.reshape(-1)[painted] + np.float32(ego_s % _NOISE_PERIOD)
        row = index.reshape(-1)[painted]
        foot = table.footprint[row] * table.distance[row] / np.float32(1.4)
        dash, gap = self.layout.dash
        period = np.float32(dash + gap)
        from_middle = np.abs((s.reshape(-1)[painted] + np.float32(ego_s % float(period))) / period % 1 - 0.5) * period
        dashes = np.clip((dash / 2 - from_middle) / np.maximum(foot, 0.02) + 0.5, 0, 1)
        far = np.clip(foot / period, 0, 1)
        alpha = solid + dashed * (dashes * (1 - far) + far * np.float32(dash / (dash + gap)))
        noise = fractal_noise(512, 7, 5).reshape(-1)
        cell = ((along * 11).astype(np.int64) & 511) * 512 + ((t.reshape(-1)[painted] * 18).astype(np.int64) & 511)
        patchy = noise[cell].astype(np.float32) / 128
        alpha *= np.clip(1.25 - self.wear * 0.9 * patchy - self.conditions.snow_cover * 0.8 * patchy, 0.04, 1)
        alpha = alpha[:, None] * np.float32(self.paint_light)
        white, gold = self.profile.paint_colours
        fresh = white + (gold - white) * yellow[:, None]
        flat = colour.reshape(-1, 3)
        flat[painted] = np.clip(flat[painted] * (1 - alpha) + fresh * alpha, 0, 255).astype(np.uint8)

    def _grain(
        self, index: NDArray[np.intp], s: NDArray[np.float32], t: NDArray[np.float32], ego_s: float, table: RowTable
    ) -> NDArray[np.uint8]:
        """Fine texture of the surface; 128 is neutral. It fades where a pixel covers many grains."""
        fade = np.log2(np.maximum(table.footprint * table.distance / 1.4, 1e-3) / 0.02)
        start = np.clip(fade * 0.8, 0, _GRAIN_LEVELS - 1).astype(np.int32) * (_GRAIN_SIZE * _GRAIN_SIZE)
        scale, wrap = np.float32(1 / _GRAIN_TEXEL), np.int32(_GRAIN_SIZE - 1)
        offset = np.float32(ego_s % (_GRAIN_SIZE * _GRAIN_TEXEL) / _GRAIN_TEXEL)
        rows = (s * scale + offset).astype(np.int32) & wrap
        columns = (t * scale).astype(np.int32) & wrap
        return grain(_GRAIN_SIZE, _GRAIN_LEVELS, 11)[start[index] + rows * np.int32(_GRAIN_SIZE) + columns]

    def _light_and_wear(
        self, camera: Camera, table: RowTable, ego_s: float, top: int, patch: GroundPatch, shape: tuple[int, ...]
    ) -> NDArray[np.uint8]:
        """Blotches, shadows and lamps at a lower resolution, then enlarged; 128 is neutral."""
        step = 4 if camera.width >= 900 else 2
        u, v = camera.level_coordinates(top, step)
        index, s, t = table.locate(u, v)
        along = s + np.float32(ego_s % _NOISE_PERIOD)
        gain = np.ones(s.shape, np.float32)
        left, right = self.layout.verge
        rough = np.float32(1) + 1.6 * ((t < left) | (t > right)).astype(np.float32)
        for texel, strength, seed in ((0.32, 0.10, 21), (0.05, 0.07, 22)):
            noise = _wrapped(fractal_noise(256, 6, seed), t / np.float32(texel), along / np.float32(texel * 3))
            visible = np.clip(1.5 - np.log2(np.maximum(table.footprint[index], 1e-3) / texel) / 4, 0, 1)
            gain += (noise - 128) * (np.float32(strength * self.blotches / 40) * visible * rough)
        for polygons, depth, soft in ((patch.shadows, self._shadow_depth(), 3), (patch.contact, 0.78, 5)):
            if polygons:
                mask = np.zeros(gain.shape, np.uint8)
                for polygon in polygons:
                    fixed = fixed_point((polygon - (step // 2, top + step // 2)) / step)
                    if len(fixed) >= 3:
                        cv2.fillConvexPoly(mask, fixed, 255, cv2.LINE_8, SUBPIXEL_BITS)
                gain *= 1 - cv2.blur(mask, (soft, soft)).astype(np.float32) * np.float32(depth / 255)
        if self.conditions.headlights:
            gain = gain * self._night_light(u, table, index, s, t, ego_s)
        full = cv2.resize(np.clip(gain * 128, 0, 255).astype(np.uint8), None, fx=step, fy=step)
        return full[: shape[0], : shape[1]].astype(np.uint8, copy=False)

    def _shadow_depth(self) -> float:
        """Share of the light on the ground that comes straight from the sun."""
        return float(1 - self.conditions.ambient.sum() / max(self.conditions.ground_light.sum(), 1e-6))

    def _night_light(
        self,
        u: NDArray[np.float32],
        table: RowTable,
        index: NDArray[np.intp],
        s: NDArray[np.float32],
        t: NDArray[np.float32],
        ego_s: float,
    ) -> NDArray[np.float32]:
        """Factor on the ground's light from the ego's headlights and the street lamps."""
        y = table.distance[index]
        x = u * table.footprint[index]
        spread = 1.5 + 0.20 * y
        beam = np.exp(-((x / spread) ** 2)) * np.clip((y - 2) / 7, 0, 1) / (1 + (y / 20) ** 2)
        light = self.profile.lamp_floor + self.beam * beam * 1.4 * self.conditions.dark
        if self.lamp_every is not None and self.conditions.dark > 0:
            for side, shift in ((self.layout.verge[0], 0.0), (self.layout.verge[1], 0.5)):
                every = np.float32(self.lamp_every)
                along = ((s + np.float32(ego_s % self.lamp_every)) / every + np.float32(shift) + 0.5) % 1 - 0.5
                reach = (along * every / 9) ** 2 + ((t - np.float32(side * 0.7)) / 6) ** 2
                light = light + np.exp(-reach) * np.float32(self.lamps * self.conditions.dark)
        return light.astype(np.float32)

    def _haze(self, image: CvImage, table: RowTable, index: NDArray[np.intp]) -> None:
        """Blend the haze's colour in where it shows."""
        share = 1 - np.exp(-table.distance / np.float32(self.conditions.visibility))
        rows = (
            int(np.searchsorted(-share, -0.02) / ROW_STEPS)
            + int(np.ptp(index[:, [0, -1]].astype(np.int64), axis=1).max() / ROW_STEPS)
            + 1
        )
        rows = min(max(rows, 1), len(image))
        haze = (share * 255).astype(np.uint8)[index[:rows]]
        keep = cv2.cvtColor(cv2.bitwise_not(haze), cv2.COLOR_GRAY2RGB)
        veil = cv2.transform(haze, (self.conditions.horizon / 255)[:, None])
        image[:rows] = cv2.add(cv2.multiply(image[:rows], keep, scale=1 / 255), veil)

    def _labels(
        self,
        camera: Camera,
        label: CvImage,
        ground: NDArray[np.bool_],
        table: RowTable,
        index: NDArray[np.intp],
        patch: GroundPatch,
        shifted: "_Shifted",
    ) -> GroundLabels:
        lane = np.ascontiguousarray(label[..., 0])
        shifted.fill(lane, patch.bare, GROUND)
        shifted.fill(lane, patch.lanes, 255)
        sight = np.float32(min(160.0, 2.2 * self.conditions.visibility))
        near = int(np.searchsorted(-table.distance, -sight))
        seen = ground & (index >= near)
        height = camera.height - len(label)
        drivable = np.zeros((camera.height, camera.width), np.uint8)
        lanes, land = np.zeros_like(drivable), np.zeros_like(drivable)
        land[height:] = ground
        drivable[height:] = seen & (label[..., 1] > 127)
        lanes[height:] = seen & (lane > 127)
        return GroundLabels(land, drivable, lanes)


@dataclass(frozen=True)
class _Shifted:
    """Fills frame polygons into an array that begins at row `top`."""

    top: int

    def fill(self, target: CvImage, polygons: list[Points], value: int | tuple[float, ...]) -> None:
        for polygon in polygons:
            fixed = fixed_point(polygon - (0, self.top))
            if len(fixed) >= 3:
                cv2.fillPoly(target, [fixed], value, cv2.LINE_8, SUBPIXEL_BITS)


def _wrapped(
    tile: NDArray[np.uint8], across: NDArray[np.floating[Any]], along: NDArray[np.floating[Any]]
) -> NDArray[np.float32]:
    return cv2.remap(tile, across, along, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP).astype(np.float32)

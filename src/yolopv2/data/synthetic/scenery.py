"""Paints what stands beside the road: houses, trees, posts, signs, barriers, people."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .camera import NEAR, Camera
from .canvas import OBSTACLE, Canvas
from .conditions import Conditions
from .road import Stretch
from .sprites import BAY, FLOOR, Mips, facade, person, pick_mip, tree

_WINDOW_LIGHT = np.array([[0.85, 0.66, 0.38], [0.8, 0.78, 0.68], [0.62, 0.74, 0.8], [0.9, 0.6, 0.28]])

FLOOR_HEIGHT = 3.3
"""Metres between floors of a house."""


_BOXES = {
    "cabinet": (((38.0, 66, 52), (92, 94, 92), (36, 60, 110), (58, 56, 54)), (0.6, 1.05)),
    "cone": (((232.0, 96, 28),), (0.34, 0.72)),
}
_SIGNS = ((198.0, 36, 38), (222.0, 178, 34), (226.0, 226, 222), (34.0, 70, 150), (28.0, 104, 66), (214.0, 214, 210))


@dataclass(frozen=True)
class Building:
    """A house along the road from station `start` to `end`, its front at t, with a roof when `roof` is over 0 m."""

    start: float
    end: float
    t: float
    facade: int
    height: float
    roof: float
    tint: tuple[float, float, float]


@dataclass(frozen=True)
class Plant:
    """A tree or bush."""

    s: float
    t: float
    index: int
    height: float
    tint: tuple[float, float, float]


@dataclass(frozen=True)
class Person:
    """Somebody on foot."""

    s: float
    t: float
    index: int


@dataclass(frozen=True)
class Post:
    """A post: "lamp", "pole" (with wires), "sign", "signal", "cabinet", "cone", or "gantry" over the road.

    `arm` is how far its arm reaches over the road, positive to the right; `look` picks among variants.
    """

    s: float
    t: float
    kind: str
    height: float
    arm: float
    look: int


@dataclass(frozen=True)
class Rail:
    """A piece of barrier from `start` to `end`: "jersey", "rail", "fence" or "hedge"."""

    start: float
    end: float
    t: float
    kind: str


@dataclass(frozen=True)
class Bridge:
    """A bridge over the road from station `start` to `end`, its underside `clear` metres up."""

    start: float
    end: float
    clear: float


Thing = Building | Plant | Person | Post | Rail | Bridge


class SceneryPainter:
    """Paints the things of one frame.

    Args:
        canvas: What is painted on.
        camera: Who looks.
        stretch: Where the road runs.
        conditions: Light and weather.
    """

    def __init__(self, canvas: Canvas, camera: Camera, stretch: Stretch, conditions: Conditions) -> None:
        self.canvas, self.camera, self.stretch, self.conditions = canvas, camera, stretch, conditions
        azimuth = conditions.sun_azimuth - stretch.bearing
        self.sun = np.array([np.sin(azimuth), np.cos(azimuth)]) * np.cos(conditions.sun_elevation)
        self.street = np.array([1.0, 0.85, 0.62]) * 0.10 * conditions.dark

    def paint(self, thing: Thing) -> None:
        """Paint one thing over what is there."""
        if isinstance(thing, Building):
            self._building(thing)
        elif isinstance(thing, Plant):
            self._standing(tree(thing.index), thing.s, thing.t, thing.height, np.array(thing.tint))
        elif isinstance(thing, Person):
            self._standing(person(thing.index), thing.s, thing.t, 1.74, np.ones(3))
        elif isinstance(thing, Post):
            self._post(thing)
        elif isinstance(thing, Bridge):
            self._bridge(thing)
        else:
            self._rail(thing)

    def _at(self, s: float, t: float, z: float = 0.0) -> NDArray[np.float64]:
        """Ego point ``[3]`` of road coordinates and a height over the ground."""
        x, y, ground = self.stretch.point(s, t)
        return np.array([x, y, ground + z])

    def _light(self, normal: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """Light on an upright face with a level normal ``[2]``, or on something round."""
        towards = 0.45 if normal is None else max(float(normal @ self.sun), 0.0)
        return self.conditions.ambient * 0.92 + self.conditions.sun * towards + self.street

    def _seen(self, colour: NDArray[np.float64], distance: float) -> NDArray[np.float64]:
        """A lit colour through the haze."""
        haze = self.conditions.haze(distance)
        return np.clip(colour + (self.conditions.horizon - colour) * haze, 0, 255)

    def _standing(self, mips: Mips, s: float, t: float, height: float, tint: NDArray[np.float64]) -> None:
        """Paint a sprite that stands upright and faces the camera."""
        x, y, z = self.stretch.point(s, t)
        low_u, low_v, depth = self.camera.pixel(x, y, z)
        high_u, high_v, _ = self.camera.pixel(x, y, z + height)
        up_u, up_v = high_u - low_u, high_v - low_v
        pixels = math.hypot(up_u, up_v)
        if depth < 1.2 or pixels < 1.5:
            return
        sprite, _ = pick_mip(mips, mips[0].shape[0] / pixels)
        scale = 1 / sprite.shape[0]
        half = sprite.shape[1] / 2 * scale
        to_frame = np.array([[-up_v * scale, -up_u * scale, high_u + up_v * half], [up_u * scale, -up_v * scale, high_v - up_u * half]])  # fmt: skip
        haze = self.conditions.haze(depth)
        tone = np.zeros((3, 4))
        beam = self._headlights(np.array([x, y, z]))
        np.fill_diagonal(tone, (self._light(None) + beam) * tint * (1 - haze))
        tone[:, 3] = self.conditions.horizon / 255 * haze
        self.canvas.sprite(sprite, to_frame, tone, OBSTACLE)

    def _headlights(self, foot: NDArray[np.float64]) -> NDArray[np.float64]:
        """Light of the ego's own lamps on something at ego point `foot`."""
        if self.conditions.dark == 0:
            return np.zeros(3)
        spread = 1.5 + 0.3 * max(float(foot[1]), 0.0)
        beam = np.exp(-((float(foot[0]) / spread) ** 2)) / (1 + (float(foot[1]) / 14) ** 2)
        return np.array([1.0, 0.95, 0.85]) * 0.35 * beam * self.conditions.dark

    def _building(self, house: Building) -> None:
        side = float(np.sign(house.t))
        mips, bays, floors = facade(house.facade)
        near, far = self._at(house.start, house.t), self._at(house.end, house.t)
        along = far[:2] - near[:2]
        normal = np.array([-along[1], along[0]]) * side / max(float(np.hypot(*along)), 1e-6)
        back = near + np.array([*(-normal * 11.0), 0.0])
        shown = min(floors, max(1, round(house.height / FLOOR_HEIGHT)))
        wide = min(bays, max(2, round((house.end - house.start) / 2.8)))
        self._wall(
            back,
            near,
            house,
            mips,
            side,
            normal=-along / max(float(np.hypot(*along)), 1e-6),
            bays=min(bays, 4),
            floors=shown,
        )
        self._wall(near, far, house, mips, -side, normal=normal, bays=wide, floors=shown)
        if house.roof > 0:
            self._roof(house, near, far, normal)

    def _wall(
        self,
        first: NDArray[np.float64],
        second: NDArray[np.float64],
        house: Building,
        mips: Mips,
        side: float,
        normal: NDArray[np.float64],
        bays: int,
        floors: int,
    ) -> None:
        """Paint a wall between two ground points that shows `normal`; `side` is 1 when `first` is to the left."""
        if float(normal @ first[:2]) > 0:
            return
        ends, share = np.stack([first, second]), np.array([0.0, 1.0])
        depth = np.minimum(self.camera.depth(ends), self.camera.depth(ends + (0, 0, house.height)))
        if depth.max() < 1.0:
            return
        if depth.min() < 0.8:
            back = int(depth[1] < depth[0])
            high = self.camera.depth(ends + (0, 0, house.height))
            cuts = [(d[back] - 0.8) / (d[back] - d[1 - back]) for d in (self.camera.depth(ends), high) if d[back] < 0.8]
            share[back] += (1 - 2 * back) * max(cuts)
            ends = first + (second - first) * share[:, None]
        corners = self.camera.project(np.concatenate([ends + (0, 0, house.height), ends[::-1] - (0, 0, 0.3)]))
        distance = float(np.hypot(*ends.mean(axis=0)[:2]))
        light = self._light(normal) * np.array(house.tint)
        haze = self.conditions.haze(distance)
        width = float(np.ptp(corners[:, 0]))
        if width < 2.5:
            self.canvas.polygon(corners, self._seen(light * 120, distance), OBSTACLE)
            return
        height = float(np.ptp(corners[:, 1]))
        texture, scale = pick_mip(mips, min(bays * BAY / width, 1.6 * floors * FLOOR / max(height, 1.0)))
        span = (share if side > 0 else 1 - share) * bays * BAY
        low = mips[0].shape[0]
        source = np.array(
            [[span[0], low - floors * FLOOR], [span[1], low - floors * FLOOR], [span[1], low], [span[0], low]]
        )
        tone = np.zeros((3, 5))
        np.fill_diagonal(tone, light * (1 - haze))
        tone[:, 3] = _WINDOW_LIGHT[house.facade % len(_WINDOW_LIGHT)] * self.conditions.dark * (1 - haze)
        tone[:, 4] = self.conditions.horizon * haze
        self.canvas.texture(texture, corners, source * scale - 0.5, tone, OBSTACLE)

    def _roof(
        self, house: Building, near: NDArray[np.float64], far: NDArray[np.float64], normal: NDArray[np.float64]
    ) -> None:
        """A pitched roof whose ridge runs along the road."""
        eaves, ridge = np.array([0, 0, house.height]), np.array([*(-normal * 5.5), house.height + house.roof])
        back = np.array([*(-normal * 11.0), house.height])
        tile = np.array([92.0, 70, 62]) * np.array(house.tint)
        distance = float(np.hypot(*near[:2]))
        slope = self.camera.clip_near(np.stack([near + eaves, far + eaves, far + ridge, near + ridge]))
        gable = self.camera.clip_near(np.stack([near + eaves, near + ridge, near + back]))
        wall = np.array([150.0, 142, 130]) * np.array(house.tint) * self._light(None)
        light = self.conditions.ambient + self.conditions.sun * 0.6
        for part, colour in ((gable, wall), (slope, tile * light)):
            if len(part) >= 3:
                self.canvas.polygon(self.camera.project(part), self._seen(colour, distance), OBSTACLE)

    def _strut(
        self, ends: NDArray[np.float64], thick: float, colour: NDArray[np.float64], label: int | None = OBSTACLE
    ) -> None:
        """A bar `thick` metres wide through ego points ``[k, 3]``."""
        depth = self.camera.depth(ends)
        if depth.min() < NEAR:
            return
        pixels = self.camera.focal * thick / float(depth.mean())
        if pixels < 0.35:
            return
        shade = self._seen(colour, float(depth.mean()))
        self.canvas.line(self.camera.project(ends), shade, pixels, label if pixels > 0.8 else None)

    def _panel(
        self, centre: NDArray[np.float64], size: tuple[float, float], colour: NDArray[np.float64], glows: bool = False
    ) -> None:
        """An upright rectangle, `size` metres wide and high, that faces the camera."""
        if float(self.camera.depth(centre)) < 1.0:
            return
        half_x, half_z = size[0] / 2, size[1] / 2
        corners = centre + np.array(
            [[-half_x, 0, -half_z], [half_x, 0, -half_z], [half_x, 0, half_z], [-half_x, 0, half_z]]
        )
        light = 1.0 if glows else self._light(np.array([0.0, -1.0])) + 1.6 * self._headlights(centre)
        self.canvas.polygon(self.camera.project(corners), self._seen(colour * light, float(centre[1])), OBSTACLE)

    def _post(self, post: Post) -> None:
        foot = self._at(post.s, post.t)
        if float(self.camera.depth(foot)) < 1.5:
            return
        top = foot + (0, 0, post.height)
        grey = np.array([104.0, 104, 100]) * (self._light(None) + self._headlights(foot))
        if post.kind == "gantry":
            self._gantry(post, foot, grey)
            return
        if post.kind in _BOXES:
            colours, size = _BOXES[post.kind]
            self._panel(foot + (0, 0, size[1] / 2), size, np.array(colours[post.look % len(colours)]))
            return
        thick = {"lamp": 0.16, "pole": 0.26, "sign": 0.07, "signal": 0.16}[post.kind]
        self._strut(np.stack([foot, top]), thick, grey * (0.7 if post.kind == "pole" else 1.0))
        if post.kind == "lamp":
            self._lamp(post, top, grey)
        elif post.kind == "pole":
            self._wires(post, top, grey)
        elif post.kind == "sign":
            self._panel(top - (0, 0.05, 0.3), (0.62, 0.7), np.array(_SIGNS[post.look % len(_SIGNS)]))
            if post.look % 3 == 0:
                self._panel(top - (0, 0.08, 0.3), (0.4, 0.12), np.array([232.0, 232, 228]))
        else:
            self._signal(post, top, grey)

    def _lamp(self, post: Post, top: NDArray[np.float64], grey: NDArray[np.float64]) -> None:
        head = self._at(post.s, post.t + post.arm, post.height + 0.35)
        self._strut(np.stack([top, head]), 0.11, grey)
        self._panel(head, (0.6, 0.14), np.array([90.0, 90, 88]))
        if self.conditions.dark > 0.3:
            u, v, depth = self.camera.pixel(*head.tolist())
            colour = np.array([255.0, 206, 134]) if post.look % 3 else np.array([226.0, 238, 255])
            reach = self.camera.focal / depth
            fade = math.exp(-depth / (2 * self.conditions.visibility)) * self.conditions.dark
            self.canvas.ellipse((u, v), (max(0.24 * reach, 0.9), max(0.12 * reach, 0.7)), colour)
            self.canvas.glow((u, v), max(0.4 * reach, 1.4), colour * fade)
            self.canvas.glow((u, v), 1.9 * reach + 3, colour * (0.3 * fade))
            if self.conditions.wetness > 0.4:
                ground = self.camera.pixel(float(head[0]), float(head[1]), float(head[2]) - 2 * post.height)
                streak = colour * (0.25 * fade * self.conditions.wetness)
                self.canvas.glow(ground[:2], 0.5 * reach + 2, streak, stretch=5.0, source=(u, v))

    def _wires(self, post: Post, top: NDArray[np.float64], grey: NDArray[np.float64]) -> None:
        """Cross-arm and the wires to the next pole."""
        arm = np.stack([self._at(post.s, post.t + side, post.height - 0.5) for side in (-1.1, 1.1)])
        self._strut(arm, 0.12, grey * 0.7)
        share = np.linspace(0, 1, 7)
        sag = 1.1 * 4 * share * (1 - share)
        for side in (-1.0, 0.1, 1.0):
            wire = self.stretch.to_ego(post.s + share * post.arm, post.t + side)
            wire[:, 2] += post.height - 0.4 - sag
            seen = wire[self.camera.depth(wire) > 1.0]
            if len(seen) >= 2:
                shade = self._seen(grey * 0.35, float(seen[:, 1].mean()))
                self.canvas.line(self.camera.project(seen), shade, 1.0)

    def _signal(self, post: Post, top: NDArray[np.float64], grey: NDArray[np.float64]) -> None:
        """Traffic lights on an arm over the road."""
        head = self._at(post.s, post.t + post.arm, post.height)
        self._strut(np.stack([top, head]), 0.12, grey)
        lit = {0: (2, (255.0, 40, 34)), 1: (0, (60.0, 255, 190)), 2: (0, (60.0, 255, 190))}[post.look % 3]
        for share in (1.0, 0.55):
            centre = self._at(post.s, post.t + post.arm * share, post.height - 0.35)
            if float(self.camera.depth(centre)) < 1.0:
                continue
            self._panel(centre - (0, 0.02, 0), (0.36, 1.05), np.array([44.0, 42, 34]))
            u, v, depth = self.camera.pixel(float(centre[0]), float(centre[1]) - 0.05, float(centre[2]) - 0.34 + 0.34 * lit[0])  # fmt: skip
            lamp, reach = (u, v), self.camera.focal / depth
            self.canvas.ellipse(lamp, (max(0.13 * reach, 0.7),) * 2, lit[1])
            self.canvas.glow(lamp, 0.5 * reach + 1, np.array(lit[1]) * (0.2 + 0.5 * self.conditions.dark))

    def _gantry(self, post: Post, foot: NDArray[np.float64], grey: NDArray[np.float64]) -> None:
        """A beam over the whole carriageway with green boards."""
        other = self._at(post.s, post.t + post.arm)
        up = np.array([0, 0, post.height])
        for ends in (
            (foot, foot + up),
            (other, other + up),
            (foot + up, other + up),
            (foot + 0.87 * up, other + 0.87 * up),
        ):
            self._strut(np.stack(ends), 0.25, grey)
        for share in (0.28, 0.66):
            board = foot + (other - foot) * share + (0, -0.2, post.height * 0.93)
            self._panel(board, (3.6, 2.0), np.array([22.0, 96, 66]))
            for row, wide in ((0.45, 2.6), (-0.1, 2.0), (-0.6, 2.4)):
                self._panel(board + (0, -0.05, row), (wide, 0.22), np.array([214.0, 222, 216]))

    def _bridge(self, bridge: Bridge) -> None:
        """Underside, then the near edge with its parapet, then pillars."""
        across = np.array([-45.0, 45.0])
        near, far = self.stretch.to_ego(bridge.start, across), self.stretch.to_ego(bridge.end, across)
        light = self._light(np.array([0.0, -1.0])) + self._headlights(near.mean(axis=0))
        up, top = np.array([0, 0, bridge.clear]), np.array([0, 0, bridge.clear + 1.7])
        parts = (
            (np.stack([near[0] + up, near[1] + up, far[1] + up, far[0] + up]), 46.0),
            (np.stack([near[0] + up, near[1] + up, near[1] + top, near[0] + top]), 128.0),
            (np.stack([near[0] + top, near[1] + top, near[1] + 1.12 * top, near[0] + 1.12 * top]), 104.0),
        )
        for part, grey in parts:
            cut = self.camera.clip_near(part)
            if len(cut) >= 3:
                shade = self._seen(np.full(3, grey) * light, max(float(near[:, 1].mean()), 0.0))
                self.canvas.polygon(self.camera.project(cut), shade, OBSTACLE)

    def _rail(self, rail: Rail) -> None:
        start, end = self._at(rail.start, rail.t), self._at(rail.end, rail.t)
        if max(start[1], end[1]) < 0:
            return
        height = {"jersey": 0.95, "rail": 0.78, "fence": 1.5, "hedge": 1.2}[rail.kind]
        low = {"jersey": 0.0, "rail": 0.45, "fence": 0.05, "hedge": 0.0}[rail.kind]
        albedo = {"jersey": (158, 154, 146), "rail": (134, 138, 142), "fence": (92, 92, 92), "hedge": (48, 64, 34)}[
            rail.kind
        ]
        along = end[:2] - start[:2]
        normal = np.array([along[1], -along[0]]) / max(float(np.hypot(*along)), 1e-6)
        normal = normal if float(normal @ start[:2]) < 0 else -normal
        light = self._light(normal) + self._headlights((start + end) / 2) * 1.4
        colour, distance = np.array(albedo, np.float64) * light, float(np.hypot(*start[:2]))
        bands = [(low, height, 1.0)]
        if rail.kind == "rail":
            bands = [(0.45, 0.78, 1.0), (0.57, 0.66, 0.7)]
            self._strut(np.stack([start, start + (0, 0, 0.7)]), 0.12, colour * 0.7)
        elif rail.kind == "jersey":
            bands = [(0.0, 0.3, 0.8), (0.3, 0.95, 1.0), (0.9, 0.97, 1.15)]
        elif rail.kind == "fence":
            bands = [(0.05, 0.15, 1.0), (0.7, 0.8, 1.0), (1.35, 1.5, 1.0)]
            for share in (0.0, 0.5):
                post = start + (end - start) * share
                self._strut(np.stack([post, post + (0, 0, 1.5)]), 0.07, colour)
        for bottom, top, shade in bands:
            quad = np.stack([start + (0, 0, bottom), end + (0, 0, bottom), end + (0, 0, top), start + (0, 0, top)])
            cut = self.camera.clip_near(quad)
            if len(cut) >= 3:
                self.canvas.polygon(self.camera.project(cut), self._seen(colour * shade, distance), OBSTACLE)

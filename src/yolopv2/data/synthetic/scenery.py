"""Paints what stands beside the road: houses, trees, people, barriers, bridges."""

import math

import numpy as np

from .canvas import OBSTACLE, bounds
from .posts import PostPainter
from .sprites import BAY, FLOOR, Mips, facade, person, pick_mip, tree
from .things import FLOOR_HEIGHT, Bridge, Building, Person, Plant, Post, Rail, Thing
from .viewpoint import Points, Viewpoint, up

_WINDOW_LIGHT = np.array([[0.85, 0.66, 0.38], [0.8, 0.78, 0.68], [0.62, 0.74, 0.8], [0.9, 0.6, 0.28]])
_HOUSE_DEPTH = 11.0
_WALL_NEAR = 0.8
_RAILS = {
    "jersey": ((158.0, 154, 146), ((0.0, 0.3, 0.8), (0.3, 0.95, 1.0), (0.9, 0.97, 1.15))),
    "rail": ((134.0, 138, 142), ((0.45, 0.78, 1.0), (0.57, 0.66, 0.7))),
    "fence": ((92.0, 92, 92), ((0.05, 0.15, 1.0), (0.7, 0.8, 1.0), (1.35, 1.5, 1.0))),
    "hedge": ((48.0, 64, 34), ((0.0, 1.2, 1.0), (1.05, 1.2, 1.25))),
}
"""Colour of a barrier, and its bands: lower and upper edge in metres, and how bright."""


class SceneryPainter:
    """Paints the things of one frame."""

    def __init__(self, view: Viewpoint) -> None:
        self.view = view
        self._posts = PostPainter(view)

    def paint(self, thing: Thing) -> None:
        """Paint one thing over what is there."""
        if isinstance(thing, Building):
            self._building(thing)
        elif isinstance(thing, Plant):
            self._standing(tree(thing.index), thing.s, thing.t, thing.height, np.array(thing.tint))
        elif isinstance(thing, Person):
            self._standing(person(thing.index), thing.s, thing.t, 1.74, np.ones(3))
        elif isinstance(thing, Post):
            self._posts.paint(thing)
        elif isinstance(thing, Bridge):
            self._bridge(thing)
        else:
            self._rail(thing)

    def _standing(self, mips: Mips, s: float, t: float, height: float, tint: Points) -> None:
        """Paint a sprite that stands upright and faces the camera."""
        x, y, z = self.view.stretch.point(s, t)
        low_u, low_v, depth = self.view.camera.pixel(x, y, z)
        high_u, high_v, _ = self.view.camera.pixel(x, y, z + height)
        up_u, up_v = high_u - low_u, high_v - low_v
        pixels = math.hypot(up_u, up_v)
        if depth < 1.2 or pixels < 1.5:
            return
        sprite, _ = pick_mip(mips, mips[0].shape[0] / pixels)
        scale = 1 / sprite.shape[0]
        half = sprite.shape[1] / 2 * scale
        across = (-up_v * scale, -up_u * scale, high_u + up_v * half)
        down = (up_u * scale, -up_v * scale, high_v - up_u * half)
        haze = self.view.conditions.haze(depth)
        tone = np.zeros((3, 4))
        np.fill_diagonal(tone, (self.view.light() + self.view.headlights(x, y)) * tint * (1 - haze))
        tone[:, 3] = self.view.conditions.horizon / 255 * haze
        self.view.canvas.sprite(sprite, np.array([across, down]), tone, OBSTACLE)

    def _building(self, house: Building) -> None:
        view, side = self.view, math.copysign(1.0, house.t)
        near, far = view.at(house.start, house.t), view.at(house.end, house.t)
        along = (far[:2] - near[:2]) / max(math.hypot(far[0] - near[0], far[1] - near[1]), 1e-6)
        normal = np.array([-along[1], along[0]]) * side
        back = near - np.array([*(normal * _HOUSE_DEPTH), 0.0])
        bays = max(2, round((house.end - house.start) / 2.8))
        self._wall(house, (back, near) if side > 0 else (near, back), -along, 4)
        self._wall(house, (far, near) if side > 0 else (near, far), normal, bays)
        if house.roof > 0:
            self._roof(house, near, far, normal)

    def _wall(self, house: Building, ends: tuple[Points, Points], normal: Points, bays: int) -> None:
        """Paint a wall that shows `normal` between two ground points, seen from the left one to the right one."""
        view = self.view
        first, second = ends
        if float(normal @ first[:2]) > 0:
            return
        span = self._in_front(np.stack(ends), house.height)
        if span is None:
            return
        feet = first + span[:, None] * (second - first)
        corners = view.camera.project(np.concatenate([feet + up(house.height), feet[::-1] - up(0.3)]))
        distance = math.hypot(feet[0, 0] + feet[1, 0], feet[0, 1] + feet[1, 1]) / 2
        light = view.light(normal) * np.array(house.tint)
        left, top, right, bottom = bounds(corners)
        if right - left < 2.5:
            view.canvas.polygon(corners, view.through_haze(light * 120, distance), OBSTACLE)
            return
        mips, most_bays, floors = facade(house.facade)
        columns = min(bays, most_bays) * BAY
        rows = min(floors, max(1, round(house.height / FLOOR_HEIGHT))) * FLOOR
        texture, scale = pick_mip(mips, min(columns / (right - left), 1.6 * rows / max(bottom - top, 1.0)))
        low = mips[0].shape[0]
        u1, u2 = (span * columns).tolist()
        source = np.array([[u1, low - rows], [u2, low - rows], [u2, low], [u1, low]])
        haze = view.conditions.haze(distance)
        tone = np.zeros((3, 5))
        np.fill_diagonal(tone, light * (1 - haze))
        tone[:, 3] = _WINDOW_LIGHT[house.facade % len(_WINDOW_LIGHT)] * (view.conditions.dark * (1 - haze))
        tone[:, 4] = view.conditions.horizon * haze
        view.canvas.texture(texture, corners, source * scale - 0.5, tone, OBSTACLE)

    def _in_front(self, feet: Points, height: float) -> Points | None:
        """From where to where, as shares of the way, a wall over two ground points is in front of the lens."""
        depths = [self.view.camera.depth(ends).tolist() for ends in (feet, feet + up(height))]
        if max(min(depths[0][0], depths[1][0]), min(depths[0][1], depths[1][1])) < _WALL_NEAR + 0.2:
            return None
        span = np.array([0.0, 1.0])
        for start, end in depths:
            if start < _WALL_NEAR:
                span[0] = max(span[0], (_WALL_NEAR - start) / (end - start))
            elif end < _WALL_NEAR:
                span[1] = min(span[1], (_WALL_NEAR - start) / (end - start))
        return span if span[1] - span[0] > 0.01 else None

    def _roof(self, house: Building, near: Points, far: Points, normal: Points) -> None:
        """A pitched roof whose ridge runs along the road."""
        inward = np.array([*(-normal * _HOUSE_DEPTH), 0.0])
        eaves, ridge = up(house.height), inward / 2 + up(house.height + house.roof)
        tint, distance = np.array(house.tint), math.hypot(near[0], near[1])
        wall = np.array([150.0, 142, 130]) * tint * self.view.light()
        tiles = np.array([92.0, 70, 62]) * tint * (self.view.conditions.ambient + self.view.conditions.sun * 0.6)
        self.view.face(np.stack([near + eaves, near + ridge, near + inward + eaves]), wall, distance)
        self.view.face(np.stack([near + eaves, far + eaves, far + ridge, near + ridge]), tiles, distance)

    def _bridge(self, bridge: Bridge) -> None:
        """Underside, near edge and parapet."""
        across = np.array([-45.0, 45.0])
        near, far = (self.view.stretch.to_ego(s, across) for s in (bridge.start, bridge.end))
        x, y, _ = near.mean(axis=0).tolist()
        light = self.view.light(np.array([0.0, -1.0])) + self.view.headlights(x, y)
        low, edge, rail = up(bridge.clear), up(bridge.clear + 1.3), up(bridge.clear + 2.1)
        self.view.face(np.concatenate([near + low, far[::-1] + low]), 46 * light, max(y, 0.0))
        self.view.face(np.concatenate([near + low, near[::-1] + edge]), 128 * light, max(y, 0.0))
        self.view.face(np.concatenate([near + edge, near[::-1] + rail]), 104 * light, max(y, 0.0))

    def _rail(self, rail: Rail) -> None:
        view = self.view
        start, end = view.at(rail.start, rail.t), view.at(rail.end, rail.t)
        if max(start[1], end[1]) < 0:
            return
        along = end[:2] - start[:2]
        normal = np.array([along[1], -along[0]]) / max(math.hypot(along[0], along[1]), 1e-6)
        normal = normal if float(normal @ start[:2]) < 0 else -normal
        albedo, bands = _RAILS[rail.kind]
        x, y, _ = ((start + end) / 2).tolist()
        colour = np.array(albedo) * (view.light(normal) + view.headlights(x, y) * 1.4)
        if rail.kind in ("rail", "fence"):
            for foot in (start, (start + end) / 2):
                self._posts.strut(np.stack([foot, foot + up(bands[-1][1])]), 0.09, colour * 0.7)
        quad = np.array([start, end, end, start])
        for low, high, bright in bands:
            quad[:, 2] = (start[2] + low, end[2] + low, end[2] + high, start[2] + high)
            view.face(quad, colour * bright, math.hypot(start[0], start[1]))

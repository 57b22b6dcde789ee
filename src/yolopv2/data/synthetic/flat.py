"""What lies flat on the road and does not run along it: crossroads, crosswalks, stop lines, repairs, shadows."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from .camera import NEAR, Camera
from .conditions import Conditions
from .ground import GroundPatch
from .layout import Layout
from .road import Stretch
from .things import Bridge, Building, Plant, Thing
from .traffic import Crossing, slot_rng
from .vehicles import PlacedVehicle
from .viewpoint import Points

_MARGIN = 0.06


class FlatThings:
    """Collects the flat things of one frame as pixel polygons.

    Args:
        layout: The road's cross-section.
        conditions: Where the sun is.
        camera: Who looks.
        stretch: Where the road runs.
        seed: Draws how crossroads are marked.
    """

    def __init__(self, layout: Layout, conditions: Conditions, camera: Camera, stretch: Stretch, seed: int) -> None:
        self.layout, self.conditions, self.camera, self.stretch, self.seed = layout, conditions, camera, stretch, seed
        self.patch = GroundPatch()

    def crossroads(self, roads: list[Crossing]) -> None:
        """Add crossing roads with crosswalks on both sides and a stop line before them."""
        left, right = self.layout.road
        for road in roads:
            self._add(self.patch.bare, (road.s - road.half, road.s + road.half), np.linspace(-44, 44, 23))
            style = int(slot_rng(self.seed, 8, round(road.s)).integers(4))
            if style == 0:
                continue
            for direction in (-1, 1):
                edge = road.s + direction * (road.half + 1.2)
                low, high = sorted((edge, edge + direction * 2.8))
                if style in (1, 3) and self.stretch.point(edge, 0.0)[1] < self._reach():
                    for t in np.arange(left + 0.4, right - 0.5, 1.1):
                        self._add(self.patch.paint, (low, high), np.array([t, t + 0.5]))
                for end in (low, high):
                    across, strip = np.linspace(left, right, 9), (end - 0.12, end + 0.12)
                    self._add(self.patch.lanes, strip, across)
                    if style != 1:
                        self._add(self.patch.paint, strip, across)
            stop = road.s - road.half - 5.4
            self._add(self.patch.paint, (stop - 0.2, stop + 0.2), np.linspace(*self.layout.drivable, 5))

    def mends(self, ego_s: float) -> None:
        """Add patches, cracks and manholes to the lanes near the ego."""
        for slot in range(int(ego_s // 9), int((ego_s + 45) // 9) + 1):
            rng = slot_rng(self.seed, 13, slot)
            for lane in self.layout.lanes:
                kind, bright, away, wide, long = rng.random(5)
                s, t = slot * 9 + 6 * float(rng.random()), lane.t + float(away - 0.5) * 1.6
                if kind < 0.1:
                    across = t + np.array([-0.35, 0.45]) * (0.6 + 2 * wide)
                    inside = np.clip(across, lane.t - lane.width / 2, lane.t + lane.width / 2)
                    self._mend((s, s + 1 + 5 * long), inside, 0.78 + 0.4 * bright)
                elif kind < 0.2:
                    self._manhole(s, t, 0.6 + 0.25 * bright)
                elif kind < 0.4:
                    self._crack(s, t, 1.5 + 6 * long, 0.55 + 0.25 * bright, rng)

    def _mend(self, s: tuple[float, float], t: NDArray[np.float64], bright: float) -> None:
        shapes: list[Points] = []
        self._add(shapes, s, t)
        self.patch.mends.extend((shape, bright) for shape in shapes)

    def _manhole(self, s: float, t: float, bright: float) -> None:
        turn = np.linspace(0, 2 * np.pi, 13)[:-1]
        outline = self.stretch.to_ego(s + 0.34 * np.cos(turn), t + 0.34 * np.sin(turn))
        if float(self.camera.depth(outline).min()) > NEAR:
            self.patch.mends.append((self.camera.project(outline), bright))

    def _crack(self, s: float, t: float, length: float, bright: float, rng: np.random.Generator) -> None:
        """A crooked line of tar."""
        along = np.linspace(s, s + length, 7)
        line = t + np.cumsum(rng.normal(0, 0.12, 7))
        both = np.concatenate([line - 0.014, line[::-1] + 0.014])
        outline = self.stretch.to_ego(np.concatenate([along, along[::-1]]), both)
        if float(self.camera.depth(outline).min()) > NEAR:
            self.patch.mends.append((self.camera.project(outline), bright))

    def shadows(self, vehicles: list[PlacedVehicle], things: list[Thing]) -> None:
        """Add the dark beneath vehicles and, where the sun shines, what is in the shade."""
        near = [vehicle for vehicle in vehicles if vehicle.distance < self._reach()]
        for vehicle in near:
            self._lay(self.patch.contact, vehicle.footprint(_MARGIN))
        if not self.conditions.sun.any():
            return
        azimuth = self.conditions.sun_azimuth - self.stretch.bearing
        reach = min(1 / math.tan(self.conditions.sun_elevation), 5.0)
        away = -np.array([math.sin(azimuth), math.cos(azimuth), 0.0]) * reach
        for vehicle in near:
            base = vehicle.footprint()
            middle = base.mean(axis=0)
            top = (base - middle) * 0.8 + middle + away * vehicle.vehicle.size[2] * 0.9
            self._lay(self.patch.shadows, np.concatenate([base, top]))
        for thing in things:
            if (
                isinstance(thing, Building | Plant)
                and self.stretch.point(thing.end if isinstance(thing, Building) else thing.s, 0.0)[1] > self._reach()
            ):
                continue
            if isinstance(thing, Building):
                self._lay(self.patch.shadows, self._house_shadow(thing, away))
            elif isinstance(thing, Bridge):
                under = [self.stretch.point(s, t) for s in (thing.start, thing.end) for t in (-40.0, 40.0)]
                self._lay(self.patch.shadows, np.array(under) + away * thing.clear)
            elif isinstance(thing, Plant) and thing.height > 2.5:
                for crown in self._tree_shadow(thing, away):
                    self._lay(self.patch.shadows, crown)

    def _reach(self) -> float:
        """Distance in metres beyond which a shadow is too flat to be seen."""
        return min(0.12 * self.camera.focal, 90.0)

    def _house_shadow(self, house: Building, away: NDArray[np.float64]) -> Points:
        back = house.t + math.copysign(8.0, house.t)
        corners = [(house.start, house.t), (house.end, house.t), (house.end, back), (house.start, back)]
        base = np.array([self.stretch.point(s, t) for s, t in corners])
        return np.concatenate([base, base + away * house.height])

    def _tree_shadow(self, plant: Plant, away: NDArray[np.float64]) -> list[Points]:
        """A few blobs, so that light falls through the crown."""
        foot = np.array(self.stretch.point(plant.s, plant.t))
        rng = slot_rng(self.seed, 12, round(plant.s * 16), round(plant.t * 16))
        turn = np.linspace(0, 2 * np.pi, 8)[:-1]
        ring = np.stack([np.cos(turn), np.sin(turn), 0 * turn], -1)
        blobs = rng.uniform((-0.2, -0.2, 0.4, 0.07), (0.2, 0.2, 0.9, 0.17), (6, 4)) * plant.height
        return [foot + away * high + (dx, dy, 0) + ring * wide for dx, dy, high, wide in blobs]

    def _add(self, polygons: list[Points], s: tuple[float, float], t: NDArray[np.float64]) -> None:
        """Add the part of a strip from s to s over some t that is before the camera."""
        if len(t) == 2:
            outline = np.array([self.stretch.point(s[i], float(t[j])) for i, j in ((0, 0), (0, 1), (1, 1), (1, 0))])
        else:
            outline = np.concatenate([self.stretch.to_ego(s[0], t), self.stretch.to_ego(s[1], t[::-1])])
        cut = self.camera.clip_near(outline)
        if len(cut) >= 3:
            polygons.append(self.camera.project(cut))

    def _lay(self, polygons: list[Points], outline: Points) -> None:
        """Add the convex hull of ego points, laid on the ground."""
        flat = cv2.convexHull(outline[:, :2].astype(np.float32))[:, 0].tolist()
        cut = self.camera.clip_near(np.array([(x, y, self.stretch.ground_at(y)[0]) for x, y in flat]))
        if len(cut) >= 3:
            polygons.append(self.camera.project(cut))

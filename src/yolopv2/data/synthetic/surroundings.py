"""What stands beside a road, where: scenery without end, from a seed."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise

import numpy as np

from .layout import Layout
from .sprites import FACADES, PEOPLE, TREES
from .things import FLOOR_HEIGHT, Bridge, Building, Person, Plant, Post, Rail, Thing
from .traffic import Crossing, crossings, slot_rng

_SIGHT = 220.0
_RAIL_PIECES = np.concatenate([np.arange(-6, 40, 4.0), np.arange(40, 90, 8.0), np.arange(90, 201, 16.0)])


class Surroundings:
    """The scenery of one drive.

    Args:
        layout: The road's cross-section.
        seed: Makes this scenery.
        go: Whether traffic lights are green all along, for an ego that does not stop.
    """

    def __init__(self, layout: Layout, seed: int, go: bool) -> None:
        self.layout, self.seed, self.go = layout, seed, go
        rng = slot_rng(seed, 55)
        self.tall = float(rng.uniform(0, 1))
        self.green = float(rng.uniform(0.1, 1.0))
        self.crowd = float(rng.uniform(0, 0.5) ** 2) if layout.style == "city" else 0.03
        self.lamp_every = float(rng.uniform(24, 48)) if rng.random() < self._lamp_odds() else None
        self.poles = layout.style in ("residential", "rural") and rng.random() < 0.6
        self.gantries = layout.style == "highway" and rng.random() < 0.6
        self.bridges = rng.random() < {"city": 0.12, "residential": 0.03, "highway": 0.4, "rural": 0.05}[layout.style]
        self.set_back = tuple(rng.uniform((0.2, 0.2), (3.0, 3.0)))
        self._row = lru_cache(maxsize=2048)(self._make_row)

    def _lamp_odds(self) -> float:
        return {"city": 0.9, "residential": 0.5, "highway": 0.6, "rural": 0.1}[self.layout.style]

    def at(self, ego_s: float) -> Iterator[tuple[float, Thing]]:
        """Things around and ahead of a station, each with the station it is nearest at."""
        roads = crossings(self.layout, ego_s - 20, ego_s + _SIGHT)
        first, last = int(np.floor((ego_s - 16) / 14)), int(np.ceil((ego_s + _SIGHT) / 14))
        for side in (-1, 1):
            for slot in range(first, last + 1):
                for s, thing in self._row(side, slot):
                    if not any(crossing.covers(s, 2.0) for crossing in roads):
                        yield s, thing
        yield from self._posts(ego_s, roads)
        for barrier in self.layout.barriers:
            base = float(np.floor(ego_s / 16) * 16)
            for start, end in pairwise(_RAIL_PIECES.tolist()):
                yield base + start, Rail(base + start, base + end, barrier.t, barrier.kind)

    def _make_row(self, side: int, slot: int) -> tuple[tuple[float, Thing], ...]:
        """What stands on 14 metres of one side."""
        rng = slot_rng(self.seed, 400 + side, slot)
        make: Callable[[np.random.Generator, int, float], list[tuple[float, Thing]]]
        make = {"city": self._city, "residential": self._homes, "highway": self._land, "rural": self._land}[
            self.layout.style
        ]
        return tuple(make(rng, side, slot * 14.0))

    def _edge(self, side: int) -> float:
        return self.layout.verge[0] if side < 0 else self.layout.verge[1]

    def _city(self, rng: np.random.Generator, side: int, s: float) -> list[tuple[float, Thing]]:
        edge = self._edge(side)
        things: list[tuple[float, Thing]] = []
        if rng.random() < 0.93:
            floors = int(np.clip(rng.normal(2.5 + 9 * self.tall**2, 1.5 + 3 * self.tall), 1, 22))
            t = edge + side * (self.set_back[(side + 1) // 2] + 0.8 * rng.random())
            things.append((s + 14, self._house(rng, s, s + 14 - 0.6 * (rng.random() < 0.3), t, floors, 0.0)))
        for k in range(2):
            if rng.random() < 0.45 * self.green:
                things.append(self._plant(rng, s + 7 * k + 3 * rng.random(), edge - side * 1.0, (5, 9), bush=False))
            if rng.random() < self.crowd * 3:
                walk = s + 7 * rng.random() + 7 * k
                things.append((walk, Person(walk, edge - side * rng.uniform(0.4, 2.4), int(rng.integers(PEOPLE)))))
        if rng.random() < 0.3:
            things.append(
                (s + 2, Post(s + 2, edge - side * 2.2, "sign", rng.uniform(2.1, 2.8), 0.0, int(rng.integers(9))))
            )
        return things

    def _homes(self, rng: np.random.Generator, side: int, s: float) -> list[tuple[float, Thing]]:
        edge = self._edge(side)
        things: list[tuple[float, Thing]] = []
        if rng.random() < 0.8:
            t = edge + side * rng.uniform(4, 9)
            floors = int(rng.integers(1, 4))
            things.append(
                (
                    s + 11,
                    self._house(rng, s + rng.uniform(0.5, 2), s + rng.uniform(9, 13), t, floors, rng.uniform(1.5, 3.5)),
                )
            )
        for k in range(3):
            if rng.random() < 0.25 + 0.5 * self.green:
                away = rng.uniform(0.4, 4)
                things.append(
                    self._plant(rng, s + 4.5 * k + 2 * rng.random(), edge + side * away, (5, 12), rng.random() < 0.3)
                )
        if rng.random() < 0.2:
            things.append((s + 2, Post(s + 2, edge - side * 1.9, "sign", 2.4, 0.0, int(rng.integers(9)))))
        if rng.random() < 0.5:
            fence = "hedge" if rng.random() < 0.5 else "fence"
            things.append((s, Rail(s, s + 9, edge + side * 0.6, fence)))
        return things

    def _land(self, rng: np.random.Generator, side: int, s: float) -> list[tuple[float, Thing]]:
        edge = self._edge(side)
        things: list[tuple[float, Thing]] = []
        wood = 0.5 + 0.5 * np.sin(s / 90 + 2 * side + 10 * self.green)
        for k in range(4):
            if rng.random() < 0.15 + 0.75 * wood * self.green:
                away = rng.uniform(3.5, 9) if k < 2 else rng.uniform(9, 26)
                things.append(
                    self._plant(rng, s + 3.5 * k + rng.random(), edge + side * away, (5, 15), rng.random() < 0.25)
                )
        if rng.random() < 0.06 + 0.15 * self.tall:
            t = edge + side * rng.uniform(14, 26)
            things.append((s + 14, self._house(rng, s, s + 20, t, int(rng.integers(1, 5)), 2.5 * (rng.random() < 0.5))))
        if rng.random() < 0.05:
            for at in s + 3.0 * np.arange(4):
                things.append((float(at), Post(float(at), edge + side * 0.4, "cone", 0.7, 0.0, 0)))
        if rng.random() < 0.08:
            things.append(
                (s + 2, Post(s + 2, edge + side * 1.2, "sign", rng.uniform(2.2, 3.2), 0.0, int(rng.integers(9))))
            )
        return things

    def _house(
        self, rng: np.random.Generator, start: float, end: float, t: float, floors: int, roof: float
    ) -> Building:
        red, green, blue = rng.uniform(0.8, 1.12) * rng.uniform(0.95, 1.05, 3)
        tint = (float(red), float(green), float(blue))
        return Building(start, end, t, int(rng.integers(FACADES)), floors * FLOOR_HEIGHT + 0.6, float(roof), tint)

    def _plant(
        self, rng: np.random.Generator, s: float, t: float, heights: tuple[float, float], bush: bool
    ) -> tuple[float, Thing]:
        index = int(rng.integers(TREES - 3, TREES)) if bush else int(rng.integers(TREES - 3))
        height = rng.uniform(1.0, 2.6) if bush else rng.uniform(*heights)
        tint = rng.uniform(0.75, 1.25) * rng.uniform((0.9, 0.95, 0.85), (1.15, 1.05, 1.05))
        return s, Plant(s, t, index, float(height), (float(tint[0]), float(tint[1]), float(tint[2])))

    def _posts(self, ego_s: float, roads: list[Crossing]) -> Iterator[tuple[float, Thing]]:
        left, right = self.layout.verge
        if self.lamp_every is not None:
            for k in range(int(ego_s // self.lamp_every) - 1, int((ego_s + 170) // self.lamp_every) + 1):
                for t, shift, arm in ((left + 0.7, 0.0, 1.9), (right - 0.7, 0.5, -1.9)):
                    s = (k + shift) * self.lamp_every
                    yield s, Post(s, t, "lamp", 7.8, arm, self.seed)
        if self.poles:
            for k in range(int(ego_s // 38) - 1, int((ego_s + 200) // 38) + 1):
                yield 38.0 * k, Post(38.0 * k, right + 0.9, "pole", 8.6, 38.0, 0)
        if self.gantries:
            for k in range(int(ego_s // 260), int((ego_s + 200) // 260) + 1):
                yield (
                    260.0 * k + 90,
                    Post(260.0 * k + 90, right + 0.6, "gantry", 6.6, self.layout.drivable[0] - right - 2, 0),
                )
        if self.bridges:
            for k in range(int((ego_s - 20) // 310), int((ego_s + 200) // 310) + 1):
                s = 310.0 * k + 160
                yield s, Bridge(s, s + 11, 5.4)
        for crossing in roads:
            look = 1 if self.go else int(slot_rng(self.seed, 99, round(crossing.s)).integers(3))
            s = crossing.s + crossing.half + 1.0
            yield s, Post(s, right - 0.8, "signal", 5.6, -(right - self.layout.drivable[0]) * 0.6, look)

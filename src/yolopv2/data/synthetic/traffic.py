"""Who is on the road, where, at any moment: traffic without end, from a seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .bodies import vehicle_mesh
from .conditions import Conditions
from .layout import Lane, Layout
from .vehicles import Vehicle, draw_looks

SIGHT = 210.0
"""Metres ahead that traffic is followed."""

_BEHIND = 14.0


def slot_rng(*keys: int) -> np.random.Generator:
    """Chance that belongs to a place: the same keys, of either sign, always give the same draws."""
    return np.random.default_rng([2 * key if key >= 0 else -2 * key - 1 for key in keys])


@dataclass(frozen=True)
class Crossing:
    """A road that crosses: its middle and half its width, in metres of s."""

    s: float
    half: float

    def covers(self, s: float, margin: float = 0.0) -> bool:
        """Whether a station lies on it."""
        return abs(s - self.s) < self.half + margin


def crossings(layout: Layout, low: float, high: float) -> list[Crossing]:
    """The crossroads between two stations."""
    if layout.crossing_every is None:
        return []
    first, last = int(np.floor(low / layout.crossing_every)), int(np.ceil(high / layout.crossing_every))
    found = [Crossing((k + 0.5) * layout.crossing_every, layout.crossing_width / 2) for k in range(first, last + 1)]
    return [c for c in found if low - c.half < c.s < high + c.half]


@dataclass(frozen=True)
class _Flow:
    """How a lane's traffic moves: speed along s, metres between slots, share of slots taken, how far they sway."""

    speed: float
    spacing: float
    taken: float
    sway: float


class Traffic:
    """The vehicles of one drive.

    Args:
        layout: The lanes.
        conditions: Tells whether lamps are lit.
        seed: Makes this traffic.
    """

    def __init__(self, layout: Layout, conditions: Conditions, seed: int) -> None:
        self.layout, self.conditions, self.seed = layout, conditions, seed
        rng = slot_rng(seed, 77)
        usual = {"city": 9.0, "residential": 8.0, "highway": 27.0, "rural": 19.0}[layout.style]
        jam = rng.random() < {"city": 0.35, "residential": 0.1, "highway": 0.2, "rural": 0.03}[layout.style]
        self.speed = float(rng.uniform(0, 2.5) if jam else usual * rng.uniform(0.7, 1.25))
        busy = rng.uniform(0.25, 1.0)
        parked = rng.uniform(0.25, 0.95)
        self.flows = [self._flow(rng, lane, jam, busy, parked) for lane in layout.lanes]
        self.closest = float(rng.uniform(3.2, 12) if jam else rng.uniform(5, 40))

    def _flow(self, rng: np.random.Generator, lane: Lane, jam: bool, busy: float, parked: float) -> _Flow:
        if lane.parking:
            return _Flow(0.0, float(rng.uniform(6.0, 7.0)), parked, 0.3)
        ego_lane = lane is self.layout.lanes[self.layout.ego]
        if lane.direction > 0:
            speed = self.speed * (1.0 if ego_lane else rng.uniform(0.8, 1.2)) * lane.direction
        else:
            speed = -max(self.speed, 3.0) * rng.uniform(0.8, 1.25)
        gap = rng.uniform(1.5, 4.5) if jam and lane.direction > 0 else 6 + abs(speed) * rng.uniform(0.6, 1.8)
        return _Flow(float(speed), float(9.0 + gap), float(0.35 + 0.6 * busy), float(gap * 0.22))

    def ego_s(self, time: float) -> float:
        """The ego's station at a time in seconds."""
        return self.speed * time + 0.15 * min(self.speed, 4.0) * float(np.sin(time * 0.9))

    def at(self, time: float) -> Iterator[Vehicle]:
        """The vehicles around the ego at a time in seconds, in no order."""
        here = self.ego_s(time)
        roads = crossings(self.layout, here - 20, here + SIGHT)
        for index, (lane, flow) in enumerate(zip(self.layout.lanes, self.flows, strict=True)):
            yield from self._lane(index, lane, flow, time, here, roads)
        for crossing in roads:
            yield from self._crossing(crossing, time)

    def _lane(
        self, index: int, lane: Lane, flow: _Flow, time: float, here: float, roads: list[Crossing]
    ) -> Iterator[Vehicle]:
        ego_lane = index == self.layout.ego
        moved = self.speed * time if ego_lane else flow.speed * time
        low, high = here - _BEHIND - moved, here + SIGHT - moved
        for slot in range(int(np.floor(low / flow.spacing)), int(np.ceil(high / flow.spacing)) + 1):
            place = _slot(self.seed, index, slot, lane.parking or flow.spacing < 20)
            s = slot * flow.spacing + place.shift * flow.sway + moved
            if not lane.parking:
                s += flow.sway * 0.5 * float(np.sin(time * place.pace + place.phase))
            if ego_lane:
                s += self.closest + 1.5 * flow.sway + vehicle_mesh(place.kind).size[0] / 2
            taken = place.taken < flow.taken and (not ego_lane or slot >= 0)
            if not taken or (lane.parking and any(c.covers(s, 8.0) for c in roads)):
                continue
            slows = place.phase > (3.4 if self.speed < 2.5 and lane.direction > 0 else 5.4)
            yield Vehicle(
                kind=place.kind,
                paint=place.paint,
                scale=place.scale,
                s=s,
                t=lane.t + place.aside * (0.12 if lane.parking else 0.3),
                turn=(0.0 if lane.direction > 0 else float(np.pi)) + place.aside * 0.02,
                lights=self.conditions.headlights and (not lane.parking or place.phase < 0.2),
                braking=not lane.parking and slows,
            )

    def _crossing(self, crossing: Crossing, time: float) -> Iterator[Vehicle]:
        """Cars that wait in the side road, or pass while the ego stands."""
        number = round(crossing.s * 8)
        for direction in (1, -1):
            for slot in range(4):
                place = _slot(self.seed, 1000 + direction, number * 8 + slot, True)
                if place.taken > 0.45:
                    continue
                edge = self.layout.verge[0] if direction > 0 else self.layout.verge[1]
                t = edge - direction * (5.0 + 8.5 * slot + 2 * place.shift)
                yield Vehicle(
                    kind=place.kind,
                    paint=place.paint,
                    scale=place.scale,
                    s=crossing.s - direction * crossing.half * 0.45,
                    t=t,
                    turn=direction * float(np.pi / 2) + place.aside * 0.03,
                    lights=self.conditions.headlights,
                    braking=True,
                )


@dataclass(frozen=True)
class _Place:
    """What is drawn once for a place in the traffic."""

    kind: str
    paint: tuple[int, int, int]
    scale: tuple[float, float, float]
    taken: float
    shift: float
    aside: float
    pace: float
    phase: float


@lru_cache(maxsize=4096)
def _slot(seed: int, lane: int, slot: int, short: bool) -> _Place:
    rng = slot_rng(seed, 300 + lane, slot)
    kind, paint, scale = draw_looks(rng, short)
    taken, shift, aside, pace, phase = rng.uniform((0, -1, -1, 0.3, 0), (1, 1, 1, 0.9, 2 * np.pi))
    return _Place(kind, paint, scale, float(taken), float(shift), float(aside), float(pace), float(phase))

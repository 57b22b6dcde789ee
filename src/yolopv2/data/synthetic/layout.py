"""What lies across a road: lanes, markings, kerbs, and the land beside it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Style = Literal["city", "residential", "highway", "rural"]
STYLES: tuple[Style, ...] = ("city", "residential", "highway", "rural")
_STYLE_ODDS = (0.42, 0.18, 0.26, 0.14)

WORLD = 48.0
"""Metres to either side of the reference line that a layout describes."""


@dataclass(frozen=True)
class Strip:
    """Ground of one material from t `left` to t `right`."""

    left: float
    right: float
    material: str


@dataclass(frozen=True)
class Marking:
    """A line along the road: paint, or a kerb's edge.

    Attributes:
        t: Middle of the line in metres.
        width: Metres.
        kind: "white", "yellow" or "curb".
        dashed: Whether it is broken.
    """

    t: float
    width: float
    kind: str
    dashed: bool = False


@dataclass(frozen=True)
class Lane:
    """A lane for traffic or parking.

    Attributes:
        t: Its middle in metres.
        width: Metres.
        direction: 1 with the ego, -1 against it.
        parking: Whether cars only stand there.
    """

    t: float
    width: float
    direction: int
    parking: bool = False


@dataclass(frozen=True)
class Barrier:
    """Something low along the road: "jersey" (concrete), "rail" (steel), "fence" or "hedge"."""

    t: float
    kind: str


@dataclass(frozen=True)
class Layout:
    """A road's cross-section.

    Attributes:
        style: One of `STYLES`.
        strips: Grounds from left to right without gaps, over ±`WORLD`.
        markings: Lines along the road.
        lanes: All lanes.
        ego: Index of the lane the ego drives in.
        drivable: t from and to: the ego's lane and those it may change to.
        verge: t of the left and the right end of everything that is road or pavement.
        road: t of the left and the right end of the carriageway.
        barriers: What stands along the road.
        crossing_every: Metres between crossroads, or None.
        crossing_width: Width of the roads that cross.
        dash: Length of a dash and of a gap in metres.
    """

    style: Style
    strips: tuple[Strip, ...]
    markings: tuple[Marking, ...]
    lanes: tuple[Lane, ...]
    ego: int
    drivable: tuple[float, float]
    verge: tuple[float, float]
    road: tuple[float, float]
    barriers: tuple[Barrier, ...]
    crossing_every: float | None
    crossing_width: float
    dash: tuple[float, float]


class _Builder:
    """Lays strips and lines from the middle outwards, one side at a time."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.strips: list[Strip] = []
        self.markings: list[Marking] = []
        self.lanes: list[Lane] = []
        self.barriers: list[Barrier] = []
        self.side = 1
        self.t = 0.0

    def start(self, side: int) -> None:
        self.side, self.t = side, 0.0

    def strip(self, width: float, material: str) -> None:
        ends = sorted((self.t, self.t + self.side * width))
        self.strips.append(Strip(ends[0], ends[1], material))
        self.t += self.side * width

    def rest(self, material: str) -> None:
        self.strip(max(WORLD - abs(self.t), 0.0), material)

    def line(self, kind: str, dashed: bool = False, width: float = 0.13, inset: float = 0.0) -> None:
        self.markings.append(Marking(self.t - self.side * inset, width, kind, dashed))

    def double(self, kind: str, dashed: tuple[bool, bool] = (False, False)) -> None:
        for offset, broken in zip((-0.12, 0.12), dashed, strict=True):
            self.markings.append(Marking(self.t + offset, 0.11, kind, broken))

    def lane(self, width: float, direction: int, parking: bool = False) -> None:
        self.lanes.append(Lane(self.t + self.side * width / 2, width, direction, parking))
        self.strip(width, "asphalt")

    def lanes_across(self, count: int, width: float, direction: int, lined: bool = True) -> None:
        solid = self.rng.random() < 0.12
        for index in range(count):
            if index and lined:
                self.line("white", dashed=not solid)
            self.lane(width, direction)

    def barrier(self, kind: str) -> None:
        self.barriers.append(Barrier(self.t, kind))

    def chance(self, odds: float) -> bool:
        return bool(self.rng.random() < odds)

    def kerb(self) -> None:
        self.strip(0.3, "gutter")
        self.line("curb", width=0.17, inset=-0.08)
        self.strip(0.16, "curb")


def draw_layout(rng: np.random.Generator) -> Layout:
    """Draw the cross-section of a road."""
    style = STYLES[int(np.searchsorted(np.cumsum(_STYLE_ODDS), rng.random() * 0.999999))]
    build = _Builder(rng)
    with_ego = {"city": _city, "residential": _residential, "highway": _highway, "rural": _rural}[style](build)
    driving = [i for i, lane in enumerate(build.lanes) if not lane.parking and lane.direction > 0]
    ends = [
        e
        for i in driving
        for e in (build.lanes[i].t - build.lanes[i].width / 2, build.lanes[i].t + build.lanes[i].width / 2)
    ]
    road = [e for lane in build.lanes for e in (lane.t - lane.width / 2, lane.t + lane.width / 2)]
    hard = [e for s in build.strips if s.material not in ("grass", "dirt", "ground") for e in (s.left, s.right)]
    crossing = float(rng.uniform(70, 150)) if style in ("city", "residential") else None
    return Layout(
        style=style,
        strips=tuple(sorted(build.strips, key=lambda strip: strip.left)),
        markings=tuple(build.markings),
        lanes=tuple(build.lanes),
        ego=driving[min(int(rng.random() * len(driving)), len(driving) - 1)],
        drivable=(min(ends), max(ends)),
        verge=(min(hard), max(hard)),
        road=(min(road), max(road)),
        barriers=tuple(build.barriers),
        crossing_every=crossing if with_ego else None,
        crossing_width=float(rng.uniform(9, 17)),
        dash=((3.0, 9.0) if rng.random() < 0.7 else (float(rng.uniform(1.5, 4.5)), float(rng.uniform(3, 8)))),
    )


def _city(build: _Builder) -> bool:
    width, count = build.rng.uniform(3.0, 3.5), int(build.rng.integers(1, 4))
    parking, lined = build.chance(0.7), build.chance(0.92)
    one_way = build.chance(0.35)
    build.start(1)
    build.lanes_across(count, width, 1, lined)
    _city_side(build, parking)
    build.start(-1)
    if not one_way:
        _divide(build, ("double", "double", "double", "median"))
        build.lanes_across(count, width, -1, lined)
    _city_side(build, build.chance(0.7))
    return True


def _city_side(build: _Builder, parking: bool) -> None:
    if parking:
        if build.chance(0.35):
            build.line("white", width=0.1)
        build.lane(2.3, build.side, parking=True)
    build.kerb()
    build.strip(build.rng.uniform(2.4, 5.0), "pavement")
    build.rest("ground")


def _divide(build: _Builder, choices: tuple[str, ...]) -> None:
    """What parts the two directions; called at t 0 with side -1."""
    choice = choices[int(build.rng.integers(len(choices)))]
    if choice == "double":
        build.double("yellow")
    elif choice == "mixed":
        build.double("yellow", (False, True) if build.chance(0.5) else (True, False))
    elif choice == "dashed":
        build.line("yellow", dashed=True)
    elif choice == "median":
        build.line("yellow", inset=-0.2)
        build.kerb()
        build.strip(build.rng.uniform(1.0, 4.5), "grass" if build.chance(0.6) else "pavement")
        build.kerb()
        build.line("yellow", inset=-0.2)


def _residential(build: _Builder) -> bool:
    width, one_way = build.rng.uniform(3.0, 3.7), build.chance(0.3)
    build.start(1)
    build.lanes_across(1, width * (1.1 if one_way else 1.0), 1)
    _residential_side(build)
    build.start(-1)
    if not one_way:
        _divide(build, ("double", "double", "dashed"))
        build.lanes_across(1, width, -1)
    _residential_side(build)
    return True


def _residential_side(build: _Builder) -> None:
    if build.chance(0.75):
        build.lane(2.2, build.side, parking=True)
    build.kerb()
    if build.chance(0.6):
        build.strip(build.rng.uniform(0.8, 2.0), "grass")
    build.strip(1.6, "pavement")
    build.rest("grass")


def _highway(build: _Builder) -> bool:
    width, count = build.rng.uniform(3.5, 3.8), int(build.rng.integers(2, 6))
    build.start(1)
    build.lanes_across(count, width, 1)
    build.line("white", width=0.16)
    build.strip(build.rng.uniform(1.0, 3.2), "asphalt")
    wall = ("rail", "jersey", "none", "rail")[int(build.rng.integers(4))]
    if wall != "none":
        build.barrier(wall)
        build.strip(0.4, "gutter")
    build.rest("grass" if build.chance(0.6) else "dirt")
    build.start(-1)
    build.line("yellow", width=0.16)
    build.strip(build.rng.uniform(0.6, 2.6), "asphalt")
    if build.chance(0.7):
        build.barrier("jersey" if build.chance(0.7) else "rail")
        build.strip(0.6, "gutter")
    else:
        build.strip(build.rng.uniform(4, 10), "grass")
    build.strip(build.rng.uniform(0.6, 2.0), "asphalt")
    build.line("yellow", width=0.16)
    build.lanes_across(count, width, -1)
    build.line("white", width=0.16)
    build.strip(2.0, "asphalt")
    if build.chance(0.5):
        build.barrier("rail")
    build.rest("grass")
    return False


def _rural(build: _Builder) -> bool:
    width, edges = build.rng.uniform(3.1, 3.7), build.chance(0.75)
    land = "grass" if build.chance(0.7) else "dirt"
    build.start(1)
    for side in (1, -1):
        build.start(side)
        if side < 0:
            _divide(build, ("double", "dashed", "mixed"))
        build.lanes_across(1, width, side)
        if edges:
            build.line("white", width=0.12)
        build.strip(build.rng.uniform(0.3, 1.6), "asphalt")
        build.strip(build.rng.uniform(0.3, 1.2), "gravel")
        if build.chance(0.3):
            build.barrier("rail")
        build.rest(land)
    return False

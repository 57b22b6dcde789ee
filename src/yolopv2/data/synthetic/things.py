"""What can stand beside a road."""

from dataclasses import dataclass

FLOOR_HEIGHT = 3.3
"""Metres between floors of a house."""


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
    """A "lamp", "pole" (with wires), "sign", "signal", "cabinet", "cone", or "gantry" over the road.

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
    """A piece of barrier from `start` to `end`: "jersey" (concrete), "rail" (steel), "fence" or "hedge"."""

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

"""Shapes of vehicles as flat faces, built from a handful of measures.

The vehicle frame has its origin on the ground beneath the vehicle's middle: x right, y forward, z up, in metres.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Outline = list[tuple[float, float]]


@dataclass(frozen=True)
class Mesh:
    """A vehicle's faces, in an order in which later ones lie over earlier ones of the same group.

    Attributes:
        vertices: float ``[n, 3]``.
        starts: int ``[f + 1]``: face i has the vertices from ``starts[i]`` up to ``starts[i + 1]``.
        normals: Outward unit normals, float ``[f, 3]``.
        centres: float ``[f, 3]``.
        materials: Name of each face's material.
        groups: int ``[f]``: parts that hide one another as wholes, as a cab and its box.
        pixels: float ``[f]``: how many pixels high the vehicle must be for the face to be worth painting.
        size: Length, width and height.
    """

    vertices: NDArray[np.float64]
    starts: NDArray[np.intp]
    normals: NDArray[np.float64]
    centres: NDArray[np.float64]
    materials: tuple[str, ...]
    groups: NDArray[np.intp]
    pixels: NDArray[np.float64]
    size: tuple[float, float, float]


@dataclass(frozen=True)
class _Measures:
    """A body with a cabin: all in metres, y from the middle forward."""

    length: float
    width: float
    height: float
    belt: float
    tail: float
    nose: float
    glass_back: float
    roof_back: float
    roof_front: float
    glass_front: float
    wheel: float = 0.33
    clearance: float = 0.22
    windows: int = 2


_CARS = {
    "sedan": _Measures(4.75, 1.84, 1.46, 0.96, 0.93, 0.74, -1.72, -0.95, 0.32, 1.22),
    "hatchback": _Measures(4.1, 1.78, 1.52, 0.97, 0.94, 0.76, -1.98, -1.5, 0.4, 1.18),
    "suv": _Measures(4.75, 1.94, 1.76, 1.1, 1.06, 0.95, -2.3, -1.95, 0.3, 1.2, 0.38, 0.27),
    "minivan": _Measures(5.1, 1.98, 1.8, 1.06, 1.03, 0.9, -2.48, -2.2, 0.85, 1.8, 0.34, 0.22, 3),
    "pickup": _Measures(5.7, 2.02, 1.9, 1.15, 1.13, 1.05, -0.4, -0.2, 0.95, 1.7, 0.41, 0.33),
    "van": _Measures(5.8, 2.05, 2.55, 1.35, 1.33, 1.12, -2.87, -2.8, 1.55, 2.4, 0.36, 0.25, 1),
}

KINDS = (*_CARS, "truck", "bus")
"""Kinds of vehicle there are shapes for."""


@dataclass
class _Builder:
    faces: list[NDArray[np.float64]] = field(default_factory=list)
    materials: list[str] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    pixels: list[float] = field(default_factory=list)
    inside: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    group: int = 0

    def face(self, points: list[tuple[float, float, float]], material: str, pixels: float = 0.0) -> None:
        self.faces.append(np.array(points, np.float64))
        self.materials.append(material)
        self.groups.append(self.group)
        self.pixels.append(pixels)

    def across(
        self, low: tuple[float, float, float], high: tuple[float, float, float], material: str, pixels: float = 0.0
    ) -> None:
        """A face across the vehicle between two (y, z, half width)."""
        (y1, z1, w1), (y2, z2, w2) = low, high
        self.face([(-w1, y1, z1), (w1, y1, z1), (w2, y2, z2), (-w2, y2, z2)], material, pixels)

    def sides(self, outline: list[tuple[float, float, float]], material: str, pixels: float = 0.0) -> None:
        """A face on both sides from (y, z, x) points."""
        for side in (-1, 1):
            self.face([(side * x, y, z) for y, z, x in outline], material, pixels)

    def panel(
        self, y: float, x: tuple[float, float], z: tuple[float, float], material: str, pixels: float = 0.0
    ) -> None:
        """An upright rectangle facing back or forward."""
        self.face([(x[0], y, z[0]), (x[1], y, z[0]), (x[1], y, z[1]), (x[0], y, z[1])], material, pixels)

    def twin_panels(
        self, y: float, x: tuple[float, float], z: tuple[float, float], material: str, pixels: float = 0.0
    ) -> None:
        """The same on both sides of the middle."""
        self.panel(y, x, z, material, pixels)
        self.panel(y, (-x[1], -x[0]), z, material, pixels)

    def wheels(self, axles: tuple[float, ...], radius: float, x: float, width: float = 0.22) -> None:
        turn = np.linspace(0, 2 * np.pi, 15)[:-1]
        for y in axles:
            for scale, out, material, pixels in (
                (1.14, 0.0, "arch", 10),
                (1.0, 0.012, "tyre", 6),
                (0.66, 0.02, "rim", 18),
                (0.2, 0.025, "tyre", 40),
            ):
                points = [
                    (
                        y + radius * scale * float(np.cos(a)),
                        max(radius + radius * scale * float(np.sin(a)), 0.0),
                        x + out,
                    )
                    for a in turn
                ]
                self.sides(points, material, pixels)

    def tread(self, axle: float, radius: float, x: float, width: float = 0.23) -> None:
        """What is seen of the wheels from behind and from in front."""
        self.twin_panels(axle, (x - width, x), (0.0, radius * 1.3), "tyre")

    def mesh(self, size: tuple[float, float, float]) -> Mesh:
        counts = [len(face) for face in self.faces]
        centres = np.array([face.mean(axis=0) for face in self.faces])
        normals = np.array([np.cross(face[1] - face[0], face[2] - face[1]) for face in self.faces])
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        middles = np.array(
            [
                _middle(np.concatenate([f for f, g in zip(self.faces, self.groups, strict=True) if g == group]))
                for group in self.groups
            ]
        )
        outward = np.sign(np.sum(normals * (centres - middles), axis=1))
        return Mesh(
            vertices=np.concatenate(self.faces),
            starts=np.concatenate([[0], np.cumsum(counts)]),
            normals=normals * outward[:, None],
            centres=centres,
            materials=tuple(self.materials),
            groups=np.array(self.groups),
            pixels=np.array(self.pixels),
            size=size,
        )


def _middle(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return (points.min(axis=0) + points.max(axis=0)) / 2


@lru_cache
def vehicle_mesh(kind: str) -> Mesh:
    """The shape of one of `KINDS`."""
    if kind == "truck":
        return _truck()
    if kind == "bus":
        return _bus()
    return _car(kind)


def _car(kind: str) -> Mesh:
    m, build = _CARS[kind], _Builder()
    half, back, front = m.width / 2, -m.length / 2, m.length / 2
    roof, low = half * 0.8, m.clearance
    axles = (back + m.length * 0.19, front - m.length * 0.17)
    build.tread(back + 0.5, m.wheel, half * 0.96)
    build.tread(front - 0.5, m.wheel, half * 0.96)
    build.panel(back + 0.12, (-half * 0.95, half * 0.95), (0.13, low + 0.1), "under")
    build.panel(front - 0.12, (-half * 0.95, half * 0.95), (0.13, low + 0.1), "under")
    build.sides(
        [
            (back + 0.1, 0.16, half * 0.97),
            (back, low + 0.15, half * 0.97),
            (front, low + 0.15, half * 0.97),
            (front - 0.1, 0.16, half * 0.97),
        ],
        "under",
    )
    edge = [
        (back, low),
        (back + 0.02, m.tail * 0.6),
        (back + 0.06, m.tail),
        (m.glass_back, m.belt),
        (m.glass_front, m.belt),
    ]
    edge += [(front - 0.28, m.nose), (front - 0.04, m.nose * 0.78), (front, low)]
    widths = [0.95, 1.0, 0.96, 0.98, 0.98, 0.93, 0.96, 0.93]
    strips = ["bumper", "body", "bed" if kind == "pickup" else "body", "body", "body", "body", "bumper"]
    for i, material in enumerate(strips):
        (y1, z1), (y2, z2) = edge[i], edge[i + 1]
        build.across((y1, z1, half * widths[i]), (y2, z2, half * widths[i + 1]), material)
    build.sides([(y, z, half) for y, z in edge], "body")
    build.sides(
        [
            (back, low, half + 0.003),
            (back + 0.02, m.belt * 0.5, half + 0.003),
            (front - 0.03, m.belt * 0.5, half + 0.003),
            (front, low, half + 0.003),
        ],
        "sill",
        14,
    )
    build.wheels(axles, m.wheel, half + 0.006)
    _cabin(build, m, half, roof)
    _car_ends(build, kind, m, half)
    return build.mesh((m.length, m.width, m.height))


def _cabin(build: _Builder, m: _Measures, half: float, roof: float) -> None:
    """Roof, pillars and glass."""
    waist, top = half * 0.95, m.height - 0.06
    build.sides(
        [
            (m.glass_back, m.belt, waist),
            (m.roof_back, top, roof),
            (m.roof_front, top, roof),
            (m.glass_front, m.belt, waist),
        ],
        "body",
    )
    build.across((m.glass_back, m.belt, waist), (m.roof_back, top, roof), "body")
    build.across((m.roof_front, top, roof), (m.glass_front, m.belt, waist), "body")
    build.across((m.roof_back, top, roof), (m.roof_back + 0.25, m.height, roof * 0.9), "body")
    build.across((m.roof_back + 0.25, m.height, roof * 0.9), (m.roof_front - 0.2, m.height, roof * 0.9), "roof")
    build.across((m.roof_front - 0.2, m.height, roof * 0.9), (m.roof_front, top, roof), "body")
    build.sides(
        [
            (m.roof_back, top, roof),
            (m.roof_back + 0.25, m.height, roof * 0.9),
            (m.roof_front - 0.2, m.height, roof * 0.9),
            (m.roof_front, top, roof),
        ],
        "body",
    )

    def glass(low: float, high: float, y1: float, z1: float, w1: float, y2: float, z2: float, w2: float) -> None:
        """Glass between two edges of the cabin, from share `low` to `high` of the way."""
        away = 0.012 if y1 > 0 else -0.012
        points = [
            (y1 + (y2 - y1) * k + away, z1 + (z2 - z1) * k + 0.01, (w1 + (w2 - w1) * k) * 0.9) for k in (low, high)
        ]
        build.across(points[0], points[1], "glass", 7)

    glass(0.12, 0.9, m.glass_back, m.belt, waist, m.roof_back, top, roof)
    glass(0.06, 0.92, m.glass_front, m.belt, waist, m.roof_front, top, roof)
    if m.windows == 1:
        spans = [(0.74, 0.97)]
    else:
        cuts = np.linspace(0.05, 0.96, m.windows + 1)
        spans = [(float(a) + 0.012, float(b) - 0.012) for a, b in zip(cuts[:-1], cuts[1:], strict=True)]
    z1, z2 = m.belt + 0.04, top - 0.05
    lift = (z2 - m.belt) / (top - m.belt)
    x1, x2 = waist - (waist - roof) * 0.1 + 0.008, waist - (waist - roof) * lift + 0.008
    bottom, upper = (m.glass_back, m.glass_front), (m.roof_back, m.roof_front)
    for start, end in spans:
        points = [(bottom[0] + (bottom[1] - bottom[0]) * k, z1, x1) for k in (start, end)]
        points += [(upper[0] + (upper[1] - upper[0]) * k, z2, x2) for k in (end, start)]
        build.sides(points, "glass", 7)


def _car_ends(build: _Builder, kind: str, m: _Measures, half: float) -> None:
    """Lamps, plates, grille."""
    back, front = -m.length / 2 - 0.02, m.length / 2 + 0.02
    tall = kind in ("suv", "minivan", "pickup", "van", "hatchback")
    lamp_low, lamp_high = (m.tail * 0.66, m.tail * 0.98) if tall else (m.tail * 0.7, m.tail * 0.93)
    lamp_width = 0.17 if tall else 0.34
    build.panel(back, (-half * 0.9, half * 0.9), (m.clearance - 0.02, m.tail * 0.42), "trim", 22)
    build.twin_panels(back - 0.01, (half * 0.95 - lamp_width, half * 0.95), (lamp_low, lamp_high), "tail", 5)
    build.sides(
        [
            (back + 0.02, lamp_low, half + 0.006),
            (back + 0.02, lamp_high, half + 0.006),
            (back + 0.2, lamp_high, half + 0.006),
            (back + 0.2, lamp_low, half + 0.006),
        ],
        "tail",
        16,
    )
    plate = m.tail * (0.62 if kind != "suv" else 0.66)
    build.panel(back - 0.01, (-0.19, 0.19), (plate, plate + 0.13), "plate", 18)
    build.panel(front, (-half * 0.62, half * 0.62), (m.nose * 0.55, m.nose * 0.76), "grille", 12)
    build.panel(front, (-half * 0.85, half * 0.85), (m.clearance, m.nose * 0.42), "trim", 22)
    build.panel(front + 0.01, (-0.2, 0.2), (m.nose * 0.42, m.nose * 0.42 + 0.12), "plate", 18)
    build.twin_panels(front + 0.01, (half * 0.6, half * 0.95), (m.nose * 0.66, m.nose * 0.86), "head", 5)


def _box(build: _Builder, y: tuple[float, float], half: float, z: tuple[float, float], material: str) -> None:
    build.across((y[0], z[0], half), (y[0], z[1], half), material)
    build.across((y[1], z[1], half), (y[1], z[0], half), material)
    build.across((y[0], z[1], half), (y[1], z[1], half), material)
    build.sides([(y[0], z[0], half), (y[0], z[1], half), (y[1], z[1], half), (y[1], z[0], half)], material)


def _truck() -> Mesh:
    """A box truck: cab in front, cargo box behind."""
    build, length, half, height = _Builder(), 8.2, 1.22, 3.4
    back, front, cab = -length / 2, length / 2, length / 2 - 2.1
    build.tread(front - 0.7, 0.48, half * 0.96)
    build.sides(
        [
            (back + 0.3, 0.45, half * 0.8),
            (back + 0.3, 0.95, half * 0.8),
            (front, 0.95, half * 0.8),
            (front, 0.4, half * 0.8),
        ],
        "under",
    )
    edge = [
        (cab, 0.45),
        (cab, 2.3),
        (cab + 0.5, 2.5),
        (front - 0.75, 2.45),
        (front - 0.25, 1.5),
        (front, 1.25),
        (front, 0.42),
    ]
    for i, material in enumerate(["body", "body", "body", "body", "body", "body"]):
        build.across((*edge[i], half * 0.94), (*edge[i + 1], half * 0.94), material)
    build.sides([(y, z, half * 0.94) for y, z in edge], "body")
    build.across((front - 0.72, 2.36, half * 0.84), (front - 0.26, 1.56, half * 0.86), "glass", 7)
    build.sides(
        [
            (cab + 0.5, 1.5, half * 0.945),
            (cab + 0.5, 2.25, half * 0.945),
            (front - 0.7, 2.25, half * 0.945),
            (front - 0.45, 1.5, half * 0.945),
        ],
        "glass",
        7,
    )
    build.panel(front + 0.02, (-half * 0.6, half * 0.6), (0.75, 1.15), "grille", 10)
    build.twin_panels(front + 0.03, (half * 0.64, half * 0.9), (0.75, 0.98), "head", 5)
    build.wheels((front - 1.0,), 0.48, half * 0.95)
    build.group = 1
    build.tread(back + 0.9, 0.48, half * 0.98, 0.5)
    build.panel(back + 0.3, (-half * 0.8, half * 0.8), (0.4, 0.95), "under")
    _box(build, (back, cab - 0.15), half, (0.92, height), "cargo")
    build.panel(back - 0.02, (-half * 0.9, half * 0.9), (1.05, height - 0.15), "door", 10)
    build.panel(back - 0.03, (-0.02, 0.02), (1.05, height - 0.15), "under", 24)
    build.panel(back - 0.02, (-half, half), (0.55, 0.78), "trim", 6)
    build.twin_panels(back - 0.04, (half - 0.32, half - 0.05), (0.6, 0.76), "tail", 4)
    build.panel(back - 0.04, (-0.2, 0.2), (0.6, 0.75), "plate", 22)
    build.wheels((back + 1.5, back + 2.55), 0.48, half * 0.99)
    return build.mesh((length, 2 * half, height))


def _bus() -> Mesh:
    build, length, half, height = _Builder(), 11.5, 1.27, 3.1
    back, front = -length / 2, length / 2
    build.tread(back + 0.8, 0.48, half * 0.97, 0.45)
    build.tread(front - 0.8, 0.48, half * 0.97, 0.35)
    _box(build, (back, front), half, (0.32, height), "body")
    build.sides(
        [
            (back, 0.32, half + 0.004),
            (back, 1.0, half + 0.004),
            (front, 1.0, half + 0.004),
            (front, 0.32, half + 0.004),
        ],
        "stripe",
        10,
    )
    for k in range(7):
        y1 = back + 0.4 + k * 1.5
        build.sides(
            [
                (y1, 1.45, half + 0.008),
                (y1, 2.45, half + 0.008),
                (y1 + 1.36, 2.45, half + 0.008),
                (y1 + 1.36, 1.45, half + 0.008),
            ],
            "glass",
            8,
        )
    build.wheels((back + 2.9, front - 2.6), 0.48, half + 0.01)
    build.panel(front + 0.01, (-half * 0.92, half * 0.92), (1.15, 2.5), "glass", 7)
    build.panel(front + 0.01, (-half * 0.8, half * 0.8), (2.6, 2.95), "sign", 12)
    build.twin_panels(front + 0.02, (half * 0.6, half * 0.92), (0.6, 0.85), "head", 5)
    build.panel(back - 0.01, (-half * 0.8, half * 0.8), (1.75, 2.7), "glass", 7)
    build.panel(back - 0.01, (-half * 0.75, half * 0.75), (0.75, 1.5), "grille", 12)
    build.panel(back - 0.01, (-half * 0.98, half * 0.98), (0.32, 0.6), "trim", 12)
    build.twin_panels(back - 0.02, (half * 0.7, half * 0.95), (0.9, 1.35), "tail", 4)
    build.panel(back - 0.02, (-0.22, 0.22), (0.62, 0.76), "plate", 22)
    return build.mesh((length, 2 * half, height))

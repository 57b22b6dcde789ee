"""The shapes of vehicles, built from a handful of measures."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from .mesh import Mesh, MeshBuilder, Point


@dataclass(frozen=True)
class _Measures:
    """A car: all in metres, y from the middle forward; `tail`, `belt` and `nose` are heights of the lower body."""

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
    corner: float = 0.34

    @property
    def back(self) -> float:
        return -self.length / 2

    @property
    def front(self) -> float:
        return self.length / 2

    @property
    def half(self) -> float:
        return self.width / 2


_CARS = {
    "sedan": _Measures(4.75, 1.84, 1.46, 0.96, 0.95, 0.74, -1.72, -0.95, 0.32, 1.22),
    "hatchback": _Measures(4.1, 1.78, 1.52, 0.97, 0.96, 0.76, -1.96, -1.5, 0.4, 1.18, corner=0.24),
    "suv": _Measures(4.75, 1.94, 1.76, 1.1, 1.08, 0.95, -2.28, -1.95, 0.3, 1.2, 0.38, 0.27, corner=0.2),
    "minivan": _Measures(5.1, 1.98, 1.8, 1.06, 1.04, 0.9, -2.48, -2.2, 0.85, 1.8, 0.34, 0.22, 3, corner=0.2),
    "pickup": _Measures(5.7, 2.02, 1.9, 1.15, 1.14, 1.05, -0.4, -0.2, 0.95, 1.7, 0.41, 0.33, corner=0.16),
    "van": _Measures(5.8, 2.05, 2.55, 1.35, 1.34, 1.12, -2.87, -2.8, 1.55, 2.4, 0.36, 0.25, 1, corner=0.12),
}

KINDS = (*_CARS, "truck", "bus")
"""Kinds of vehicle there are shapes for."""

_RING_PARTS = (
    *("back", "back", "back", "flat", "back", "back", "back", "side", "side", "side"),
    *("corner", "front", "front", "flat", "front", "front", "corner", "side", "side", "side"),
)
"""What the parts of a ring from each point to the next are: round corners with lamps, flats and sides."""

_LEVELS = (0.0, 0.2, 0.42, 0.6, 0.92, 1.0)
_BULGE = (0.93, 0.985, 1.0, 1.0, 0.965, 0.93)
_BACK_INSET = (0.10, 0.0, 0.015, 0.035, 0.06, 0.10)
_FRONT_INSET = (0.12, 0.0, 0.03, 0.06, 0.20, 0.30)


@lru_cache
def vehicle_mesh(kind: str, fine: bool = False) -> Mesh:
    """The shape of one of `KINDS`; `fine` has rounded corners."""
    if kind == "truck":
        return _truck()
    if kind == "bus":
        return _bus()
    m, build = _CARS[kind], MeshBuilder()
    _underbody(build, m)
    if fine:
        _rounded_body(build, m, kind)
    else:
        _plain_body(build, m, kind)
    build.wheels((m.back + m.length * 0.19, m.front - m.length * 0.17), m.wheel, m.half + 0.006)
    _cabin(build, m, fine)
    _ends(build, m, kind, fine)
    return build.mesh((m.length, m.width, m.height))


def _underbody(build: MeshBuilder, m: _Measures) -> None:
    half, low = m.half * 0.94, m.clearance + 0.12
    build.tread(m.back + 0.5, m.wheel, m.half * 0.96)
    build.tread(m.front - 0.5, m.wheel, m.half * 0.96)
    build.panel(m.back + 0.14, (-half, half), (0.15, low), "under", 12)
    build.panel(m.front - 0.14, (-half, half), (0.15, low), "under", 12)
    build.flank((m.back + 0.1, m.front - 0.1), (0.16, low), half, "under", 12)


def _plain_body(build: MeshBuilder, m: _Measures, kind: str) -> None:
    """The lower body with sharp corners, for vehicles that are small in the picture."""
    low, half = m.clearance, m.half
    edge = [(m.back, low), (m.back + 0.02, m.tail * 0.6), (m.back + 0.06, m.tail), (m.glass_back, m.belt)]
    edge += [(m.glass_front, m.belt), (m.front - 0.28, m.nose), (m.front - 0.04, m.nose * 0.78), (m.front, low)]
    widths = (0.95, 1.0, 0.96, 0.98, 0.98, 0.93, 0.96, 0.93)
    materials = ("bumper", "body", "bed" if kind == "pickup" else "body", "body", "body", "body", "bumper")
    for i, material in enumerate(materials):
        build.across((*edge[i], half * widths[i]), (*edge[i + 1], half * widths[i + 1]), material)
    build.sides([(y, z, half) for y, z in edge], "body")
    rocker = [(m.back, low), (m.back + 0.02, m.belt * 0.5), (m.front - 0.03, m.belt * 0.5), (m.front, low)]
    build.sides([(y, z, half + 0.003) for y, z in rocker], "sill", 14)


def _rounded_body(build: MeshBuilder, m: _Measures, kind: str) -> None:
    """The lower body as rings with round corners, one over another; some of the corners are the lamps."""
    rings = [_ring(m, level) for level in range(len(_LEVELS))]
    for level, (below, above) in enumerate(pairwise(rings)):
        for i, part in enumerate(_RING_PARTS):
            j = (i + 1) % len(_RING_PARTS)
            build.face([below[i], below[j], above[j], above[i]], _ring_material(part, level, tall=kind != "sedan"))
    top = rings[-1]
    for lid in ([*top[0:9], top[19]], top[9:19], [top[8], top[9], top[18], top[19]]):
        build.face(lid, "body")
    boot = (m.back + 0.12, m.back + 0.3, m.glass_back)
    bonnet = (m.glass_front, m.front - 1.0, m.front - 0.55, m.front - 0.32)
    for line in (boot, bonnet):
        for y1, y2 in pairwise(line):
            low, high = (
                (y, float(np.interp(y, *_top(m))), m.half * (0.74 if y in (boot[0], bonnet[-1]) else 0.88))
                for y in (y1, y2)
            )
            build.across(low, high, "bed" if kind == "pickup" and y1 == boot[1] else "body")


def _ring_material(part: str, level: int, tall: bool) -> str:
    """Material of a ring's part between two levels."""
    if level == 0:
        return "skirt"
    if part == "back" and level in ((2, 3) if tall else (3,)):
        return "tail_corner"
    if part == "front" and level == 3:
        return "head_corner"
    return "rocker" if part == "side" and level == 1 else "body"


def _top(m: _Measures) -> tuple[list[float], list[float]]:
    """y and height of the lower body's upper edge."""
    return [m.back, m.glass_back, m.glass_front, m.front - 0.3, m.front], [
        m.tail,
        m.belt,
        m.belt,
        m.nose,
        m.nose - 0.05,
    ]


def _ring(m: _Measures, level: int) -> list[Point]:
    """A round-cornered outline of the lower body, from the right of its rear over its left; see `_RING_PARTS`."""
    back, front = m.back + _BACK_INSET[level], m.front - _FRONT_INSET[level]
    half, radius = m.half * _BULGE[level], m.corner
    bends = [min(max(y, back + radius + 0.01), front - radius - 0.01) for y in (m.glass_back, m.glass_front)]
    outline: list[tuple[float, float]] = []
    for x, y, start in ((1, back, 0.0), (-1, back, -90.0), (-1, front, -180.0), (1, front, -270.0)):
        middle = y + (radius if y == back else -radius)
        for turn in np.radians(start - np.linspace(0, 90, 4)):
            outline.append((x * (half - radius) + radius * float(np.cos(turn)), middle + radius * float(np.sin(turn))))
        if (x, y) in ((-1, back), (1, front)):
            outline.extend((x * half, bend) for bend in (bends if x < 0 else bends[::-1]))
    heights = np.interp([y for _, y in outline], *_top(m))
    lift = _LEVELS[level]
    return [(x, y, m.clearance + (float(z) - m.clearance) * lift) for (x, y), z in zip(outline, heights, strict=True)]


def _cabin(build: MeshBuilder, m: _Measures, fine: bool) -> None:
    """Roof, pillars and glass."""
    waist, roof, top = m.half * (0.95 if m.corner > 0.3 else 0.92), m.half * 0.79, m.height - 0.06
    back, front = m.roof_back, m.roof_front
    low_back, low_front = (m.glass_back, m.belt, waist), (m.glass_front, m.belt, waist)
    high_back, high_front = (back, top, roof), (front, top, roof)
    crown = ((back + 0.25, m.height, roof * 0.88), (front - 0.2, m.height, roof * 0.88))
    build.sides([low_back, high_back, high_front, low_front], "body")
    build.across(low_back, high_back, "body")
    build.across(high_front, low_front, "body")
    build.across(high_back, crown[0], "body", 20)
    build.across(*crown, "roof")
    build.across(crown[1], high_front, "body", 20)
    build.sides([high_back, *crown, high_front], "body", 14)
    for low, high, material in ((0.1, 0.9, "glass"), (0.52, 0.9, "glint")):
        if fine or material == "glass":
            _window(build, low_back, high_back, low, high, material)
            _window(build, low_front, high_front, low - 0.04, high + 0.02, material)
    if m.windows == 1:
        spans = [(0.74, 0.97)]
    else:
        cuts = [float(cut) for cut in np.linspace(0.05, 0.96, m.windows + 1)]
        spans = [(a + 0.012, b - 0.012) for a, b in pairwise(cuts)]
    for start, end in spans:
        _side_window(build, m, waist, roof, start, end)


def _window(build: MeshBuilder, low: Point, high: Point, start: float, end: float, material: str) -> None:
    """Glass between two edges of the cabin (y, z, half width), from share `start` to `end` of the way up."""
    away = 0.012 if low[0] > 0 else -0.012
    edges: list[Point] = []
    for share in (start, end):
        y, z, half = (a + (b - a) * share for a, b in zip(low, high, strict=True))
        edges.append((y + away, z + 0.01, half * 0.88))
    build.across(edges[0], edges[1], material, 7 if material == "glass" else 40)


def _side_window(build: MeshBuilder, m: _Measures, waist: float, roof: float, start: float, end: float) -> None:
    top = m.height - 0.06
    z1, z2 = m.belt + 0.04, top - 0.05
    lift = (z2 - m.belt) / (top - m.belt)
    x1, x2 = waist - (waist - roof) * 0.1 + 0.008, waist - (waist - roof) * lift + 0.008
    points = [(m.glass_back + (m.glass_front - m.glass_back) * k, z1, x1) for k in (start, end)]
    points += [(m.roof_back + (m.roof_front - m.roof_back) * k, z2, x2) for k in (end, start)]
    build.sides(points, "glass", 7)


def _ends(build: MeshBuilder, m: _Measures, kind: str, fine: bool) -> None:
    """Lamps, plates, grille."""
    back, front, half = m.back - 0.02, m.front + 0.02, m.half
    plate = m.clearance + (m.tail - m.clearance) * (0.47 if kind != "suv" else 0.5)
    build.panel(back - 0.01, (-0.19, 0.19), (plate, plate + 0.13), "plate", 18)
    build.panel(front, (-half * 0.5, half * 0.5), (m.nose * 0.58, m.nose * 0.8), "grille", 12)
    build.panel(front + 0.01, (-0.2, 0.2), (m.nose * 0.42, m.nose * 0.42 + 0.12), "plate", 18)
    build.panel(front, (-half * 0.6, half * 0.6), (m.clearance + 0.08, m.nose * 0.4), "trim", 22)
    if fine:
        seam = m.clearance + (m.tail - m.clearance) * 0.4
        build.panel(back, (-half * 0.8, half * 0.8), (seam - 0.012, seam + 0.012), "trim", 60)
        build.panel(back, (-half * 0.62, half * 0.62), (m.clearance + 0.08, m.clearance + 0.2), "trim", 30)
        build.panel(m.glass_back - 0.06, (-0.16, 0.16), (m.belt - 0.01, m.belt + 0.025), "tail", 60)
        return
    tall = kind != "sedan"
    low, high, wide = (m.tail * 0.58, m.tail * 0.93, 0.18) if tall else (m.tail * 0.68, m.tail * 0.9, 0.36)
    build.panel(back, (-half * 0.85, half * 0.85), (m.clearance - 0.02, m.tail * 0.36), "trim", 22)
    build.twin_panels(back - 0.01, (half * 0.95 - wide, half * 0.95), (low, high), "tail", 4)
    build.flank((back + 0.02, back + 0.2), (low, high), half + 0.006, "tail", 16)
    build.twin_panels(front + 0.01, (half * 0.6, half * 0.95), (m.nose * 0.66, m.nose * 0.86), "head", 4)


def _truck() -> Mesh:
    """A box truck: cab in front, cargo box behind."""
    build, length, half, height = MeshBuilder(), 8.2, 1.22, 3.4
    back, front, cab, wide = -length / 2, length / 2, length / 2 - 2.1, 1.22 * 0.94
    build.tread(front - 0.7, 0.48, half * 0.96)
    build.flank((back + 0.3, front), (0.42, 0.95), half * 0.8, "under")
    edge = [(cab, 0.45), (cab, 2.3), (cab + 0.5, 2.5), (front - 0.75, 2.45)]
    edge += [(front - 0.25, 1.5), (front, 1.25), (front, 0.42)]
    for low, high in pairwise(edge):
        build.across((*low, wide), (*high, wide), "body")
    build.sides([(y, z, wide) for y, z in edge], "body")
    build.across((front - 0.72, 2.36, half * 0.84), (front - 0.26, 1.56, half * 0.86), "glass", 7)
    window = [(cab + 0.5, 1.5), (cab + 0.5, 2.25), (front - 0.7, 2.25), (front - 0.45, 1.5)]
    build.sides([(y, z, wide + 0.01) for y, z in window], "glass", 7)
    build.panel(front + 0.02, (-half * 0.6, half * 0.6), (0.75, 1.15), "grille", 10)
    build.twin_panels(front + 0.03, (half * 0.64, half * 0.9), (0.75, 0.98), "head", 5)
    build.wheels((front - 1.0,), 0.48, half * 0.95)
    build.group = 1
    build.tread(back + 0.9, 0.48, half * 0.98, 0.5)
    build.panel(back + 0.3, (-half * 0.8, half * 0.8), (0.4, 0.95), "under")
    build.box((back, cab - 0.15), half, (0.92, height), "cargo")
    build.panel(back - 0.02, (-half * 0.9, half * 0.9), (1.05, height - 0.15), "door", 10)
    build.panel(back - 0.03, (-0.02, 0.02), (1.05, height - 0.15), "trim", 24)
    build.panel(back - 0.02, (-half, half), (0.55, 0.78), "skirt", 6)
    build.twin_panels(back - 0.04, (half - 0.32, half - 0.05), (0.6, 0.76), "tail", 4)
    build.panel(back - 0.04, (-0.2, 0.2), (0.6, 0.75), "plate", 22)
    build.flank((back + 0.8, cab - 0.9), (1.5, 2.7), half + 0.01, "stripe", 20)
    build.wheels((back + 1.5, back + 2.55), 0.48, half * 0.99)
    return build.mesh((length, 2 * half, height))


def _bus() -> Mesh:
    build, length, half, height = MeshBuilder(), 11.5, 1.27, 3.1
    back, front, skin = -length / 2, length / 2, 1.27 + 0.006
    build.tread(back + 0.8, 0.48, half * 0.97, 0.45)
    build.tread(front - 0.8, 0.48, half * 0.97, 0.35)
    build.box((back, front), half, (0.32, height), "body")
    build.flank((back, front), (0.32, 1.0), skin, "stripe", 10)
    for start in back + 0.4 + 1.5 * np.arange(7):
        build.flank((float(start), float(start) + 1.36), (1.45, 2.45), skin, "glass", 8)
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

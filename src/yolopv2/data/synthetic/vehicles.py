"""Paints vehicles: lit faces, glass, lamps and their glow."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .bodies import KINDS, vehicle_mesh
from .camera import NEAR, Camera
from .canvas import Canvas
from .conditions import Conditions
from .mesh import Mesh
from .road import Stretch

_PAINTS = (
    (232, 232, 230), (198, 201, 204), (152, 156, 160), (98, 101, 105), (46, 48, 52), (24, 25, 28),
    (150, 28, 30), (98, 18, 24), (36, 62, 118), (22, 34, 62), (60, 100, 150), (40, 74, 58),
    (120, 104, 82), (176, 164, 140), (190, 92, 34), (84, 58, 44),
)  # fmt: skip
_PAINT_ODDS = (5, 4, 4, 4, 4, 6, 2, 1, 2, 1.5, 1, 0.7, 0.8, 1, 0.4, 0.5)
_TAXI = (226, 168, 28)
_KIND_ODDS = {"sedan": 34, "hatchback": 12, "suv": 26, "minivan": 7, "pickup": 8, "van": 6, "truck": 4, "bus": 3}

_ALBEDO = {
    "glass": (26, 31, 36), "tyre": (22, 22, 23), "rim": (128, 130, 133), "arch": (14, 14, 15), "under": (13, 13, 14),
    "trim": (38, 39, 41), "grille": (24, 25, 27), "plate": (205, 205, 196), "tail": (128, 16, 18),
    "head": (186, 192, 198), "sign": (30, 26, 18), "bed": (30, 30, 32), "glint": (34, 39, 45),
    "tail_corner": (120, 16, 18), "head_corner": (180, 186, 192),
}  # fmt: skip
_PAINTED = {"body": 1.0, "roof": 1.0, "cargo": 1.0, "sill": 0.72, "bumper": 0.86, "door": 0.9}
_SHINE = {"glass": 0.26, "glint": 0.4, "body": 0.1, "roof": 0.2, "cargo": 0.02, "sill": 0.03, "bumper": 0.06}

_LEAST_PIXELS = 2.5
_FINE_PIXELS = 34.0


@dataclass(frozen=True)
class Vehicle:
    """One vehicle at one moment.

    Attributes:
        kind: One of `KINDS`.
        paint: Its colour, RGB 0..255.
        scale: Its measures relative to the kind's, float ``[3]`` (width, length, height).
        s: Station of its middle.
        t: Metres right of the reference line.
        turn: Radians clockwise from the road's heading.
        lights: Whether its lamps are lit.
        braking: Whether its brake lamps are.
    """

    kind: str
    paint: tuple[int, int, int]
    scale: tuple[float, float, float]
    s: float
    t: float
    turn: float
    lights: bool
    braking: bool

    @property
    def size(self) -> tuple[float, float, float]:
        """Length, width and height in metres."""
        length, width, height = vehicle_mesh(self.kind).size
        return length * self.scale[1], width * self.scale[0], height * self.scale[2]


def draw_looks(
    rng: np.random.Generator, short: bool = False
) -> tuple[str, tuple[int, int, int], tuple[float, float, float]]:
    """Draw a kind (when `short`, no truck or bus), a colour and a scale."""
    odds = np.array([_KIND_ODDS[kind] * (not short or kind not in ("truck", "bus")) for kind in KINDS], np.float64)
    kind = KINDS[int(np.searchsorted(np.cumsum(odds / odds.sum()), rng.random() * 0.999999))]
    odds = np.cumsum(_PAINT_ODDS) / np.sum(_PAINT_ODDS)
    paint = _PAINTS[int(np.searchsorted(odds, rng.random() * 0.999999))]
    taxi = rng.random() < 0.09 and kind in ("sedan", "minivan", "suv")
    white = rng.random() < 0.6 and kind in ("van", "truck", "bus")
    shift = rng.integers(-8, 9)
    red, green, blue = (int(np.clip(c + shift, 4, 250)) for c in (_TAXI if taxi else _PAINTS[0] if white else paint))
    width, length, height = rng.uniform((0.95, 0.93, 0.96), (1.05, 1.08, 1.06))
    return kind, (red, green, blue), (float(width), float(length), float(height))


def footprint(vehicle: Vehicle, stretch: Stretch, margin: float = 0.0) -> NDArray[np.float64]:
    """Ego points ``[4, 3]`` of the vehicle's outline on the ground."""
    length, width, _ = vehicle.size
    x, y = width / 2 + margin, length / 2 + margin
    return _place(vehicle, stretch, np.array([[-x, -y, 0], [x, -y, 0], [x, y, 0], [-x, y, 0]], np.float64))


@dataclass(frozen=True)
class _Lamp:
    centre: NDArray[np.float64]
    radius: float
    colour: NDArray[np.float64]
    pixels: float
    label: int


class VehiclePainter:
    """Paints the vehicles of one frame.

    Args:
        canvas: What is painted on.
        camera: Who looks.
        stretch: Where the road runs.
        conditions: Light and weather.
        beam: How strongly the ego's headlights light what is ahead.
    """

    def __init__(self, canvas: Canvas, camera: Camera, stretch: Stretch, conditions: Conditions, beam: float) -> None:
        self.canvas, self.camera, self.stretch = canvas, camera, stretch
        self.conditions, self.beam = conditions, beam
        self._lamps: list[_Lamp] = []
        azimuth = conditions.sun_azimuth - stretch.bearing
        level = np.cos(conditions.sun_elevation)
        self.sun = np.array([level * np.sin(azimuth), level * np.cos(azimuth), np.sin(conditions.sun_elevation)])

    def paint(self, vehicle: Vehicle, label: int) -> int:
        """Paint a vehicle over what is there; returns how many pixels of the frame it covers."""
        middle = _place(vehicle, self.stretch, np.zeros((1, 3)))[0]
        distance = float(np.hypot(middle[0], middle[1]))
        pixels = self.camera.focal * vehicle.size[2] / max(distance, 1.0)
        if pixels < _LEAST_PIXELS:
            return 0
        mesh = vehicle_mesh(vehicle.kind, pixels > _FINE_PIXELS)
        vertices = _place(vehicle, self.stretch, mesh.vertices * vehicle.scale)
        depth = self.camera.depth(vertices)
        if depth.max() < NEAR + 0.3:
            return 0
        clipped = bool(depth.min() < NEAR)
        points = self.camera.project(vertices) if not clipped else np.zeros((0, 2))
        if not clipped and self.canvas.outside(points):
            return 0
        colours, order = self._colours(vehicle, mesh, middle), self._order(vehicle, mesh, middle, pixels)
        if clipped:
            for face in order:
                cut = self.camera.clip_near(vertices[mesh.starts[face] : mesh.starts[face + 1]])
                if len(cut) >= 3:
                    self.canvas.polygon(self.camera.project(cut), colours[face], label)
            return self.canvas.count(label, None)
        self.canvas.faces(points, mesh.starts, order, colours, mesh.skin, label)
        if vehicle.lights:
            self._light_lamps(vehicle, mesh, points, middle, pixels, label)
        return self.canvas.count(label, points)

    def _order(self, vehicle: Vehicle, mesh: Mesh, middle: NDArray[np.float64], pixels: float) -> list[int]:
        """Faces that look at the camera and are big enough, the farther group first."""
        eye = self._eye(vehicle, middle) / vehicle.scale
        facing = np.sum(mesh.normals * (eye - mesh.centres), axis=1) > 0
        chosen = np.flatnonzero(facing & (mesh.pixels <= pixels))
        if mesh.groups[-1] == 0:
            return [int(face) for face in chosen]
        nearer = 1 if eye[1] < 0 else 0
        return [int(face) for face in chosen[np.argsort(mesh.groups[chosen] == nearer, kind="stable")]]

    def _eye(self, vehicle: Vehicle, middle: NDArray[np.float64]) -> NDArray[np.float64]:
        """The lens in the vehicle's frame."""
        heading = float(self.stretch.heading_at(vehicle.s)) + vehicle.turn
        away = np.array([0.0, 0.0, self.camera.lens_height]) - middle
        cos, sin = np.cos(heading), np.sin(heading)
        return np.array([away[0] * cos - away[1] * sin, away[0] * sin + away[1] * cos, away[2]])

    def _colours(self, vehicle: Vehicle, mesh: Mesh, middle: NDArray[np.float64]) -> NDArray[np.float64]:
        """Lit colour of each face, float ``[f, 3]``."""
        look = self.conditions
        heading = float(self.stretch.heading_at(vehicle.s)) + vehicle.turn
        cos, sin = np.cos(heading), np.sin(heading)
        x, y, up = mesh.normals.T
        normals = np.stack([x * cos + y * sin, y * cos - x * sin, up], -1)
        distance = float(np.hypot(middle[0], middle[1]))
        sun = np.clip(normals @ self.sun, 0, 1)
        light = look.ambient * (0.92 + 0.16 * up)[:, None] + look.sun * sun[:, None]
        if look.headlights and middle[1] > 0:
            spread = 1.6 + 0.24 * middle[1]
            beam = self.beam * np.exp(-((middle[0] / spread) ** 2)) / (1 + (distance / 17) ** 2)
            facing = np.clip(normals @ (-middle / max(distance, 1e-6)), 0, 1)
            light = light + (np.array([1.0, 0.95, 0.85]) * 0.8 * beam * (0.2 + look.dark)) * facing[:, None]
        albedo, shiny = _surface(mesh.materials, vehicle.paint)
        mirrored = (look.horizon * 0.5 + look.zenith * 0.5) * (1 - 0.75 * look.dark)
        colours = albedo * light + (shiny * np.clip(0.35 + 0.9 * up, 0.1, 1))[:, None] * mirrored
        if vehicle.lights or vehicle.braking:
            for i in _lamps_of(mesh.materials):
                colours[i] = np.maximum(colours[i], self._emission(vehicle, mesh.materials[i]))
        haze = look.haze(distance)
        return np.clip(colours + (look.horizon - colours) * haze, 0, 255)

    def _emission(self, vehicle: Vehicle, material: str) -> NDArray[np.float64]:
        if material.startswith("tail") and vehicle.braking:
            return np.array([244.0, 38, 28])
        if not vehicle.lights:
            return np.zeros(3)
        lit = {"tail": (178.0, 22, 18), "head": (255.0, 250, 232), "sign": (255.0, 160, 40)}
        return np.array(lit[material.removesuffix("_corner")])

    def _light_lamps(
        self,
        vehicle: Vehicle,
        mesh: Mesh,
        points: NDArray[np.float64],
        middle: NDArray[np.float64],
        pixels: float,
        label: int,
    ) -> None:
        """Remember the lamps that look at the camera."""
        look = self.conditions
        behind = self._eye(vehicle, middle)[1] < 0
        name = "tail" if behind else "head"
        colour = np.array([210.0, 26, 16]) if behind else np.array([235.0, 228, 205])
        strength = (0.25 + 0.75 * look.dark) * (1.0 if vehicle.braking or not behind else 0.55)
        strength *= float(np.exp(-middle[1] / (2.5 * look.visibility)))
        radius = pixels * (0.13 if behind else 0.3) + self.camera.width / 600
        for side in (-1, 1):
            faces = [
                i
                for i in _lamps_of(mesh.materials)
                if mesh.materials[i].startswith(name) and mesh.centres[i, 0] * side > 0.25
            ]
            facing = [i for i in faces if mesh.normals[i, 1] * (-1 if behind else 1) > 0.6]
            if facing:
                centre = np.mean([points[mesh.starts[i] : mesh.starts[i + 1]].mean(axis=0) for i in facing], axis=0)
                self._lamps.append(_Lamp(centre, radius, colour * strength, pixels, label))

    def shine(self) -> None:
        """Let the lamps glow that nothing painted since has covered."""
        for lamp in self._lamps:
            if self.canvas.label_at(lamp.centre) != lamp.label:
                continue
            self.canvas.glow(lamp.centre, lamp.radius * 0.45, lamp.colour)
            self.canvas.glow(lamp.centre, lamp.radius * 1.6, lamp.colour * 0.3)
            if self.conditions.wetness > 0.4:
                below = lamp.centre + (0, lamp.pixels * 0.75)
                self.canvas.glow(below, lamp.radius * 0.5, lamp.colour * self.conditions.wetness * 0.35, 4.0)


@lru_cache(maxsize=512)
def _surface(
    materials: tuple[str, ...], paint: tuple[int, int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Albedo ``[f, 3]`` and share of the sky mirrored ``[f]`` of faces."""
    painted = {name: np.array(paint, np.float64) * share for name, share in _PAINTED.items()}
    painted["stripe"] = np.array(paint[::-1], np.float64) * 0.5 + 40
    albedo = np.array([painted[name] if name in painted else np.array(_ALBEDO[name], np.float64) for name in materials])
    return albedo, np.array([_SHINE.get(name, 0.0) for name in materials])


@lru_cache
def _lamps_of(materials: tuple[str, ...]) -> tuple[int, ...]:
    """The faces that can shine."""
    return tuple(i for i, name in enumerate(materials) if name.startswith(("tail", "head", "sign")))


def _place(vehicle: Vehicle, stretch: Stretch, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ego points of points in the vehicle's frame; the vehicle follows the ground."""
    middle = stretch.to_ego(vehicle.s, vehicle.t)
    heading = float(stretch.heading_at(vehicle.s)) + vehicle.turn
    cos, sin = np.cos(heading), np.sin(heading)
    x = middle[0] + points[:, 0] * cos + points[:, 1] * sin
    y = middle[1] - points[:, 0] * sin + points[:, 1] * cos
    return np.stack([x, y, stretch.ground(y) + points[:, 2]], axis=-1)

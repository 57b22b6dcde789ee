"""Paints vehicles: lit faces, glass, lamps and their glow."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .bodies import KINDS, vehicle_mesh
from .camera import NEAR, Camera
from .canvas import Extent
from .mesh import Mesh
from .road import Stretch
from .viewpoint import HEADLIGHT, Viewpoint

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
    "trim": (38, 39, 41), "skirt": (40, 41, 43), "grille": (24, 25, 27), "plate": (205, 205, 196),
    "tail": (128, 16, 18), "head": (186, 192, 198), "sign": (30, 26, 18), "bed": (30, 30, 32), "glint": (34, 39, 45),
    "tail_corner": (120, 16, 18), "head_corner": (180, 186, 192),
}  # fmt: skip
_PAINTED = {"body": 1.0, "roof": 1.0, "cargo": 1.0, "sill": 0.72, "rocker": 0.8, "bumper": 0.86, "door": 0.9}
_SHINE = {"glass": 0.26, "glint": 0.4, "body": 0.1, "roof": 0.2, "cargo": 0.02, "sill": 0.03, "bumper": 0.06}

_NOTHING = Extent(0, (0, 0, 0, 0))
_LEAST_PIXELS = 3.0
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


@dataclass(frozen=True)
class PlacedVehicle:
    """A vehicle where the ego sees it.

    Attributes:
        vehicle: What it is.
        x: Its middle on the ground in the ego frame.
        y: Its middle on the ground in the ego frame.
        z: Its middle on the ground in the ego frame.
        heading: Its heading relative to the ego in radians, clockwise.
        slope: Rise of the ground beneath it in metres a metre of y.
    """

    vehicle: Vehicle
    x: float
    y: float
    z: float
    heading: float
    slope: float

    @classmethod
    def on(cls, stretch: Stretch, vehicle: Vehicle) -> "PlacedVehicle":
        """Put a vehicle on the road."""
        x, y, z = stretch.point(vehicle.s, vehicle.t)
        return cls(vehicle, x, y, z, stretch.heading_at(vehicle.s) + vehicle.turn, stretch.ground_at(y)[1])

    @property
    def distance(self) -> float:
        """Metres from the ego."""
        return math.hypot(self.x, self.y)

    @property
    def position(self) -> tuple[float, float, float]:
        """Its middle on the ground in the ego frame."""
        return self.x, self.y, self.z

    def turn(self) -> NDArray[np.float64]:
        """Matrix ``[3, 3]`` that turns row vectors of the vehicle's frame into the ego frame, as the ground lies."""
        cos, sin = math.cos(self.heading), math.sin(self.heading)
        return np.array([[cos, -sin, -sin * self.slope], [sin, cos, cos * self.slope], [0, 0, 1]])

    def footprint(self, margin: float = 0.0) -> NDArray[np.float64]:
        """Ego points ``[4, 3]`` of its outline on the ground."""
        length, width, _ = self.vehicle.size
        x, y = width / 2 + margin, length / 2 + margin
        corners = np.array([[-x, -y, 0], [x, -y, 0], [x, y, 0], [-x, y, 0]], np.float64)
        return corners @ self.turn() + self.position

    def lens_in_frame(self, lens_height: float) -> NDArray[np.float64]:
        """The ego's lens in the vehicle's frame."""
        cos, sin = math.cos(self.heading), math.sin(self.heading)
        return np.array([self.y * sin - self.x * cos, -self.x * sin - self.y * cos, lens_height - self.z])

    def in_view(self, camera: Camera) -> bool:
        """Whether it may be seen at all: before the lens, within the frame's sides, and not a mere speck."""
        length, _, height = self.vehicle.size
        if self.y < -length / 2 or camera.focal * height < _LEAST_PIXELS * self.distance:
            return False
        sideways = (self.y + length) * camera.width * 0.55 / camera.focal + length
        return abs(self.x) < sideways


class VehiclePainter:
    """Paints the vehicles of one frame.

    Args:
        view: Who looks at what, in which light.
        beam: How strongly the ego's headlights light what is ahead.
    """

    def __init__(self, view: Viewpoint, beam: float) -> None:
        self.canvas, self.camera, self.conditions, self.sun = view.canvas, view.camera, view.conditions, view.sun
        self.beam = beam

    def paint(self, placed: PlacedVehicle, label: int) -> Extent:
        """Paint a vehicle over what is there; returns how much of the frame it covers."""
        vehicle = placed.vehicle
        pixels = self.camera.focal * vehicle.size[2] / max(placed.distance, 1.0)
        mesh = vehicle_mesh(vehicle.kind, pixels > _FINE_PIXELS)
        linear = placed.turn() * np.array(vehicle.scale)[:, None]
        matrix, offset = self.camera.seen_through(linear, placed.position)
        seen = mesh.vertices @ matrix + offset
        depth = seen[:, 2].tolist()
        nearest, farthest = min(depth), max(depth)
        if farthest < NEAR + 0.3:
            return _NOTHING
        lens = placed.lens_in_frame(self.camera.lens_height) / vehicle.scale
        if nearest < NEAR:
            vertices = mesh.vertices @ linear + placed.position
            colours = self._colours(placed, mesh)
            for face in _order(mesh, lens, pixels):
                cut = self.camera.clip_near(vertices[mesh.starts[face] : mesh.starts[face + 1]])
                if len(cut) >= 3:
                    self.canvas.polygon(self.camera.project(cut), colours[face], label)
            return self.canvas.extent(label, None)
        points = self.camera.pixels(seen)
        if self.canvas.outside(points):
            return _NOTHING
        colours = self._colours(placed, mesh)
        self.canvas.faces(points, mesh.starts, _order(mesh, lens, pixels), colours, mesh.skin, label)
        if vehicle.lights:
            self._light_lamps(placed, mesh, points, pixels)
        return self.canvas.extent(label, points)

    def _colours(self, placed: PlacedVehicle, mesh: Mesh) -> NDArray[np.float64]:
        """Lit colour of each face, float ``[f, 3]``."""
        look, vehicle = self.conditions, placed.vehicle
        cos, sin = math.cos(placed.heading), math.sin(placed.heading)
        normals = mesh.normals @ np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        up = mesh.normals[:, 2:]
        light = look.ambient * (0.92 + 0.16 * up)
        if look.sun.any():
            light += look.sun * np.maximum(normals @ self.sun, 0)[:, None]
        if look.headlights and placed.y > 0:
            spread, distance = 1.6 + 0.24 * placed.y, placed.distance
            beam = self.beam * math.exp(-((placed.x / spread) ** 2)) / (1 + (distance / 17) ** 2)
            facing = np.maximum(normals @ (np.array([-placed.x, -placed.y, -placed.z]) / distance), 0)
            light += HEADLIGHT * (0.8 * beam * (0.2 + look.dark)) * facing[:, None]
        albedo, shiny = _surface(mesh, vehicle.paint)
        mirrored = (look.horizon * 0.5 + look.zenith * 0.5) * (1 - 0.75 * look.dark)
        colours = albedo * light + shiny * np.clip(0.35 + 0.9 * up, 0.1, 1) * mirrored
        if vehicle.lights or vehicle.braking:
            for i in _lamps_of(mesh):
                colours[i] = np.maximum(colours[i], self._emission(vehicle, mesh.materials[i]))
        haze = look.haze(placed.distance)
        return np.clip(colours + (look.horizon - colours) * haze, 0, 255)

    def _emission(self, vehicle: Vehicle, material: str) -> NDArray[np.float64]:
        if material.startswith("tail") and vehicle.braking:
            return np.array([244.0, 38, 28])
        if not vehicle.lights:
            return np.zeros(3)
        lit = {"tail": (178.0, 22, 18), "head": (255.0, 250, 232), "sign": (255.0, 160, 40)}
        return np.array(lit[material.removesuffix("_corner")])

    def _light_lamps(self, placed: PlacedVehicle, mesh: Mesh, points: NDArray[np.float64], pixels: float) -> None:
        """Let the lamps glow that look at the camera."""
        look = self.conditions
        behind = placed.lens_in_frame(self.camera.lens_height)[1] < 0
        name = "tail" if behind else "head"
        colour = np.array([210.0, 26, 16]) if behind else np.array([235.0, 228, 205])
        strength = (0.25 + 0.75 * look.dark) * (1.0 if placed.vehicle.braking or not behind else 0.55)
        strength *= math.exp(-placed.y / (2.5 * look.visibility))
        radius = pixels * (0.13 if behind else 0.34) + self.camera.width / 500
        for vertices in _lamp_vertices(mesh, name):
            x, y = points[vertices].mean(axis=0).tolist()
            self.canvas.glow((x, y), radius * 0.45, colour * strength)
            self.canvas.glow((x, y), radius * 1.6, colour * (strength * 0.3))
            if look.wetness > 0.4:
                streak = colour * (strength * look.wetness * 0.35)
                self.canvas.glow((x, y + pixels * 0.75), radius * 0.5, streak, stretch=4.0, source=(x, y))


@lru_cache(maxsize=512)
def _surface(mesh: Mesh, paint: tuple[int, int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Albedo ``[f, 3]`` and share of the sky mirrored ``[f, 1]`` of faces."""
    colours = {name: np.array(albedo, np.float64) for name, albedo in _ALBEDO.items()}
    colours |= {name: np.array(paint, np.float64) * share for name, share in _PAINTED.items()}
    colours["stripe"] = np.array(paint[::-1], np.float64) * 0.5 + 40
    albedo = np.array([colours[name] for name in mesh.materials])
    return albedo, np.array([[_SHINE.get(name, 0.0)] for name in mesh.materials])


@lru_cache(maxsize=64)
def _lamps_of(mesh: Mesh) -> tuple[int, ...]:
    """The faces that can shine."""
    return tuple(i for i, name in enumerate(mesh.materials) if name.startswith(("tail", "head", "sign")))


@lru_cache(maxsize=64)
def _lamp_vertices(mesh: Mesh, name: str) -> list[list[int]]:
    """Vertices of the left and the right lamp called `name` ("tail" or "head") that are seen from its end."""
    ahead = -1 if name == "tail" else 1
    lamps: list[list[int]] = [[], []]
    for face in _lamps_of(mesh):
        x = float(mesh.centres[face, 0])
        if mesh.materials[face].startswith(name) and mesh.normals[face, 1] * ahead > 0.6 and abs(x) > 0.25:
            lamps[x > 0].extend(range(mesh.starts[face], mesh.starts[face + 1]))
    return [lamp for lamp in lamps if lamp]


def _order(mesh: Mesh, lens: NDArray[np.float64], pixels: float) -> list[int]:
    """Faces that look at the lens and are big enough, the farther group first."""
    facing = mesh.normals @ lens > mesh.offsets
    chosen = np.flatnonzero(facing & (mesh.pixels <= pixels))
    if mesh.groups[-1] > 0:
        chosen = chosen[np.argsort(mesh.groups[chosen] == (1 if lens[1] < 0 else 0), kind="stable")]
    order: list[int] = chosen.tolist()
    return order

"""Vehicles as flat faces: the container, and the tool that bodies are built with.

The vehicle frame has its origin on the ground beneath the vehicle's middle: x right, y forward, z up, in metres.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float, float]

_ON_THE_SKIN = frozenset({"glass", "glint", "plate", "tail", "head", "grille", "trim", "sill", "stripe", "sign", "rim"})


@dataclass(frozen=True, eq=False)
class Mesh:
    """A vehicle's faces, in an order in which later ones lie over earlier ones of the same group.

    Attributes:
        vertices: float ``[n, 3]``.
        starts: Face i has the vertices from ``starts[i]`` up to ``starts[i + 1]``.
        normals: Outward unit normals, float ``[f, 3]``.
        centres: float ``[f, 3]``.
        offsets: float ``[f]``: a point p is in front of face i when ``normals[i] @ p > offsets[i]``.
        materials: Name of each face's material.
        groups: int ``[f]``: parts that hide one another as wholes, as a cab and its box.
        pixels: float ``[f]``: how many pixels high the vehicle must be for the face to be worth painting.
        skin: bool ``[f]``: faces that lie on others and add nothing to the outline.
        size: Length, width and height.
    """

    vertices: NDArray[np.float64]
    starts: tuple[int, ...]
    normals: NDArray[np.float64]
    centres: NDArray[np.float64]
    offsets: NDArray[np.float64]
    materials: tuple[str, ...]
    groups: NDArray[np.intp]
    pixels: NDArray[np.float64]
    skin: tuple[bool, ...]
    size: tuple[float, float, float]


class MeshBuilder:
    """Collects faces."""

    def __init__(self) -> None:
        self.group = 0
        self._faces: list[NDArray[np.float64]] = []
        self._materials: list[str] = []
        self._groups: list[int] = []
        self._pixels: list[float] = []

    def face(self, points: Sequence[Point], material: str, pixels: float = 0.0) -> None:
        """Add a convex face."""
        self._faces.append(np.array(points, np.float64))
        self._materials.append(material)
        self._groups.append(self.group)
        self._pixels.append(pixels)

    def across(self, low: Point, high: Point, material: str, pixels: float = 0.0) -> None:
        """Add a face across the vehicle between two edges, each (y, z, half width)."""
        (y1, z1, w1), (y2, z2, w2) = low, high
        self.face([(-w1, y1, z1), (w1, y1, z1), (w2, y2, z2), (-w2, y2, z2)], material, pixels)

    def sides(self, outline: Sequence[Point], material: str, pixels: float = 0.0) -> None:
        """Add a face on both sides from points (y, z, distance from the middle plane)."""
        for side in (-1, 1):
            self.face([(side * x, y, z) for y, z, x in outline], material, pixels)

    def flank(
        self, y: tuple[float, float], z: tuple[float, float], x: float, material: str, pixels: float = 0.0
    ) -> None:
        """Add an upright rectangle on both sides."""
        self.sides([(y[0], z[0], x), (y[0], z[1], x), (y[1], z[1], x), (y[1], z[0], x)], material, pixels)

    def panel(
        self, y: float, x: tuple[float, float], z: tuple[float, float], material: str, pixels: float = 0.0
    ) -> None:
        """Add an upright rectangle that faces back or forward."""
        self.face([(x[0], y, z[0]), (x[1], y, z[0]), (x[1], y, z[1]), (x[0], y, z[1])], material, pixels)

    def twin_panels(
        self, y: float, x: tuple[float, float], z: tuple[float, float], material: str, pixels: float = 0.0
    ) -> None:
        """Add the same on both sides of the middle."""
        self.panel(y, x, z, material, pixels)
        self.panel(y, (-x[1], -x[0]), z, material, pixels)

    def box(self, y: tuple[float, float], half: float, z: tuple[float, float], material: str) -> None:
        """Add the four walls and the top of a box."""
        self.across((y[0], z[0], half), (y[0], z[1], half), material)
        self.across((y[1], z[1], half), (y[1], z[0], half), material)
        self.across((y[0], z[1], half), (y[1], z[1], half), material)
        self.flank(y, z, half, material)

    def wheels(self, axles: Sequence[float], radius: float, x: float) -> None:
        """Add wheels on both sides at distance x from the middle plane."""
        turn = np.linspace(0, 2 * np.pi, 13)[:-1]
        rings = ((1.16, 0.0, "arch", 12), (1.0, 0.012, "tyre", 5), (0.66, 0.02, "rim", 16), (0.2, 0.025, "arch", 40))
        for y in axles:
            for scale, out, material, pixels in rings:
                up = np.maximum(radius + radius * scale * np.sin(turn), 0.0)
                along = y + radius * scale * np.cos(turn)
                self.sides([(float(a), float(z), x + out) for a, z in zip(along, up, strict=True)], material, pixels)

    def tread(self, y: float, radius: float, x: float, width: float = 0.23) -> None:
        """Add what is seen of a pair of wheels from behind or in front."""
        self.twin_panels(y, (x - width, x), (0.0, radius * 1.3), "tyre", 7)

    def mesh(self, size: tuple[float, float, float]) -> Mesh:
        """The mesh of all faces; faces look away from the middle of their group."""
        centres = np.array([face.mean(axis=0) for face in self._faces])
        normals = np.array([np.cross(face[1] - face[0], face[2] - face[1]) for face in self._faces])
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        groups = np.array(self._groups)
        middles = np.zeros_like(centres)
        for group in set(self._groups):
            points = np.concatenate([face for face, of in zip(self._faces, groups, strict=True) if of == group])
            middles[groups == group] = (points.min(axis=0) + points.max(axis=0)) / 2
        outward = np.where(np.sum(normals * (centres - middles), axis=1) < 0, -1.0, 1.0)
        counts = [len(face) for face in self._faces]
        return Mesh(
            vertices=np.concatenate(self._faces),
            starts=tuple(int(start) for start in np.concatenate([[0], np.cumsum(counts)])),
            normals=normals * outward[:, None],
            centres=centres,
            offsets=np.sum(normals * outward[:, None] * centres, axis=1),
            materials=tuple(self._materials),
            groups=groups,
            pixels=np.array(self._pixels),
            skin=tuple(material in _ON_THE_SKIN for material in self._materials),
            size=size,
        )

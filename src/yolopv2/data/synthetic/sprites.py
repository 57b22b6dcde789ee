"""Pictures that scenery is made of, drawn once from fixed seeds: trees, facades, people.

Sprites are uint8 ``[h, w, 4]``, RGB multiplied by alpha, and alpha, each with half-size copies for things far away.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

TREES = 10
"""Number of tree sprites; the last three are bushes."""

FACADES = 28
"""Number of facades."""

PEOPLE = 6
"""Number of people."""

BAY, FLOOR = 26, 30
"""Texels of a window's bay across and of a floor up in a facade."""

Mips = tuple[NDArray[np.uint8], ...]


def pick_mip(mips: Mips, texels_per_pixel: float) -> tuple[NDArray[np.uint8], float]:
    """The copy whose texels are about as big as pixels, and its scale relative to the first."""
    level = int(np.clip(np.floor(np.log2(max(texels_per_pixel, 1.0)) + 0.3), 0, len(mips) - 1))
    return mips[level], mips[level].shape[0] / mips[0].shape[0]


def _mips(picture: NDArray[np.uint8]) -> Mips:
    mips = [picture]
    while min(mips[-1].shape[:2]) >= 12:
        size = (mips[-1].shape[1] // 2, mips[-1].shape[0] // 2)
        mips.append(cv2.resize(mips[-1], size, interpolation=cv2.INTER_AREA))
    return tuple(mips)


@lru_cache
def tree(index: int) -> Mips:
    """A tree or bush that fills its sprite, lit from above."""
    rng = np.random.default_rng(1000 + index)
    height, width = 288, 224
    layers = np.zeros((height, width, 4), np.uint8)
    bush, conifer, bare = index >= 7, index in (2, 5), index == 6
    trunk = tuple(int(c) for c in rng.integers((46, 36, 28), (84, 70, 58)))
    if not bush:
        _branches(
            layers,
            rng,
            width / 2,
            height - 1,
            -np.pi / 2,
            height * (0.42 if not bare else 0.3),
            13 if bare else 11,
            (*trunk, 255),
            5 if bare else 2,
        )
    if not bare:
        _leaves(layers, rng, conifer, bush)
    layers = cv2.GaussianBlur(layers, (0, 0), 0.6)
    layers[..., :3] = np.minimum(layers[..., :3], layers[..., 3:])
    rows = np.flatnonzero(layers[..., 3].max(axis=1) > 40)
    columns = np.flatnonzero(layers[..., 3].max(axis=0) > 40)
    return _mips(np.ascontiguousarray(layers[rows[0] :, columns[0] : columns[-1] + 1]))


def _branches(
    layers: NDArray[np.uint8],
    rng: np.random.Generator,
    x: float,
    y: float,
    angle: float,
    length: float,
    thick: float,
    colour: tuple[int, ...],
    depth: int,
) -> None:
    """A trunk that forks into ever thinner branches."""
    x2, y2 = x + length * float(np.cos(angle)), y + length * float(np.sin(angle))
    cv2.line(layers, (round(x), round(y)), (round(x2), round(y2)), colour, max(1, round(thick)), cv2.LINE_AA)
    if depth > 0:
        for turn in rng.uniform((-0.75, -0.25, 0.2), (-0.2, 0.25, 0.75)):
            shrink = float(rng.uniform(0.55, 0.75))
            _branches(layers, rng, x2, y2, angle + float(turn), length * shrink, thick * 0.6, colour, depth - 1)


def _leaves(layers: NDArray[np.uint8], rng: np.random.Generator, conifer: bool, bush: bool) -> None:
    """Clumps of leaves, back to front, lighter towards the top of each clump."""
    height, width = layers.shape[:2]
    base = rng.uniform((34, 54, 20), (84, 94, 44)) if not conifer else rng.uniform((24, 42, 26), (40, 60, 38))
    clumps = 70 if not bush else 40
    low, high = (0.98, 0.55) if bush else (0.72, 0.04)
    places = rng.random((clumps, 2))
    for i, (across, up) in enumerate(places[np.argsort(rng.random(clumps))]):
        y = height * (low + (high - low) * up)
        reach = (1 - up) * 0.44 if conifer else 0.42 * np.sqrt(max(1 - (2 * up - 0.9) ** 2, 0.05))
        x = width * (0.5 + (across - 0.5) * 2 * reach)
        size = height * (0.05 if conifer else 0.075) * (0.6 + 0.8 * rng.random())
        depth = 0.5 + 0.5 * i / clumps
        for _ in range(26):
            dx, dy = rng.normal(0, size * 0.55, 2)
            light = depth * (0.86 + 0.34 * np.clip(-dy / size, -1, 1) + 0.12 * rng.standard_normal())
            light *= 0.8 + 0.35 * up
            colour = np.clip(base * light * 1.15, 6, 235)
            centre = (round(x + dx), round(min(y + dy, height - 3)))
            radius = max(1, round(size * 0.2 * (0.6 + rng.random())))
            cv2.circle(layers, centre, radius, (float(colour[0]), float(colour[1]), float(colour[2]), 255), -1)


@lru_cache
def facade(index: int) -> tuple[Mips, int, int]:
    """A house front and its number of bays and floors; the fourth channel is how much a window is lit at night."""
    rng = np.random.default_rng(2000 + index)
    floors = (2, 3, 4, 6, 9, 14, 3)[index % 7]
    bays = int(rng.integers(4, 8)) if floors < 5 else int(rng.integers(5, 10))
    walls = (
        (148, 92, 74),
        (168, 146, 116),
        (190, 184, 172),
        (122, 120, 118),
        (108, 74, 62),
        (206, 196, 176),
        (132, 142, 150),
        (150, 132, 112),
    )
    wall = np.array(walls[int(rng.integers(len(walls)))], np.float64) * rng.uniform(0.75, 1.1)
    picture = np.empty((floors * FLOOR, bays * BAY, 4), np.float64)
    picture[..., :3] = wall + rng.normal(0, 5, (floors * FLOOR, bays * BAY, 1))
    picture[..., 3] = 0
    glassy = floors >= 6 and rng.random() < 0.5
    inset = (
        (rng.uniform(0.02, 0.08), rng.uniform(0.04, 0.16))
        if glassy
        else (rng.uniform(0.16, 0.3), rng.uniform(0.16, 0.28))
    )
    for floor in range(floors):
        _window_row(picture, rng, floor, bays, inset, glassy)
    if rng.random() < 0.7 and not glassy:
        for floor in range(1, floors):
            picture[floor * FLOOR - 1 : floor * FLOOR + 1, :, :3] *= 0.86
    picture[:4, :, :3] *= rng.uniform(0.6, 1.2)
    if rng.random() < 0.55:
        _shops(picture, rng, bays)
    return _mips(np.clip(picture, 0, 255).astype(np.uint8)), bays, floors


def _window_row(
    picture: NDArray[np.float64],
    rng: np.random.Generator,
    floor: int,
    bays: int,
    inset: tuple[float, float],
    glassy: bool,
) -> None:
    x1, x2 = round(BAY * inset[0]), round(BAY * (1 - inset[0]))
    y1, y2 = floor * FLOOR + round(FLOOR * inset[1]), (floor + 1) * FLOOR - round(FLOOR * inset[1])
    for bay in range(bays):
        window = picture[y1:y2, bay * BAY + x1 : bay * BAY + x2]
        shade = rng.uniform(0.7, 1.35)
        colour = np.array([78.0, 96, 112]) if glassy else np.array([52.0, 58, 66])
        fall = np.linspace(1.25, 0.75, y2 - y1)[:, None, None]
        window[..., :3] = colour * shade * fall
        window[:2, :, :3] *= 0.6
        window[..., 3] = 235 * rng.uniform(0.4, 1) * (rng.random() < 0.33)
        if not glassy:
            window[(y2 - y1) // 2, :, :3] *= 1.7
            picture[y2 : y2 + 2, bay * BAY + x1 - 1 : bay * BAY + x2 + 1, :3] *= 1.18


def _shops(picture: NDArray[np.float64], rng: np.random.Generator, bays: int) -> None:
    """Shop windows, signs and awnings on the ground floor."""
    top = len(picture) - FLOOR
    start = 0
    while start < bays:
        width = int(rng.integers(1, 4))
        shop = picture[top:, start * BAY + 1 : (start + width) * BAY - 1]
        colour = rng.uniform(30, 215, 3)
        shop[2:9, :, :3] = colour
        shop[2:9, :, 3] = 170 * (rng.random() < 0.6)
        letters = rng.random(shop.shape[1]) < 0.55
        shop[4:7, letters, :3] = np.where(colour.mean() > 120, 30, 225)
        shop[10:27, 2:-2, :3] = rng.uniform(30, 80)
        shop[10:27, 2:-2, 3] = rng.uniform(120, 250) * (rng.random() < 0.75)
        shop[27:, :, :3] = rng.uniform(50, 110)
        start += width


@lru_cache
def person(index: int) -> Mips:
    """Someone on foot who fills the sprite."""
    rng = np.random.default_rng(3000 + index)
    picture = np.zeros((144, 60, 4), np.uint8)
    skin, coat, legs = (
        rng.integers(low, high)
        for low, high in (
            ((110, 76, 58), (226, 186, 160)),
            ((20, 20, 20), (210, 190, 190)),
            ((18, 18, 24), (92, 92, 110)),
        )
    )
    step = int(rng.integers(2, 12))

    def colour(values: NDArray[np.int64]) -> tuple[int, int, int, int]:
        return int(values[0]), int(values[1]), int(values[2]), 255

    for side in (-1, 1):
        cv2.line(picture, (30, 76), (30 + side * step, 138), colour(legs), 10, cv2.LINE_AA)
        cv2.line(picture, (30 + side * 10, 34), (30 + side * 15, 74), colour(coat), 7, cv2.LINE_AA)
    cv2.ellipse(picture, (30, 52), (15, 30), 0, 0, 360, colour(coat), -1, cv2.LINE_AA)
    cv2.circle(picture, (30, 13), 9, colour(skin), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (30, 9), (9, 6), 0, 180, 360, colour(legs), -1, cv2.LINE_AA)
    return _mips(picture)

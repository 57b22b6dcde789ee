"""Pictures that scenery is made of, drawn once from fixed seeds: trees, facades, people.

Sprites are uint8 ``[h, w, 4]``, RGB multiplied by alpha, and alpha, each with half-size copies for things far away.
"""

import math
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
    level = min(int(math.log2(max(texels_per_pixel, 1.0)) + 0.3), len(mips) - 1)
    return mips[level], mips[level].shape[0] / mips[0].shape[0]


def _mips(picture: NDArray[np.uint8]) -> Mips:
    mips = [picture]
    while min(mips[-1].shape[:2]) >= 12:
        size = (mips[-1].shape[1] // 2, mips[-1].shape[0] // 2)
        mips.append(cv2.resize(mips[-1], size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False))
    return tuple(mips)


@lru_cache
def tree(index: int) -> Mips:
    """A tree or bush that fills its sprite, lit from above."""
    rng = np.random.default_rng(1000 + index)
    layers = np.zeros((320, 256, 4), np.uint8)
    bush, conifer, bare = index >= 7, index in (2, 5), index == 6
    bark = np.array([70.0, 58, 48]) * rng.uniform(0.6, 1.1)
    colour = (float(bark[0]), float(bark[1]), float(bark[2]), 255.0)
    if conifer:
        cv2.line(layers, (128, 319), (128, 60), colour, 8, cv2.LINE_AA)
    elif not bush:
        _branches(
            layers, rng, (128.0, 319.0), -np.pi / 2, 96 if bare else 120, 14 if bare else 11, colour, 6 if bare else 3
        )
    if not bare:
        _leaves(layers, rng, conifer, bush)
    layers = cv2.GaussianBlur(layers, (0, 0), 0.7).astype(np.uint8, copy=False)
    layers[..., :3] = np.minimum(layers[..., :3], layers[..., 3:])
    rows = np.flatnonzero(layers[..., 3].max(axis=1) > 40)
    columns = np.flatnonzero(layers[..., 3].max(axis=0) > 40)
    return _mips(np.ascontiguousarray(layers[rows[0] :, columns[0] : columns[-1] + 1]))


def _branches(
    layers: NDArray[np.uint8],
    rng: np.random.Generator,
    root: tuple[float, float],
    angle: float,
    length: float,
    thick: float,
    colour: tuple[float, float, float, float],
    depth: int,
) -> None:
    """A trunk that forks into ever thinner branches."""
    tip = (root[0] + length * float(np.cos(angle)), root[1] + length * float(np.sin(angle)))
    ends = [(round(x), round(y)) for x, y in (root, tip)]
    cv2.line(layers, ends[0], ends[1], colour, max(1, round(thick)), cv2.LINE_AA)
    if depth > 0:
        for turn in rng.uniform((-0.75, -0.25, 0.2), (-0.2, 0.25, 0.75)):
            shorter = length * float(rng.uniform(0.5, 0.75))
            _branches(layers, rng, tip, angle + float(turn), shorter, thick * 0.62, colour, depth - 1)


def _leaves(layers: NDArray[np.uint8], rng: np.random.Generator, conifer: bool, bush: bool) -> None:
    """Leaves in clumps, the clumps in lobes around the crown, back to front; each clump is lighter at its top."""
    base = rng.uniform(0.75, 1.25) * (np.array([38.0, 56, 38]) if conifer else _leaf_colour(rng))
    centres = _crown(rng, conifer, bush)
    size = 11.0 if conifer else 17.0
    for i, (x, y) in enumerate(centres):
        shade = (0.45 + 0.55 * i / len(centres)) * (1.12 - 0.38 * y / 320)
        away = rng.normal(0, size * 0.6, (48, 2))
        light = shade * (0.9 + 0.38 * np.clip(-away[:, 1] / size, -1, 1) + 0.13 * rng.standard_normal(48))
        radii = rng.uniform(1.2, 4.4, 48)
        for (dx, dy), bright, radius in zip(away, light, radii, strict=True):
            colour = np.clip(base * bright * 1.2, 5, 235)
            centre = (round(x + dx), round(min(y + dy, 316)))
            cv2.circle(layers, centre, round(radius), (float(colour[0]), float(colour[1]), float(colour[2]), 255), -1)


def _leaf_colour(rng: np.random.Generator) -> NDArray[np.float64]:
    green, olive = np.array([58.0, 82, 34]), np.array([92.0, 88, 42])
    share = rng.random()
    return green * (1 - share) + olive * share


def _crown(rng: np.random.Generator, conifer: bool, bush: bool) -> NDArray[np.float64]:
    """Middles of the clumps of leaves, ``[k, 2]``, in the order they are painted."""
    if conifer:
        up = np.sort(rng.random(120))
        reach = (1 - up) * (0.75 + 0.25 * np.sin(up * 60)) * 76
        return np.column_stack([128 + rng.uniform(-1, 1, 120) * reach, 285 - up * 272])
    lobes = 7 if not bush else 5
    turn = np.linspace(0, 2 * np.pi, lobes, endpoint=False) + rng.uniform(0, 1)
    wide, high, middle = (74, 66, 125) if not bush else (82, 26, 276)
    hub = np.column_stack([128 + wide * 0.62 * np.cos(turn), middle + high * 0.7 * np.sin(turn)])
    hub = np.concatenate([hub + rng.normal(0, 9, hub.shape), [[128, middle]]])
    spread = rng.uniform(16, 34, len(hub))[:, None] * (1 if not bush else 0.7)
    clumps = np.concatenate([h + rng.normal(0, s, (13, 2)) * (0.9, 0.75) for h, s in zip(hub, spread, strict=True)])
    return np.clip(clumps[np.argsort(clumps[:, 1] * -0.4 + rng.normal(0, 30, len(clumps)))], (22, 18), (234, 304))


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
        if rng.random() < 0.3:
            window[..., 3] = 225 * rng.uniform(0.25, 1) * np.linspace(1.0, rng.uniform(0.3, 0.9), y2 - y1)[:, None]
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
        grey = rng.uniform(40, 200)
        colour = grey + 0.45 * (rng.uniform(30, 215, 3) - grey)
        shop[2:9, :, :3] = colour
        shop[2:9, :, 3] = 170 * (rng.random() < 0.6)
        letters = rng.random(shop.shape[1]) < 0.55
        shop[4:7, letters, :3] = np.where(colour.mean() > 120, 30, 225)
        shop[10:27, 2:-2, :3] = rng.uniform(50, 105)
        inside = rng.uniform(0.35, 1, -(-(shop.shape[1] - 4) // 5)).repeat(5)[: shop.shape[1] - 4]
        shop[10:27, 2:-2, 3] = rng.uniform(90, 230) * (rng.random() < 0.7) * inside * np.linspace(1, 0.55, 17)[:, None]
        shop[10:27, 2:-2, :3] *= 0.6 + 0.4 * inside[:, None]
        shop[27:, :, :3] = rng.uniform(50, 110)
        start += width


@lru_cache
def person(index: int) -> Mips:
    """Someone on foot who fills the sprite."""
    rng = np.random.default_rng(3000 + index)
    picture = np.zeros((144, 60, 4), np.uint8)
    coats = ((32, 34, 40), (70, 74, 82), (150, 40, 38), (36, 56, 96), (196, 194, 188), (92, 84, 66))
    skin = np.array([214, 172, 146]) * rng.uniform(0.4, 1.05)
    coat, legs = np.array(coats[index % len(coats)]), np.array([44, 46, 56]) * rng.uniform(0.5, 1.6)
    step = int(rng.integers(2, 12))

    def colour(values: NDArray[np.generic]) -> tuple[int, int, int, int]:
        return int(values[0]), int(values[1]), int(values[2]), 255

    for side in (-1, 1):
        cv2.line(picture, (30, 76), (30 + side * step, 138), colour(legs), 10, cv2.LINE_AA)
        cv2.line(picture, (30 + side * 10, 34), (30 + side * 15, 74), colour(coat), 7, cv2.LINE_AA)
    cv2.ellipse(picture, (30, 52), (15, 30), 0, 0, 360, colour(coat), -1, cv2.LINE_AA)
    cv2.circle(picture, (30, 13), 9, colour(skin), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (30, 9), (9, 6), 0, 180, 360, colour(legs), -1, cv2.LINE_AA)
    return _mips(picture)

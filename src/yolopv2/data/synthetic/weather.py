"""What falls and what shines: wet roads, drops on the windscreen, snow in the air, reflections in the glass."""

import cv2
import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .canvas import GROUND, Canvas
from .conditions import Conditions
from .road import Stretch


def mirror_wet_road(
    canvas: Canvas, camera: Camera, stretch: Stretch, conditions: Conditions, ground: NDArray[np.uint8]
) -> None:
    """Let a wet road mirror what stands over it, stretched and blurred.

    Args:
        canvas: The painted scene.
        camera: Who looks.
        stretch: Where the road runs.
        conditions: Says how wet it is.
        ground: uint8 ``[H, W]``, not 0 where there is road or land.
    """
    if conditions.wetness < 0.3:
        return
    horizon = int(np.clip((camera.height - 1) / 2 + camera.level_row(-stretch.slope), 8, camera.height - 8))
    below = camera.height - horizon
    source = canvas.image[max(0, horizon - below) : horizon][::-1]
    small = cv2.resize(source, (max(camera.width // 4, 1), max(len(source) // 4, 1)), interpolation=cv2.INTER_AREA)
    small = cv2.blur(small, (3, max(3, below // 24) | 1))
    mirrored = cv2.resize(small, (camera.width, below), interpolation=cv2.INTER_LINEAR)
    grazing = 0.16 + 0.34 * np.linspace(1, 0, below) ** 1.6
    share = cv2.resize((grazing * conditions.wetness * 255).astype(np.uint8)[:, None], (camera.width, below))
    share = cv2.bitwise_and(
        share, share, mask=((canvas.labels[horizon:] == GROUND) & (ground[horizon:] > 0)).astype(np.uint8)
    )
    road = canvas.image[horizon:]
    keep = cv2.cvtColor(cv2.bitwise_not(share), cv2.COLOR_GRAY2RGB)
    mix = cv2.multiply(mirrored, cv2.cvtColor(share, cv2.COLOR_GRAY2RGB), scale=1 / 255)
    road[:] = cv2.add(cv2.multiply(road, keep, scale=1 / 255), mix)


class Windscreen:
    """Drops, flakes and reflections between the lens and the scene.

    Args:
        conditions: Weather.
        rng: Draws where drops sit and what is mirrored.
    """

    def __init__(self, conditions: Conditions, rng: np.random.Generator) -> None:
        self.conditions = conditions
        wet = conditions.weather in ("rain", "snow")
        count = int(rng.integers(10, 110)) if wet and rng.random() < 0.75 else 0
        self.drops = np.column_stack([rng.random((count, 2)), 0.0025 + 0.011 * rng.random(count) ** 3])
        self.reflection = rng.uniform(0.03, 0.16) if rng.random() < 0.35 else 0.0
        self.slant = float(rng.uniform(-0.4, 0.4))
        self.blobs = rng.random((5, 4))

    def cover(self, image: NDArray[np.uint8], rng: np.random.Generator) -> None:
        """Paint over the finished picture; `rng` places what falls."""
        if self.conditions.weather == "snow":
            self._flakes(image, rng)
        elif self.conditions.weather == "rain":
            self._streaks(image, rng)
        if len(self.drops):
            self._sit(image)
        if self.reflection > 0 and self.conditions.dark < 1:
            self._mirror(image)

    def _sit(self, image: NDArray[np.uint8]) -> None:
        """Drops show the scene upside down, smaller and blurred."""
        height, width = image.shape[:2]
        world = cv2.resize(image, (48, 27), interpolation=cv2.INTER_AREA)[::-1]
        for x, y, size in self.drops:
            radius = max(2, round(size * width))
            left, top = int(x * (width - 2 * radius)), int(y * (height - 2 * radius))
            roi = image[top : top + 2 * radius, left : left + 2 * radius]
            column, row = int(x * 38), int((1 - y) * 17)
            seen = cv2.resize(world[row : row + 10, column : column + 10], (2 * radius, 2 * radius))
            mask = np.zeros((2 * radius, 2 * radius), np.uint8)
            cv2.circle(mask, (radius, radius), max(1, radius - 1), 150, -1, cv2.LINE_AA)
            soft = cv2.cvtColor(cv2.blur(mask, (3, 3)), cv2.COLOR_GRAY2RGB)
            mixed = cv2.multiply(roi, cv2.bitwise_not(soft), scale=1 / 255)
            roi[:] = cv2.add(mixed, cv2.multiply(seen, soft, scale=1 / 255))

    def _flakes(self, image: NDArray[np.uint8], rng: np.random.Generator) -> None:
        height, width = image.shape[:2]
        bright = float(60 + 180 * (1 - self.conditions.dark))
        for x, y, size in rng.random((90, 3)):
            radius = max(1, round((0.6 + 2.6 * size**4) * width / 900))
            centre = (int(x * width), int(y * height))
            cv2.circle(image, centre, radius, (bright, bright, bright), -1, cv2.LINE_AA)

    def _streaks(self, image: NDArray[np.uint8], rng: np.random.Generator) -> None:
        height, width = image.shape[:2]
        veil = np.zeros((height // 2, width // 2, 3), np.uint8)
        tone = float(14 + 26 * (1 - self.conditions.dark))
        for x, y, long in rng.random((60, 3)):
            start = (int(x * width / 2), int(y * height / 2))
            reach = height * (0.015 + 0.04 * long)
            cv2.line(
                veil, start, (int(start[0] + self.slant * reach), int(start[1] + reach)), (tone,) * 3, 1, cv2.LINE_AA
            )
        image[:] = cv2.add(image, cv2.resize(veil, (width, height), interpolation=cv2.INTER_LINEAR))

    def _mirror(self, image: NDArray[np.uint8]) -> None:
        """A faint reflection of the dashboard in the glass."""
        height, width = image.shape[:2]
        veil = np.zeros((36, 64), np.float32)
        rows, columns = np.mgrid[0:36, 0:64].astype(np.float32)
        for x, y, wide, high in self.blobs:
            cx, cy = 64 * x, 36 * (0.45 + 0.5 * y)
            veil += np.exp(-(((columns - cx) / (4 + 12 * wide)) ** 4) - ((rows - cy) / (2 + 6 * high)) ** 4)
        light = self.conditions.ambient.mean() * 255 * self.reflection
        full = cv2.resize(
            np.clip(veil * light, 0, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR
        )
        image[:] = cv2.add(image, cv2.cvtColor(full, cv2.COLOR_GRAY2RGB))

"""What the lens, the windscreen and the sensor do to a picture, none of which moves a pixel."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .canvas import OBSTACLE, Canvas
from .conditions import Conditions
from .textures import CvImage


@dataclass(frozen=True)
class Sensor:
    """How a camera renders light.

    Attributes:
        colours: Matrix ``[3, 3]`` that makes colours stronger.
        curve: Tone curve, uint8 ``[1, 256, 3]``.
        vignette: Share of the light that corners lose.
        noise: Standard deviation in grey levels.
        blur: Standard deviation in pixels at 1280 columns.
        motion: Length of the motion blur in pixels at 1280 columns.
    """

    colours: NDArray[np.float64]
    curve: NDArray[np.uint8]
    vignette: float
    noise: float
    blur: float
    motion: float

    @classmethod
    def draw(cls, rng: np.random.Generator, conditions: Conditions) -> "Sensor":
        """Draw a camera for some light."""
        exposure = rng.uniform(0.85, 1.5) * (1 + 0.35 * conditions.dark * (rng.random() - 0.5))
        contrast, lift = rng.uniform(1.0, 1.75), 14 * rng.random() ** 2
        cast = 1 + rng.uniform(-0.055, 0.055, 3) * (1.5 if rng.random() < 0.3 else 0.8)
        x = np.linspace(0, 1, 256)[:, None] * exposure * cast
        shoulder = 1 - np.exp(-1.55 * np.clip(x, 0, 2))
        x = shoulder / (1 - np.exp(-1.55)) * 0.45 + x * 0.55
        x = np.clip(x, 0, 1)
        curved = x + (contrast - 1) * 0.6 * (x - 0.42) * 4 * x * (1 - x)
        curve = np.clip(lift + curved * (255 - lift), 0, 255).astype(np.uint8)[None]
        stronger = rng.uniform(0.9, 1.9)
        grey = np.tile([0.3, 0.59, 0.11], (3, 1))
        return cls(
            colours=grey + stronger * (np.eye(3) - grey),
            curve=curve,
            vignette=float(rng.uniform(0, 0.45)),
            noise=float(rng.uniform(0.3, 2.2) + conditions.dark * 3.5 * rng.random() ** 2),
            blur=float(rng.uniform(0.35, 1.2)),
            motion=float(rng.uniform(0, 4) if rng.random() < 0.35 else 0.0),
        )

    def expose(self, image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """The picture that the camera writes; the noise is drawn from `rng`."""
        height, width = image.shape[:2]
        scale = width / 1280
        seen: CvImage = image
        if self.motion * scale > 1.2:
            seen = cv2.blur(seen, (max(1, round(self.motion * scale)), 1))
        if self.blur * scale > 0.28:
            seen = cv2.GaussianBlur(seen, (0, 0), self.blur * scale)
        seen = cv2.LUT(cv2.transform(seen, self.colours), self.curve)
        if self.vignette > 0.05:
            seen = cv2.multiply(seen, _vignette(height, width, round(self.vignette, 2)), scale=1 / 255)
        x, y = rng.integers(0, 256, 2).tolist()
        tile = _noise()[y : y + 256, x : x + 256]
        noise = np.tile(tile, (-(-height // 256), -(-width // 256), 1))[:height, :width]
        noisy = cv2.addWeighted(seen, 1.0, noise, self.noise / 32, -128 * self.noise / 32)
        return noisy.astype(np.uint8, copy=False)


@lru_cache(maxsize=8)
def _vignette(height: int, width: int, strength: float) -> NDArray[np.uint8]:
    y, x = np.linspace(-1, 1, -(-height // 8))[:, None], np.linspace(-1, 1, -(-width // 8))
    small = 255 * (1 - strength * np.clip((x**2 + y**2) / 2, 0, 1) ** 1.3)
    full = cv2.resize(small.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.repeat(full.astype(np.uint8)[..., None], 3, axis=2)


@lru_cache
def _noise() -> NDArray[np.uint8]:
    """Slightly coloured noise of deviation 32, uint8 ``[512, 512, 3]``."""
    rng = np.random.default_rng(41)
    grey = rng.standard_normal((512, 512, 1))
    colour = cv2.GaussianBlur(rng.standard_normal((512, 512, 3)), (0, 0), 1.0) * 1.6
    return np.clip(128 + 32 * (0.8 * grey + 0.6 * colour), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Bonnet:
    """The ego's own bonnet, and a dark corner where the camera is mounted.

    Attributes:
        height: Share of the frame's height that the bonnet takes in the middle; 0 for none.
        bulge: Share that it is lower at the sides.
        colour: RGB.
        gloss: How much of the sky it mirrors.
        mount: -1 or 1 for a dark upper corner on the left or right, 0 for none.
    """

    height: float
    bulge: float
    colour: tuple[float, float, float]
    gloss: float
    mount: int

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Bonnet":
        """Draw a bonnet, or none."""
        shade = float(rng.choice([14.0, 22, 34, 60, 110, 170]) * rng.uniform(0.8, 1.2))
        height = float(rng.uniform(0.02, 0.16)) if rng.random() < 0.7 else 0.0
        mount = int(rng.integers(-1, 2)) if rng.random() < 0.25 else 0
        return cls(
            height, float(rng.uniform(0.01, 0.05)), (shade, shade, shade * 1.03), float(rng.uniform(0.05, 0.4)), mount
        )

    def paint(self, canvas: Canvas, conditions: Conditions) -> None:
        """Paint over the finished scene; what it covers is no road."""
        height, width = canvas.labels.shape
        if self.height > 0:
            self._paint_bonnet(canvas, conditions, height, width)
        if self.mount:
            centre = (0 if self.mount < 0 else width, 0)
            axes = (round(width * 0.16), round(height * 0.34))
            mask = np.zeros((height // 4, width // 4), np.uint8)
            cv2.ellipse(mask, (centre[0] // 4, 0), (axes[0] // 4, axes[1] // 4), 0, 0, 360, 255, -1)
            keep = cv2.resize(255 - cv2.blur(mask, (9, 9)), (width, height), interpolation=cv2.INTER_LINEAR)
            rows = int(axes[1] * 1.3)
            veil = cv2.cvtColor(keep[:rows], cv2.COLOR_GRAY2RGB)
            canvas.image[:rows] = cv2.multiply(canvas.image[:rows], veil, scale=1 / 255)
            canvas.labels[keep < 128] = OBSTACLE

    def _paint_bonnet(self, canvas: Canvas, conditions: Conditions, height: int, width: int) -> None:
        x = np.linspace(-1, 1, 33)
        edge = height * (1 - self.height + self.bulge * np.abs(x) ** 2.4) + 0.5
        top = int(np.clip(edge.min(), 0, height - 1))
        outline = np.concatenate([np.stack([(x + 1) / 2 * width, edge - top], -1), [[width, height], [0, height]]])
        mask = np.zeros((height - top, width), np.uint8)
        cv2.fillPoly(mask, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_8, 4)
        light = conditions.ambient + conditions.sun * 0.7
        base = np.array(self.colour) * light
        sky: CvImage = canvas.image[max(0, 2 * top - height - height // 8) : max(top - height // 8, 1)][::-1]
        small = cv2.blur(
            cv2.resize(sky, (width // 4 + 1, max((height - top) // 4, 1)), interpolation=cv2.INTER_AREA), (9, 5)
        )
        mirrored = cv2.resize(small, (width, height - top), interpolation=cv2.INTER_LINEAR).astype(np.float32)
        fall = np.linspace(1.25, 0.55, height - top, dtype=np.float32)[:, None, None]
        paint = np.clip((base.astype(np.float32) + mirrored * self.gloss) * fall, 0, 255).astype(np.uint8)
        cv2.copyTo(paint, mask, canvas.image[top:])
        canvas.labels[top:][mask > 0] = OBSTACLE

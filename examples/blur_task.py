"""A task of one's own: hides what could be recognised, in the studio's workflows and in Python.

yolopv2 studio --tasks examples/blur_task.py
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
from pydantic import Field

from yolopv2.ikomia import ImageIO, Parameters, Task


class BlurParameters(Parameters):
    """Parameters of ``blur``.

    Attributes:
        strength: Width of the blur, as a part of each vehicle's width.
    """

    strength: float = Field(default=0.2, gt=0, le=1)


class Blur(Task):
    """Blurs the vehicles; passes everything else on."""

    name = "blur"
    needs = (0, 1)

    def __init__(self) -> None:
        super().__init__()
        self.params = BlurParameters()

    def process(self, given: Sequence) -> list:
        """Blurs each vehicle's box."""
        image, found = given[:2]
        blurred = image.get_image().copy()
        for x1, y1, x2, y2 in found.scene.vehicles.xyxy.clip(0).astype(int):
            part = blurred[y1:y2, x1:x2]
            if part.size:
                part[:] = cv2.GaussianBlur(part, (0, 0), self.params.strength * (x2 - x1) + 0.1)
        return [ImageIO(replace(image.frame, image=blurred), image.mask), *given[1:]]

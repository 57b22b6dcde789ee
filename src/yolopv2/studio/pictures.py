"""Pictures that a page has given: kept as files, decoded when they are looked at."""

import secrets
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from yolopv2.data.synthetic import render_scene
from yolopv2.files import encode_image
from yolopv2.inference import Thresholds
from yolopv2.media import Frame, decode_image
from yolopv2.media.headers import read_header
from yolopv2.scene import Scene
from yolopv2.studio.errors import Refusal
from yolopv2.studio.look import Look
from yolopv2.studio.models import Choice, Models
from yolopv2.studio.settings import Limits

if TYPE_CHECKING:
    from yolopv2.studio.sessions import Shelf

_MOST_LOOKS = 6
"""Looks kept per picture, one per model."""


class Picture:
    """A still.

    Args:
        shelf: Where it is kept.
        data: The file's content.
        name: How results call it.
        limits: What is taken.

    Raises:
        YolopError: It cannot be read.
        Refusal: It is too large.
    """

    def __init__(self, shelf: "Shelf", data: bytes, name: str, limits: Limits) -> None:
        self.id, self.name = secrets.token_hex(8), name
        self._shelf = shelf
        self._looks: OrderedDict[Choice, Look] = OrderedDict()
        self._lock = threading.Lock()
        try:
            header = read_header(data)
            check_pixels(header.width, header.height, limits)
            self._path = shelf.write("picture", data)
            self.frame()
        except BaseException:
            shelf.remove()
            raise

    def frame(self) -> Frame:
        """The picture, decoded."""
        try:
            return Frame(decode_image(self._path.read_bytes()).image, self.name)
        except OSError:
            raise Refusal(404, "This picture is no longer kept: open it again.") from None

    def look(self, models: Models, choice: Choice, frame: Frame | None = None) -> Look:
        """What a model gives for it; from memory when it was asked before."""
        with self._lock:
            if choice in self._looks:
                return self._looks[choice]
        found = models.look(choice, frame or self.frame())
        with self._lock:
            self._looks[choice] = found
            if len(self._looks) > _MOST_LOOKS:
                self._looks.popitem(last=False)
        return found

    def scene(self, models: Models, choice: Choice, thresholds: Thresholds) -> Scene:
        """What is seen with these thresholds."""
        frame = self.frame()
        return self.look(models, choice, frame).decide(thresholds, frame)

    def describe(self) -> dict[str, Any]:
        """What the page needs to know of it."""
        return {"kind": "picture", "id": self.id, "name": self.name}

    def close(self) -> None:
        """Removes it."""
        self._shelf.remove()


def check_pixels(width: int, height: int, limits: Limits) -> None:
    """Refuses pictures that are too large.

    Raises:
        Refusal: It is one.
    """
    if width * height > limits.pixels:
        raise Refusal(
            413,
            f"The picture has {width * height / 1e6:.0f} megapixels, and the studio takes up to "
            f"{limits.pixels / 1e6:.0f}: scale it down first.",
        )


def jpeg(frame: Frame) -> bytes:
    """A frame as the page shows it."""
    return encode_image(frame.image, ".jpg", 92)


def generated_picture(seed: int, weather: str | None, time_of_day: str | None) -> tuple[bytes, str]:
    """A generated scene as the bytes of a PNG, and its name."""
    image = render_scene(seed, weather=weather, time_of_day=time_of_day).image
    return encode_image(image, ".png"), f"scene-{seed}.png"

"""What both clients have in common: what goes over the wire, and what is made of the answers."""

import json
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypedDict

import httpx
import numpy as np

from yolopv2.errors import YolopError
from yolopv2.files import cannot_write, encode_image, hidden_path
from yolopv2.media.arrays import array_to_rgb
from yolopv2.media.images import read_file
from yolopv2.scene import Scene

File = tuple[str, tuple[str, bytes, str]]

RETRIED = (429, 503)
"""Statuses after which the same request is worth another try."""

BLOCK = 1 << 20
"""Bytes of a video that are read and sent at a time."""

_LONGEST_PAUSE = 30.0


class ServiceError(YolopError):
    """The service did not answer as asked; the message is its reason.

    Args:
        message: The reason.
        status: HTTP status, or None when there was no answer.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Options(TypedDict, total=False):
    """How to look, as for `yolopv2.YOLOPv2`, and which model looks; the service's default for what is left out."""

    conf: float
    iou: float
    classes: int | str | Sequence[int | str] | None
    max_det: int
    agnostic: bool
    model: str | None


def headers(token: str | None) -> dict[str, str]:
    """The headers of every request."""
    return {"User-Agent": "yolopv2"} | ({} if token is None else {"Authorization": f"Bearer {token}"})


def is_several(source: Any) -> bool:
    """Whether a source is several pictures, so that the answer is a list."""
    return isinstance(source, list | tuple)


def files(source: Any) -> list[File]:
    """Pictures as the files of a form.

    Args:
        source: A path, the bytes of a picture's file, an array as `YOLOPv2` takes them; or a list of these. Arrays are
            sent as PNG, which loses nothing.

    Raises:
        YolopError: One cannot be read, or there is none.
    """
    sources: Sequence[Any] = source if is_several(source) else [source]
    if not sources:
        raise YolopError("there is no picture to send")
    return [("file", _file(entry, position)) for position, entry in enumerate(sources)]


def _file(source: Any, position: int) -> tuple[str, bytes, str]:
    kind = "application/octet-stream"
    if isinstance(source, bytes | bytearray | memoryview):
        return f"image-{position}", bytes(source), kind
    if isinstance(source, str | os.PathLike):
        try:
            return Path(source).name, read_file(source), kind
        except YolopError as error:
            raise YolopError(f"{os.fspath(source)}: {error}") from None
    if isinstance(source, np.ndarray):
        return f"array-{position}", encode_image(array_to_rgb(source), ".png"), kind
    raise YolopError(f"a picture is a path, bytes or an array, not {type(source).__name__}")


def params(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as they stand in an address: those that were given."""
    return {
        name: list(value) if isinstance(value, list | tuple) else value
        for name, value in options.items()
        if value is not None
    }


def scenes(answer: httpx.Response) -> list[Scene]:
    """The scenes of an answer.

    Raises:
        ServiceError: It holds none, so it is not of this service.
    """
    try:
        return [Scene.from_dict(entry) for entry in answer.json()["scenes"]]
    except (ValueError, KeyError, TypeError):
        raise ServiceError(f"{answer.url.host} answered, but not as the service of yolopv2 does") from None


def check(answer: httpx.Response) -> httpx.Response:
    """The answer, if it is a good one; its body must have been read.

    Raises:
        ServiceError: It is none; with the service's reason.
    """
    if answer.is_success:
        return answer
    try:
        reason = str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        reason = answer.reason_phrase or "no reason given"
    raise ServiceError(f"the service answered {answer.status_code}: {reason}", answer.status_code)


def pause(answer: httpx.Response | None, attempt: int) -> float:
    """Seconds to wait before the next try: what the service asks for, else twice as long each time.

    Args:
        answer: The answer, or None if the connection failed.
        attempt: Tries so far, less one.
    """
    asked = answer.headers.get("retry-after", "") if answer is not None else ""
    if asked.isdecimal():
        return min(_LONGEST_PAUSE, float(asked)) * random.uniform(1, 1.2)
    return min(_LONGEST_PAUSE, 0.25 * 2**attempt) * random.uniform(0.8, 1.2)


def unreachable(url: str, error: object) -> ServiceError:
    """The error of a service that cannot be reached."""
    if isinstance(error, httpx.TimeoutException):
        return ServiceError(f"no answer from {url} in time: it is busy, or the timeout is too short")
    return ServiceError(f"{url} cannot be reached ({error}): is the service running there?")


def scene_of_line(line: str) -> Scene:
    """The scene of a line of ``scenes.jsonl``."""
    return Scene.from_dict(json.loads(line))


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to be written, which is there only when all of it is.

    Raises:
        YolopError: It cannot be written.
    """
    try:
        temporary = hidden_path(path)
        try:
            with temporary.open("wb") as file:
                yield file
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def blocks(path: Path) -> Iterator[bytes]:
    """A file in blocks."""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


def video_path(video: str | os.PathLike[str]) -> Path:
    """The path of a video.

    Raises:
        YolopError: There is no such file.
    """
    path = Path(video)
    if not path.is_file():
        raise YolopError(f"{path} is no file")
    return path

"""From what a page gives (a file, an address, a seed) to a picture or a video."""

from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, BinaryIO, Literal

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from yolopv2.errors import YolopError
from yolopv2.media import Unreadable
from yolopv2.media.headers import is_image, read_header
from yolopv2.media.listing import IMAGE_SUFFIXES
from yolopv2.media.remote import fetch, public_name, url_path
from yolopv2.studio.asked import Generated, Source
from yolopv2.studio.errors import Refusal
from yolopv2.studio.models import Models
from yolopv2.studio.pictures import Picture, generated_picture
from yolopv2.studio.sessions import Session, Shelf
from yolopv2.studio.settings import Limits, Settings
from yolopv2.studio.videos import Video, generated_drive
from yolopv2.web import plain_name

_START = 64
"""Bytes that tell a picture from a video."""


@dataclass(frozen=True)
class Opened:
    """What was opened: one of both, and where it came from, for the code that the page shows.

    Attributes:
        origin: ``kind`` (``file``, ``url``, ``scene``, ``drive``) and what belongs to it.
        picture: The picture.
        video: The video.
    """

    origin: dict[str, Any]
    picture: Picture | None = None
    video: Video | None = None


async def from_upload(request: Request, name: str, session: Session, settings: Settings, models: Models) -> Opened:
    """Opens a file that comes as the body of a request, written down as it comes.

    Raises:
        Refusal: It is too large.
        YolopError: It cannot be read.
    """
    name = plain_name(name, "picture")
    shelf = session.shelf()
    path = shelf.folder / "video"
    try:
        await receive(request, path, shelf, settings.limits)
        return await run_in_threadpool(_open, shelf, path, name, {"kind": "file"}, session, settings, models)
    except BaseException:
        shelf.remove()
        raise


async def receive(request: Request, path: Path, shelf: Shelf, limits: Limits) -> None:
    """Writes the body of a request into a file as it comes.

    Raises:
        Refusal: It is too large, or there is no room.
    """
    with path.open("wb") as file:
        start = b""
        async for part in request.stream():
            start = (start + part)[:_START] if len(start) < _START else start
            await run_in_threadpool(_write, file, part, shelf, _most_bytes(start, limits))


def kind_of(path: Path, name: str) -> Literal["picture", "video"]:
    """What a file that was given is taken for, by its first bytes.

    Args:
        path: The file.
        name: As it was sent; one that has a picture's suffix is no video.

    Raises:
        YolopError: It is empty, or no picture although it is named like one.
    """
    with path.open("rb") as file:
        start = file.read(_START)
    if not start:
        raise YolopError(f"{name}: the file is empty")
    if is_image(start):
        return "picture"
    if PurePath(name).suffix.lower().removeprefix(".") in IMAGE_SUFFIXES:
        try:
            read_header(start)
        except Unreadable as error:
            raise YolopError(f"{name}: {error}") from None
    return "video"


def from_source(source: Source, session: Session, settings: Settings, models: Models) -> Opened:
    """Opens an address or something generated.

    Raises:
        Refusal: Nothing is named, or addresses are not opened here.
        YolopError: It cannot be read.
    """
    if source.generated is not None:
        return _generated(source.generated, session, settings, models)
    if source.url is None:
        raise Refusal(422, "Nothing to look at is named: give a file, an address or a seed.")
    return _fetched(source.url.strip(), session, settings, models)


def _generated(asked: Generated, session: Session, settings: Settings, models: Models) -> Opened:
    conditions = {"seed": asked.seed, "weather": asked.weather, "time": asked.time}
    if asked.frames is None:
        data, name = generated_picture(asked.seed, asked.weather, asked.time)
        picture = Picture(session.shelf(), data, name, settings.limits)
        session.add_picture(picture)
        return Opened({"kind": "scene", **conditions}, picture=picture)
    drive = generated_drive(asked.seed, asked.weather, asked.time)
    name = f"drive-{asked.seed}.mp4"
    video = Video(session.shelf(), name, models, settings.limits, (drive, asked.frames))
    session.add_video(video)
    return Opened({"kind": "drive", "frames": asked.frames, **conditions}, video=video)


def _fetched(url: str, session: Session, settings: Settings, models: Models) -> Opened:
    if not settings.addresses:
        raise Refusal(403, "This studio opens no addresses, because others than this machine can reach it.")
    if not url.lower().startswith(("http://", "https://")):
        raise Refusal(422, "Only addresses that begin with http:// or https:// are opened.")
    try:
        data = fetch(url)
    except Unreadable as error:
        raise YolopError(f"{public_name(url)}: {error}") from None
    name = plain_name(url_path(url), "picture")
    shelf = session.shelf()
    try:
        path = shelf.write("video", data)
        return _open(shelf, path, name, {"kind": "url", "url": public_name(url)}, session, settings, models)
    except BaseException:
        shelf.remove()
        raise


def _most_bytes(start: bytes, limits: Limits) -> int:
    return limits.picture_bytes if is_image(start) else limits.video_bytes


def _write(file: BinaryIO, part: bytes, shelf: Shelf, most: int) -> None:
    shelf.take(len(part))
    file.write(part)
    if file.tell() > most:
        raise Refusal(413, f"The file is larger than the {most >> 20} MiB that the studio takes.")


def _open(
    shelf: Shelf, path: Path, name: str, origin: dict[str, Any], session: Session, settings: Settings, models: Models
) -> Opened:
    """Opens a file of the studio's own folder as what it is."""
    kind = kind_of(path, name)
    try:
        if kind == "picture":
            data = path.read_bytes()
            shelf.drop(path)
            picture = Picture(shelf, data, name, settings.limits)
            session.add_picture(picture)
            return Opened(origin, picture=picture)
        video = Video(shelf, name, models, settings.limits)
    except Unreadable as error:
        raise YolopError(f"{name}: {error}") from None
    session.add_video(video)
    return Opened(origin, video=video)

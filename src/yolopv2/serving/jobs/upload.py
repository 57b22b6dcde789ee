"""A video from a request onto the disk, as it comes."""

from pathlib import Path
from typing import BinaryIO

from fastapi import Request
from starlette.datastructures import UploadFile

from yolopv2.serving.errors import Problem
from yolopv2.serving.service import Service

_BLOCK = 1 << 20
_BLOCKS_BETWEEN_CHECKS = 16
_MOST_FIELDS = 4


async def receive_video(request: Request, path: Path, service: Service) -> str | None:
    """Writes the video of a request to a file.

    Args:
        request: A form with one file, or the video itself as the body.
        path: The file.
        service: Whose disk it goes to.

    Returns:
        What the sender calls the file, if it says so.

    Raises:
        Problem: The body is none that is understood, or there is no room for it.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    length = request.headers.get("content-length", "")
    await service.with_files(service.jobs.check_disk, int(length) if length.isdecimal() else 0)
    if media_type == "multipart/form-data":
        return await _receive_form(request, path, service)
    if media_type.startswith("video/") or media_type in ("application/octet-stream", ""):
        await _receive_body(request, path, service)
        return None
    raise Problem(
        415,
        f"a body of type {media_type[:100]!r} is not understood: send the video as multipart/form-data "
        "(curl -F file=@drive.mp4), as video/mp4 or application/octet-stream",
    )


async def _receive_form(request: Request, path: Path, service: Service) -> str | None:
    async with request.form(max_files=1, max_fields=_MOST_FIELDS) as form:
        files = [value for value in form.values() if isinstance(value, UploadFile)]
        if not files:
            raise Problem(422, "the form holds no file: send the video as curl -F file=@drive.mp4 does")
        writer = _Writer(path, service)
        try:
            while block := await files[0].read(_BLOCK):
                await writer.write(block)
        finally:
            await writer.close()
        return files[0].filename


async def _receive_body(request: Request, path: Path, service: Service) -> None:
    writer, pending = _Writer(path, service), bytearray()
    try:
        async for part in request.stream():
            pending += part
            if len(pending) >= _BLOCK:
                await writer.write(bytes(pending))
                pending.clear()
        await writer.write(bytes(pending))
    finally:
        await writer.close()


class _Writer:
    """Writes blocks in threads, and looks now and then whether there is room."""

    def __init__(self, path: Path, service: Service) -> None:
        self._path, self._service = path, service
        self._file: BinaryIO | None = None
        self._blocks = 0

    async def write(self, block: bytes) -> None:
        if self._blocks % _BLOCKS_BETWEEN_CHECKS == 0:
            await self._service.with_files(self._service.jobs.check_disk, len(block))
        self._blocks += 1
        await self._service.with_files(self._append, block)

    def _append(self, block: bytes) -> None:
        if self._file is None:
            self._file = self._path.open("wb")
        try:
            self._file.write(block)
        except OSError:
            raise Problem(507, "this machine's disk is full") from None

    async def close(self) -> None:
        if self._file is not None:
            await self._service.with_files(self._file.close)

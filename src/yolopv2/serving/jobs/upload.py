"""A video from a request onto the disk, block by block as it comes: no more than a block is ever in memory."""

import os
from pathlib import Path
from typing import BinaryIO, Protocol

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from yolopv2.serving.errors import Problem
from yolopv2.serving.service import Service

_BLOCK = 1 << 20
_BLOCKS_BETWEEN_CHECKS = 16
_MOST_PARTS = 8


class _Sink(Protocol):
    """What takes the blocks of a body."""

    def write(self, data: bytes, /) -> int: ...


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
    is_form = media_type == "multipart/form-data"
    if not is_form and not media_type.startswith("video/") and media_type not in ("application/octet-stream", ""):
        raise Problem(
            415,
            f"a body of type {media_type[:100]!r} is not understood: send the video as multipart/form-data "
            "(curl -F file=@drive.mp4), as video/mp4 or application/octet-stream",
        )
    length = request.headers.get("content-length", "")
    await service.with_files(service.jobs.check_disk, int(length) if length.isdecimal() else 0)
    with path.open("wb") as file:
        form = _Form(request.headers["content-type"], file) if is_form else None
        await _copy(request, form.parser if form else file, service)
    return form.name() if form else None


async def _copy(request: Request, sink: _Sink, service: Service) -> None:
    pending, count = bytearray(), 0
    async for part in request.stream():
        pending += part
        if len(pending) >= _BLOCK:
            if count % _BLOCKS_BETWEEN_CHECKS == 0:
                await service.with_files(service.jobs.check_disk, len(pending))
            count += 1
            await service.with_files(_write, sink, bytes(pending))
            pending.clear()
    await service.with_files(_write, sink, bytes(pending))


def _write(sink: _Sink, block: bytes) -> None:
    try:
        sink.write(block)
    except FormParserError as error:
        raise Problem(400, f"the form is malformed: {error}") from None
    except OSError:
        raise Problem(507, "this machine's disk is full") from None


class _Form:
    """Picks the one file out of a form (RFC 7578); fields beside it are passed over.

    Starlette's own reader puts files into the machine's temporary folder first, whose size nothing here bounds.
    """

    def __init__(self, content_type: str, file: BinaryIO) -> None:
        self._file = file
        self._names: list[str] = []
        self._parts, self._in_file, self._ended = 0, False, False
        self._field, self._value = b"", b""
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        if not boundary:
            raise Problem(400, "the form is malformed: its Content-Type names no boundary")
        try:
            self.parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._header_field,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_part_data": self._data,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise Problem(400, f"the form is malformed: {error}") from None

    def name(self) -> str | None:
        """What the file is called, once all of the form was written.

        Raises:
            Problem: There was no file, or the form was cut off.
        """
        if not self._ended:
            raise Problem(400, "the form is cut off: its closing boundary is missing")
        if not self._names:
            raise Problem(422, "the form holds no file: send the video as curl -F file=@drive.mp4 does")
        return self._names[0] or None

    def _begin(self) -> None:
        self._parts, self._in_file = self._parts + 1, False
        if self._parts > _MOST_PARTS:
            raise Problem(413, f"the form has more than {_MOST_PARTS} parts: send one video")

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            name = parse_options_header(self._value)[1].get(b"filename")
            if name is not None:
                if self._names:
                    raise Problem(422, "the form holds several files: send one video at a time")
                self._names.append(os.fsdecode(name))
                self._in_file = True
        self._field = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._file.write(data[start:end])

    def _end(self) -> None:
        self._ended = True

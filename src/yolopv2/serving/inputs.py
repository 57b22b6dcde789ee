"""From a request to frames: multipart, the bytes of a picture, or JSON; checked before anything is decoded."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from yolopv2.media import Frame, Unreadable, decode_image
from yolopv2.media.frame import check_size
from yolopv2.media.headers import read_header
from yolopv2.media.public import fetch_public
from yolopv2.serving.budget import Hold
from yolopv2.serving.errors import Problem, invalid
from yolopv2.serving.options import PredictBody, PredictOptions
from yolopv2.serving.service import Service
from yolopv2.web import plain_name

_BYTES_PER_PIXEL = 6
"""A decoded picture, its copy while it is decoded, and masks."""

_MOST_FIELDS = 20
_BINARY = ("application/octet-stream", "")


@dataclass(frozen=True)
class Input:
    """One picture as it was sent.

    Attributes:
        name: What the scene is to call it.
        data: The file's content, or None if it is to be fetched.
        url: Where from.
    """

    name: str
    data: bytes | None = None
    url: str | None = None


async def read_inputs(
    request: Request, given: PredictOptions, service: Service, hold: Hold
) -> tuple[list[Input], PredictOptions]:
    """Reads a request.

    Args:
        request: The request.
        given: The options in its address, over which those in its body stand.
        service: Whose limits hold.
        hold: What the request holds.

    Returns:
        The pictures, one or more, and the options.

    Raises:
        Problem: The body is none that is understood, or it is over a limit.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    limit = service.settings.limits.images
    if media_type == "multipart/form-data":
        inputs, options = await _read_form(request, given, limit)
    elif media_type == "application/json":
        content = await request.body()
        hold.take(size=2 * len(content))
        inputs, options = await service.with_pictures(_read_json, content, given)
    elif media_type.startswith("image/") or media_type in _BINARY:
        inputs, options = [Input("image-0", await request.body())], given
    else:
        raise Problem(
            415,
            f"a body of type {media_type[:100]!r} is not understood: send pictures as multipart/form-data "
            "(curl -F file=@street.jpg), as image/jpeg or application/octet-stream, or base64 in application/json",
        )
    if len(inputs) > limit:
        raise Problem(413, f"{len(inputs)} pictures in one request: at most {limit} are taken")
    return inputs, options


async def _read_form(request: Request, given: PredictOptions, limit: int) -> tuple[list[Input], PredictOptions]:
    async with request.form(max_files=limit, max_fields=_MOST_FIELDS, max_part_size=4096) as form:
        inputs: list[Input] = []
        fields: dict[str, Any] = {}
        for key, value in form.multi_items():
            if isinstance(value, UploadFile):
                inputs.append(Input(plain_name(value.filename, f"image-{len(inputs)}"), await value.read()))
            elif key == "classes":
                fields.setdefault(key, []).append(value)
            else:
                fields[key] = value
    if not inputs:
        raise Problem(422, "the form holds no file: send pictures as curl -F file=@street.jpg does")
    return inputs, _merged(given, fields)


def _read_json(content: bytes, given: PredictOptions) -> tuple[list[Input], PredictOptions]:
    try:
        body = PredictBody.model_validate_json(content)
    except ValidationError as error:
        raise invalid(error.errors(include_input=False, include_url=False, include_context=False)) from None
    inputs = []
    for position, image in enumerate(body.images):
        name = plain_name(image.name or (image.url or "").partition("?")[0], f"image-{position}")
        try:
            data = None if image.data is None else base64.b64decode(image.data, validate=True)
        except (binascii.Error, ValueError):
            raise Problem(422, f"images.{position}.data is not base64") from None
        inputs.append(Input(name, data, image.url))
    return inputs, _merged(given, body.model_dump(exclude_unset=True, exclude={"images"}))


def _merged(given: PredictOptions, fields: dict[str, Any]) -> PredictOptions:
    try:
        return PredictOptions.model_validate({**given.model_dump(exclude_unset=True), **fields})
    except ValidationError as error:
        raise invalid(error.errors(include_input=False, include_url=False, include_context=False)) from None


async def read_frame(given: Input, service: Service, hold: Hold) -> Frame:
    """Decodes a picture, if its header says that it is one that fits.

    Raises:
        Problem: It cannot be read, fetched or held; the detail names it.
    """
    try:
        data = given.data if given.data is not None else await _fetched(given.url or "", service, hold)
        return await decode(data, given.name, service, hold)
    except Unreadable as error:
        raise Problem(422, f"{given.name}: {error}") from None


async def _fetched(url: str, service: Service, hold: Hold) -> bytes:
    settings = service.settings
    data: bytes = await service.fetching(fetch_public, url, settings.url_hosts, settings.limits.body_bytes)
    hold.take(size=len(data))
    return data


async def decode(data: bytes, name: str, service: Service, hold: Hold) -> Frame:
    """Decodes the content of a picture's file in a thread.

    Raises:
        Unreadable: It is none.
        Problem: 413 or 429, it is too large, or so just now.
    """
    header = await service.with_pictures(read_header, data)
    check_size(header.width, header.height)
    pixels, limit = header.width * header.height, service.settings.limits.pixels
    if pixels > limit:
        raise Problem(413, f"{name}: {header.width}x{header.height} pixels are more than the {limit} that are taken")
    hold.take(size=_BYTES_PER_PIXEL * pixels)
    picture = await service.with_pictures(decode_image, data)
    return Frame(picture.image, name)

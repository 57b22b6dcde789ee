"""POST /v1/predict: pictures in, scenes or an annotated picture out."""

import asyncio
import json
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query, Request, Response

from yolopv2.files import encode_image
from yolopv2.inference import Thresholds
from yolopv2.scene import Scene
from yolopv2.serving import openapi
from yolopv2.serving.budget import Hold
from yolopv2.serving.errors import Problem
from yolopv2.serving.inputs import Input, read_frame, read_inputs
from yolopv2.serving.models import Served
from yolopv2.serving.options import PredictOptions
from yolopv2.serving.service import Service, service_of

router = APIRouter()

_MEDIA_TYPES = {"json": "application/json", "png": "image/png", "jpeg": "image/jpeg"}
_SUFFIXES = {"png": ".png", "jpeg": ".jpg"}


@router.post("/v1/predict", openapi_extra=openapi.PREDICT_BODY, responses=openapi.PREDICT_ANSWERS, tags=["pictures"])
async def predict(request: Request, query: Annotated[PredictOptions, Query()]) -> Response:
    """Look at one picture or several.

    Send them as files of a form, as the bytes of one, or in base64 within JSON. The answer has one scene per picture,
    in their order; with `format=png` or `jpeg` (or by the header Accept) it is the one picture with everything drawn.
    """
    service, hold = service_of(request), request.state.hold
    inputs, options = await read_inputs(request, query, service, hold)
    kind = options.format or accepted(request.headers.get("accept", ""))
    if kind != "json" and len(inputs) > 1:
        raise Problem(422, f"{len(inputs)} pictures cannot be answered with one {kind}: ask for json, or send one")
    try:
        with anyio.fail_after(service.settings.limits.timeout):
            served = await service.model(options.model)
            content = await _answer(inputs, options, kind, served, service, hold)
    except TimeoutError:
        raise Problem(503, "the answer took too long: try again later", service.budget.retry_after()) from None
    return Response(content, media_type=_MEDIA_TYPES[kind])


async def _answer(
    inputs: list[Input], options: PredictOptions, kind: str, served: Served, service: Service, hold: Hold
) -> bytes:
    thresholds = served.model.thresholds(**options.thresholds())
    hold.take(images=len(inputs))
    scenes = await _gather(*(_look(given, thresholds, served, service, hold) for given in inputs))
    if kind == "json":
        lines = await _gather(*(service.with_pictures(Scene.to_json, scene) for scene in scenes))
        return _joined(served.name, lines)
    return await service.with_pictures(_drawn, scenes[0], _SUFFIXES[kind])


async def _look(given: Input, thresholds: Thresholds, served: Served, service: Service, hold: Hold) -> Scene:
    frame = await read_frame(given, service, hold)
    return await asyncio.wrap_future(served.batcher.submit(frame, thresholds))


async def _gather(*works: Any) -> list[Any]:
    """Results of all; when one fails the others are cancelled, which gather alone does not do."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


def _joined(model: str, lines: list[str]) -> bytes:
    """The answer around scenes that threads have already written as JSON."""
    return f'{{"model":{json.dumps(model)},"scenes":[{",".join(lines)}]}}'.encode()


def _drawn(scene: Scene, suffix: str) -> bytes:
    return encode_image(scene.draw(), suffix)


def accepted(header: str) -> str:
    """What of json, png and jpeg a header Accept likes best (RFC 9110, 12.5.1).

    Raises:
        Problem: 406, it accepts none of them.

    Example:
        >>> accepted("image/png, application/json;q=0.5"), accepted("*/*"), accepted("")
        ('png', 'json', 'json')
    """
    best, most = "", 0.0
    for entry in header.split(",") if header.strip() else ["*/*"]:
        kind, *parameters = (part.strip().lower() for part in entry.split(";"))
        quality = _quality(parameters)
        for name, media_type in _MEDIA_TYPES.items():
            if kind in (media_type, "*/*", media_type.partition("/")[0] + "/*") and quality > most:
                best, most = name, quality
    if not best:
        raise Problem(406, f"none of the accepted types is one of {', '.join(_MEDIA_TYPES.values())}")
    return best


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = float(parameter[2:])
            except ValueError:
                return 0.0
            return quality if 0 <= quality <= 1 else 0.0
    return 1.0

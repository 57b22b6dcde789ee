"""WebSocket /v1/live: frames of a camera in, scenes out; the newest frame wins."""

import asyncio
import json
from typing import Any

from fastapi import APIRouter, WebSocket
from pydantic import ValidationError
from starlette.websockets import WebSocketDisconnect

from yolopv2.errors import YolopError
from yolopv2.inference import Thresholds
from yolopv2.media import Unreadable
from yolopv2.serving.errors import LOG, UNEXPECTED, Problem, invalid
from yolopv2.serving.inputs import decode
from yolopv2.serving.models import Served
from yolopv2.serving.options import Options
from yolopv2.serving.service import Service, service_of

router = APIRouter()

_IDLE_SECONDS = 60.0
_POLICY, _GOING_AWAY, _TRY_AGAIN = 1008, 1001, 1013
"""Close codes (RFC 6455, 7.4.1, and its registry)."""


class _Newest:
    """A place for one frame; a newer one takes it."""

    def __init__(self) -> None:
        self._frame: tuple[int, bytes] | None = None
        self._changed = asyncio.Event()
        self._count = 0

    def put(self, data: bytes) -> None:
        self._frame = (self._count, data)
        self._count += 1
        self._changed.set()

    async def take(self) -> tuple[int, bytes]:
        while self._frame is None:
            self._changed.clear()
            await self._changed.wait()
        frame, self._frame = self._frame, None
        return frame


@router.websocket("/v1/live")
async def live(websocket: WebSocket) -> None:
    """Look at live frames.

    Each binary message is a picture's file, each answer the scene of one, whose ``index`` counts the frames sent:
    those that came while another was looked at are passed over. The options stand in the address.
    """
    service = service_of(websocket)
    await websocket.accept()
    if service.streams >= service.settings.limits.streams:
        await websocket.close(_TRY_AGAIN, "too many streams at the same time")
        return
    service.streams += 1
    try:
        served, thresholds = await _opened(websocket, service)
        await _exchange(websocket, service, served, thresholds)
    except (Problem, YolopError) as error:
        await websocket.close(_POLICY, str(error)[:120])
    except WebSocketDisconnect:
        pass
    finally:
        service.streams -= 1


async def _opened(websocket: WebSocket, service: Service) -> tuple[Served, Thresholds]:
    """The model and thresholds that the address asks for."""
    given: dict[str, Any] = dict(websocket.query_params)
    if "classes" in given:
        given["classes"] = websocket.query_params.getlist("classes")
    try:
        options = Options.model_validate(given)
    except ValidationError as error:
        raise invalid(error.errors(include_input=False, include_url=False, include_context=False)) from None
    served = await service.model(options.model)
    return served, served.model.thresholds(**options.thresholds())


async def _exchange(websocket: WebSocket, service: Service, served: Served, thresholds: Thresholds) -> None:
    """Reads and answers until either side ends it, or the service is to stop."""
    newest = _Newest()
    works = (_read(websocket, newest), _answer(websocket, newest, service, served, thresholds), service.stopping.wait())
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        await websocket.close(_GOING_AWAY, "the service is about to stop, or nothing was sent for a minute")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(websocket: WebSocket, newest: _Newest) -> None:
    while True:
        try:
            message = await asyncio.wait_for(websocket.receive(), _IDLE_SECONDS)
        except asyncio.TimeoutError:
            return
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", _GOING_AWAY))
        data = message.get("bytes")
        if data is None:
            raise Problem(422, "frames are sent as binary messages")
        newest.put(data)


async def _answer(
    websocket: WebSocket, newest: _Newest, service: Service, served: Served, thresholds: Thresholds
) -> None:
    while True:
        index, data = await newest.take()
        await websocket.send_text(await _seen(index, data, service, served, thresholds))


async def _seen(index: int, data: bytes, service: Service, served: Served, thresholds: Thresholds) -> str:
    """The scene of a frame, or the problem with it, as JSON; either has the frame's index."""
    try:
        with service.budget.hold() as hold:
            hold.take(images=1, size=len(data))
            frame = await decode(data, "live", service, hold)
            frame.index = index
            scene = await asyncio.wrap_future(served.batcher.submit(frame, thresholds))
            return await service.with_pictures(scene.to_json)
    except Unreadable as error:
        problem = Problem(422, f"the frame cannot be read: {error}", index=index)
    except Problem as refused:
        problem = Problem(refused.status, refused.detail, index=index)
    except Exception:
        LOG.exception("a live frame failed")
        problem = Problem(500, UNEXPECTED, index=index)
    return json.dumps(problem.body())

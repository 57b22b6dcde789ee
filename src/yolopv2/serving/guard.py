"""What stands before the application: who may ask, how much may come in, and how slowly."""

import hmac
import time

import anyio
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from yolopv2.serving.budget import Hold
from yolopv2.serving.errors import LOG, UNEXPECTED, Problem
from yolopv2.serving.service import Service
from yolopv2.web import is_known_host, is_own_origin

OPEN = ("/health", "/ready")
"""Addresses for the machinery around the service, which has no token, and is answered however busy it is."""

JOBS = "/v1/jobs"

_LEAST_RATE = 16_384
"""Bytes per second below which a body is given up after a while."""

_LINGER_BYTES, _LINGER_SECONDS = 16 << 20, 2.0


class Guard:
    """ASGI middleware: checks host, origin and token, and meters bodies while they come in.

    Each request gets a `Hold` in ``request.state.hold``, which is given back when it is answered.

    Args:
        app: The application.
        service: What it serves.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one connection, as ASGI has it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        service = self._service
        began, is_open = time.perf_counter(), scope["path"] in OPEN
        with service.budget.hold() as hold:
            body = _Body(receive, send, service, scope, hold)
            scope.setdefault("state", {})["hold"] = hold
            service.requests += not is_open
            try:
                self._check(scope, is_open)
            except Problem as problem:
                await _refuse(problem.response(), scope, body)
            else:
                await self._answer(scope, body)
            finally:
                service.requests -= not is_open
                if scope["type"] == "http":
                    route = getattr(scope.get("route"), "path", "other")
                    service.metrics.watch_request(scope["method"], route, body.status, time.perf_counter() - began)

    async def _answer(self, scope: Scope, body: "_Body") -> None:
        """Has the application answer; an error that nobody expected is logged, and not told."""
        try:
            await self._app(scope, body.receive, body.send)
        except Exception:
            if scope["type"] != "http" or body.status:
                raise
            LOG.exception("%s %s failed", scope["method"], scope["path"])
            await _refuse(Problem(500, UNEXPECTED).response(), scope, body)

    def _check(self, scope: Scope, is_open: bool) -> None:
        """Whether the request may come in at all.

        Raises:
            Problem: It may not.
        """
        settings, headers = self._service.settings, Headers(scope=scope)
        host = headers.get("host", "")
        if not is_known_host(host, settings.hosts):
            raise Problem(421, "the service has no such name: ask by its address, or start it with --allow-host")
        origin = headers.get("origin")
        if origin is not None and not is_own_origin(origin, host, settings.origins) and _changes(scope):
            raise Problem(
                403, "pages of other origins may not use the service, unless it is started with --allow-origin"
            )
        if is_open:
            return
        if settings.token is not None:
            scheme, _, given = headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), settings.token.encode()):
                bearer = {"WWW-Authenticate": "Bearer"}
                raise Problem(401, "this service needs its token: Authorization: Bearer TOKEN", headers=bearer)
        if self._service.stopping.is_set():
            raise Problem(503, "the service is about to stop", 5)
        if self._service.requests > settings.limits.requests:
            raise Problem(503, "too many requests at the same time: try again later", 1)


class _Body:
    """One request's body on its way in, and the answer on its way out."""

    def __init__(self, receive: Receive, send: Send, service: Service, scope: Scope, hold: Hold) -> None:
        self._receive, self._send, self._hold = receive, send, hold
        self._limits = service.settings.limits
        self._is_video = scope["path"] == JOBS
        self._limit = self._limits.video_bytes if self._is_video else self._limits.body_bytes
        length = Headers(scope=scope).get("content-length", "0")
        self._announced = int(length) if length.isdecimal() else 0
        self._size, self._began = 0, time.monotonic()
        self._whole = scope["type"] != "http"
        self.status = 0

    async def receive(self) -> Message:
        """The next part, refused when it is too much or comes too slowly."""
        if self._whole:
            return await self._receive()
        self._check_size(self._announced)
        allowed = self._limits.read_timeout
        left = self._began + allowed + self._size / _LEAST_RATE - time.monotonic()
        message = None
        with anyio.move_on_after(max(0.0, min(allowed, left))):
            message = await self._receive()
        if message is None:
            raise Problem(408, f"the request came too slowly: no more than {allowed:g} seconds without a byte")
        size = len(message.get("body", b""))
        self._size += size
        self._check_size(self._size)
        if not self._is_video:
            self._hold.take(size=size)
        self._whole = not message.get("more_body", False)
        return message

    def _check_size(self, size: int) -> None:
        if size > self._limit:
            raise Problem(413, f"the request is larger than the {self._limit} bytes that this service takes here")

    async def send(self, message: Message) -> None:
        """Sends a part of the answer; the last one waits a little for a client that is still sending.

        A connection closed upon a client that sends is reset, and takes the answer with it.
        """
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self._is_cut_off:
                message = {**message, "headers": [*message.get("headers", []), (b"connection", b"close")]}
        elif message["type"] == "http.response.body" and not message.get("more_body") and self._is_cut_off:
            await self._send({**message, "more_body": True})
            await self._discard()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    @property
    def _is_cut_off(self) -> bool:
        """Whether the request is refused before all of it came."""
        return self.status >= 400 and not self._whole

    async def _discard(self) -> None:
        size, more = 0, True
        with anyio.move_on_after(_LINGER_SECONDS):
            while more and size < _LINGER_BYTES:
                message = await self._receive()
                size += len(message.get("body", b""))
                more = message.get("more_body", False)


async def _refuse(response: Response, scope: Scope, body: _Body) -> None:
    if scope["type"] == "http":
        await response(scope, body.receive, body.send)
        return
    websocket = WebSocket(scope, body.receive, body.send)
    await websocket.receive()
    if "websocket.http.response" in scope.get("extensions", {}):
        await websocket.send_denial_response(response)
    else:
        await websocket.close(1008)


def _changes(scope: Scope) -> bool:
    """Whether a browser would let a foreign page send this without asking, to some effect."""
    return scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD", "OPTIONS")

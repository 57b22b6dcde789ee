"""The server that runs the application: connections that may not idle, and an end that finishes what was begun."""

import asyncio
import json
import logging
import signal
import socket
from types import FrameType
from typing import Any

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from yolopv2.serving.errors import MEDIA_TYPE, Problem
from yolopv2.serving.service import Service
from yolopv2.serving.settings import Settings

_HEADER_SECONDS = 10.0
"""Seconds that the head of a request may take."""

_CONNECTIONS_PER_REQUEST = 4
"""Connections held open for each request that may be under way; most of them idle between two."""


class _Protocol(H11Protocol):
    """uvicorn's HTTP/1.1, which bounds connections and the time that the head of a request takes."""

    most_connections = 1024

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._head_timer: asyncio.TimerHandle | None = None
        if len(self.connections) > self.most_connections:
            transport.close()
            return
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            if self._head_timer is None and self.conn.their_state is h11.IDLE:
                self._expect_head()
        else:
            self._forget_head()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._forget_head()
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:
        self._answer_and_close(Problem(400, "what came is no HTTP request"))

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(_HEADER_SECONDS, self._too_slow)

    def _forget_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self._answer_and_close(Problem(408, f"no request within {_HEADER_SECONDS:g} seconds"))

    def _answer_and_close(self, problem: Problem) -> None:
        body = json.dumps(problem.body()).encode()
        headers = [("content-type", MEDIA_TYPE), ("content-length", str(len(body))), ("connection", "close")]
        events = (h11.Response(status_code=problem.status, headers=headers), h11.Data(data=body), h11.EndOfMessage())
        try:
            for event in events:
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:
            pass  # an answer was under way already
        self.transport.close()


class Server(uvicorn.Server):
    """uvicorn, which tells the service at once when it is to stop.

    Args:
        app: The application.
        settings: Of the application.
        access_log: Whether a line is logged for each request.
    """

    def __init__(self, app: FastAPI, settings: Settings, access_log: bool = False) -> None:
        limits = settings.limits
        protocol = type("Protocol", (_Protocol,), {"most_connections": _CONNECTIONS_PER_REQUEST * limits.requests})
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol,
                ws_max_size=limits.frame_bytes,
                ws_per_message_deflate=False,  # a small message must not become a large one
                timeout_keep_alive=10,
                timeout_graceful_shutdown=round(limits.timeout) + 5,
                log_level=logging.INFO if access_log else logging.WARNING,
                access_log=access_log,
                proxy_headers=False,
                server_header=False,
                lifespan="on",
            )
        )
        self._service: Service = app.state.service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stops on SIGTERM and Ctrl-C; a second Ctrl-C does not wait for requests."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.stop()

    def stop(self) -> None:
        """Ends the service when the requests under way are answered. May be called from another thread."""
        self.should_exit = True
        self._service.stop()


def serve(app: FastAPI, settings: Settings, listening: socket.socket, **options: Any) -> None:
    """Runs the application until it is told to stop by SIGTERM or Ctrl-C.

    Args:
        app: See `create_app`.
        settings: Of the application.
        listening: See `yolopv2.web.listen`.
        options: Of `Server`.
    """
    Server(app, settings, **options).run(sockets=[listening])

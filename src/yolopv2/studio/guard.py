"""What stands before the application: only this machine's own page may ask."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from yolopv2.studio.errors import Refusal
from yolopv2.web import is_known_host, is_own_origin

SESSION_HEADER = "x-studio-session"
"""Names the session; a page of another origin cannot send it, for it would have to ask first and gets no answer."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
"""Sent with everything. Nothing is loaded from elsewhere, and nothing is told to anyone."""


class Guard:
    """ASGI middleware: refuses foreign hosts and origins, and adds `HEADERS`.

    Args:
        app: The application.
        hosts: Names under which it may be asked for, besides ``localhost`` and plain addresses.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...] = ()) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one connection, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refusal = self._refusal(scope["path"], Headers(scope=scope))
        await (self._app if refusal is None else refusal.response())(scope, receive, send_with_headers)

    def _refusal(self, path: str, headers: Headers) -> Refusal | None:
        """Why a request may not come in, if it may not."""
        host = headers.get("host", "")
        if not is_known_host(host, self._hosts):
            return Refusal(421, "The studio does not go by that name: open the address that its terminal shows.")
        origin = headers.get("origin")
        if origin is not None and not is_own_origin(origin, host):
            return Refusal(403, "Pages of other origins may not use the studio.")
        if path.startswith("/api/") and SESSION_HEADER not in headers:
            return Refusal(403, "This request names no session: open the studio's page and use that.")
        return None

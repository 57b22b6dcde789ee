"""The HTTP service and its client; needs the extra ``serve``, the client alone httpx.

Example:
    >>> from yolopv2.serving import Client
    >>> client = Client("http://127.0.0.1:8000")  # scene = client.run("street.jpg")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from yolopv2.errors import MissingExtra

if TYPE_CHECKING:
    from yolopv2.serving.application import create_app
    from yolopv2.serving.client import AsyncClient, Client, ServiceError
    from yolopv2.serving.settings import Limits, Settings

__all__ = ["AsyncClient", "Client", "Limits", "ServiceError", "Settings", "create_app"]

_WHERE = {
    "AsyncClient": "yolopv2.serving.client",
    "Client": "yolopv2.serving.client",
    "ServiceError": "yolopv2.serving.client",
    "create_app": "yolopv2.serving.application",
    "Limits": "yolopv2.serving.settings",
    "Settings": "yolopv2.serving.settings",
}
"""Imported when first used: the client needs no server, nor the server a client."""

_EXTRA = ("fastapi", "starlette", "uvicorn", "python_multipart", "prometheus_client", "httpx", "h11", "anyio")


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(_WHERE[name]), name)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in _EXTRA:
            raise MissingExtra("serve", "The HTTP service") from None
        raise

"""Fetch pictures from web addresses, and say which addresses may be opened at all."""

import base64
import http.client
import re
import time
import urllib.error
import urllib.request
from urllib.parse import unquote, urlsplit

from yolopv2.media.frame import Unreadable

SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps")
"""Schemes of the addresses that may be opened; anything else, such as ``file:``, is refused."""

TIMEOUT = 10.0
"""Seconds to wait for an answer."""

_MOST_BYTES = 64 << 20
_MOST_SECONDS = 60.0


def public_name(url: str) -> str:
    """An address without the user name and password it may hold, to be shown and stored.

    Args:
        url: The address.

    Returns:
        The address without them.

    Example:
        >>> public_name("rtsp://admin:secret@10.0.0.7/stream1")
        'rtsp://10.0.0.7/stream1'
    """
    scheme, rest = url.split("://", 1)
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def url_path(url: str) -> str:
    """The path of an address, without its query: what tells the kind of file.

    Args:
        url: The address.

    Returns:
        The path.

    Example:
        >>> url_path("https://example.org/a/street.jpg?size=2")
        '/a/street.jpg'
    """
    path = url.split("://", 1)[1].partition("/")[2]  # unlike urlsplit(), content with a malformed host
    return "/" + re.split("[?#]", path)[0]


def serves_image(url: str) -> bool:
    """Whether a web server calls what is behind an address an image.

    Args:
        url: The address, of any scheme.

    Returns:
        False also when there is no answer: opening it as a stream then tells why.
    """
    if not url.lower().startswith(("http://", "https://")):
        return False
    try:
        with _opener().open(_request(url), timeout=TIMEOUT) as response:
            return str(response.headers.get_content_type()).startswith("image/")
    except _FETCH_ERRORS:
        return False


def fetch(url: str, opener: urllib.request.OpenerDirector | None = None, most_bytes: int = _MOST_BYTES) -> bytes:
    """Fetch what is behind an http or https address, within a minute.

    Redirections are followed to http and https addresses only.

    Args:
        url: The address; a user name and password in it are sent to its host alone.
        opener: What opens it, with other rules; see `yolopv2.media.public`.
        most_bytes: More is refused.

    Returns:
        The content.

    Raises:
        Unreadable: If there is no network, no such address, no answer in time, or the content is too large.
    """
    try:
        with (opener or _opener()).open(_request(url), timeout=TIMEOUT) as response:
            return _read_bounded(response, most_bytes)
    except urllib.error.HTTPError as error:
        raise Unreadable(f"it cannot be fetched: the server answered {error.code} {error.reason}") from None
    except TimeoutError:
        raise Unreadable(f"it cannot be fetched: no answer within {TIMEOUT:.0f} seconds") from None
    except _FETCH_ERRORS as error:
        reason = getattr(error, "reason", error)
        text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        raise Unreadable(f"it cannot be fetched: {text}; check the address and the network") from None


_FETCH_ERRORS = (OSError, http.client.HTTPException, ValueError, OverflowError)  # the last two for odd addresses


def _request(url: str) -> urllib.request.Request:
    request = urllib.request.Request(public_name(url), headers={"User-Agent": "yolopv2"})
    account, at, _ = urlsplit(url).netloc.rpartition("@")
    if at:  # urllib takes no account in the address
        token = base64.b64encode(unquote(account).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {token}")
    return request


def _opener() -> urllib.request.OpenerDirector:
    """An opener without urllib's handlers for files, data and FTP, which a redirection could reach otherwise."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener


def _read_bounded(response: http.client.HTTPResponse, most_bytes: int) -> bytes:
    deadline = time.monotonic() + _MOST_SECONDS
    parts, size = [], 0
    while part := response.read(1 << 16):
        parts.append(part)
        size += len(part)
        if size > most_bytes:
            raise Unreadable(f"it is larger than the {most_bytes >> 20} MiB allowed for a picture")
        if time.monotonic() > deadline:
            raise Unreadable(f"it could not be fetched within {_MOST_SECONDS:.0f} seconds")
    return b"".join(parts)

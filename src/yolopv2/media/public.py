"""Fetch pictures for strangers: from hosts that are allowed and addresses that are public, also after redirections.

Whoever makes a server fetch an address of his choice could reach what only the server can (server-side request
forgery): each connection, the first as well as those of redirections, is made to an address that was just checked, so
a name that resolves differently the next moment gains nothing.
"""

import http.client
import ipaddress
import socket
import urllib.request
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from yolopv2.media.frame import Unreadable
from yolopv2.media.remote import fetch

_PORTS = {"http": 80, "https": 443}


def fetch_public(url: str, hosts: Collection[str], most_bytes: int) -> bytes:
    """Fetch what is behind an address that a stranger gave.

    Args:
        url: The address, http or https.
        hosts: Hosts that may be asked, each a name, or a name and a port where it is not the usual one.
        most_bytes: More is refused.

    Returns:
        The content.

    Raises:
        Unreadable: The address is not allowed, or what `yolopv2.media.remote.fetch` raises.

    Example:
        >>> fetch_public("http://169.254.169.254/latest", ["cdn.example.org"], 1 << 20)
        Traceback (most recent call last):
        yolopv2.media.frame.Unreadable: pictures are not fetched from 169.254.169.254: its operator allows no such host
    """
    check_host(url, hosts)
    return fetch(url, _opener(hosts), most_bytes)


def check_host(url: str, hosts: Collection[str]) -> None:
    """Refuse an address whose host is not allowed.

    Raises:
        Unreadable: It is not, or the address is none of http and https, or holds a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Unreadable("the address is malformed") from None
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        raise Unreadable("pictures are fetched from http and https addresses without a user name only")
    usual = port in (None, _PORTS[parts.scheme])
    name = parts.hostname if usual else f"{parts.hostname}:{port}"
    if name not in hosts:
        raise Unreadable(f"pictures are not fetched from {name}: its operator allows no such host")


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, and carries no other inside.

    Example:
        >>> [is_public(a) for a in ("93.184.216.34", "127.0.0.1", "10.1.2.3", "169.254.169.254", "::ffff:127.0.0.1")]
        [True, False, False, False, False]
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and (ip not in _UNICAST or ip.sixtofour or ip.teredo):
        return False
    return ip.is_global and not ip.is_multicast


_UNICAST = ipaddress.ip_network("2000::/3")
"""All that is handed out of IPv6 (RFC 4291, 2.4); mapped, compatible and translated IPv4 addresses lie outside."""


def _connect(address: tuple[str, int], timeout: Any = None, source_address: Any = None) -> socket.socket:
    """A connection to a public address; the one that was checked is the one that is connected to."""
    failure: OSError = OSError("it has no public address")
    for *_, found in socket.getaddrinfo(*address, type=socket.SOCK_STREAM):
        if not is_public(str(found[0])):
            raise OSError("it has an address that is not public")
        try:
            return socket.create_connection((str(found[0]), int(found[1])), timeout, source_address)
        except OSError as error:
            failure = error
    raise failure


class _HTTPConnection(http.client.HTTPConnection):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._create_connection = _connect


class _HTTPSConnection(http.client.HTTPSConnection):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._create_connection = _connect


class _HTTPHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_HTTPConnection, req)


class _HTTPSHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_HTTPSConnection, req)


class _RedirectHandler(urllib.request.HTTPRedirectHandler):
    def __init__(self, hosts: Collection[str]) -> None:
        self._hosts = hosts

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
        check_host(newurl, self._hosts)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(hosts: Collection[str]) -> urllib.request.OpenerDirector:
    """An opener for http and https alone; without proxies, whose own name resolution could not be checked."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        _HTTPHandler(),
        _HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        _RedirectHandler(hosts),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener

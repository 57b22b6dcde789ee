"""The socket of a server."""

import socket

from yolopv2.errors import YolopError

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Hosts on which nobody but this machine reaches a server."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: Address or name of this machine.
        port: The port; 0 for any that is free.

    Raises:
        YolopError: It is taken, or no address of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise YolopError(f"cannot listen on {host}, port {port}: {reason}; choose another --host or --port") from None


def address_of(listening: socket.socket) -> str:
    """The web address of a listening socket.

    Example:
        >>> with listen("127.0.0.1", 0) as listening:
        ...     address_of(listening).startswith("http://127.0.0.1:")
        True
    """
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

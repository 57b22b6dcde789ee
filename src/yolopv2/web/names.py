"""Names that requests carry: of the server, of the page that asks, of files. None of them is trusted."""

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import urlsplit


def is_known_host(host: str, known: Collection[str] = ()) -> bool:
    """Whether a server may be asked by a name.

    A page of a stranger could reach it by a name of its own that it binds to this machine's address (DNS rebinding).
    A plain address cannot be bound anew, and neither can ``localhost``.

    Args:
        host: The header ``Host``.
        known: Further names of the server; ``*`` for any.

    Example:
        >>> [is_known_host(host) for host in ("localhost:8765", "127.0.0.1:8765", "[::1]", "evil.example", "")]
        [True, True, True, False, False]
    """
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    if "@" in host:
        return False
    if "*" in known or name == "localhost" or name in known:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_own_origin(origin: str, host: str, allowed: Collection[str] = ()) -> bool:
    """Whether a page of an origin may use the server: its own pages, and those that are allowed.

    Args:
        origin: The header ``Origin``.
        host: The header ``Host``.
        allowed: Further origins.

    Example:
        >>> is_own_origin("http://localhost:8000", "localhost:8000")
        True
        >>> is_own_origin("https://evil.example", "localhost:8000", ("https://good.example",))
        False
    """
    try:
        return origin in allowed or (bool(host) and urlsplit(origin).netloc == host)
    except ValueError:  # malformed
        return False


def plain_name(name: str | None, fallback: str) -> str:
    """What results call a file that was sent: the last part of its name, printable. Nothing of it is ever opened.

    Args:
        name: As it was sent, a path or an address.
        fallback: Where nothing is left of it.

    Example:
        >>> plain_name("../../etc/street.jpg", "picture"), plain_name("C:\\\\drive.mp4", "video"), plain_name(None, "a")
        ('street.jpg', 'drive.mp4', 'a')
    """
    last = re.split(r"[/\\]", name or "")[-1]
    return "".join(letter for letter in last if letter.isprintable())[:200].strip() or fallback

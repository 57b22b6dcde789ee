"""Answers with several parts, as multipart/form-data, which browsers read by themselves."""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from fastapi import Response

from yolopv2.studio.look import Look


def parts(facts: Mapping[str, Any], look: Look | None = None, picture: bytes | None = None) -> Response:
    """One answer with facts, and with the maps of a look and a picture where they are given.

    Args:
        facts: The part ``facts``, as JSON; the look's own are added.
        look: Gives the parts ``drivable`` and ``lanes``, PNG.
        picture: The part ``picture``, JPEG.

    Returns:
        The answer.
    """
    blobs: dict[str, tuple[str, bytes | None]] = {
        "picture": ("image/jpeg", picture),
        "drivable": ("image/png", None if look is None else look.drivable),
        "lanes": ("image/png", None if look is None else look.lanes),
    }
    text = json.dumps({**facts, **({} if look is None else look.to_json())}, allow_nan=False)
    boundary = secrets.token_hex(16)
    body = [_part(boundary, "facts", "application/json", text.encode())]
    body += [_part(boundary, name, kind, data) for name, (kind, data) in blobs.items() if data is not None]
    body.append(f"--{boundary}--\r\n".encode())
    return Response(b"".join(body), media_type=f"multipart/form-data; boundary={boundary}")


def _part(boundary: str, name: str, kind: str, data: bytes) -> bytes:
    filename = "" if name == "facts" else f'; filename="{name}"'
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{filename}\r\nContent-Type: {kind}\r\n\r\n'
    return head.encode() + data + b"\r\n"

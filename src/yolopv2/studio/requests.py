"""What the routes have in common: the session, the model, and the body of a request."""

from typing import Annotated, TypeVar

from fastapi import Depends, Header, Query, Request
from pydantic import BaseModel, ValidationError

from yolopv2.studio.errors import Refusal, invalid
from yolopv2.studio.guard import SESSION_HEADER
from yolopv2.studio.models import Choice
from yolopv2.studio.sessions import Session, Sessions

Chosen = Annotated[Choice, Query()]
"""The model, as the query names it."""


def _session(request: Request, session_name: Annotated[str, Header(alias=SESSION_HEADER)]) -> Session:
    sessions: Sessions = request.app.state.sessions
    return sessions.find(session_name)


InSession = Annotated[Session, Depends(_session)]
"""The session that a request names."""


M = TypeVar("M", bound=BaseModel)


async def read_json(request: Request, kind: type[M], most: int) -> M:
    """A request's body, as JSON of a kind.

    Raises:
        Refusal: It has more than ``most`` bytes, or is not valid.
    """
    try:
        return kind.model_validate_json(await read_body(request, most))
    except ValidationError as error:
        raise Refusal(422, invalid(error.errors())) from None


async def read_body(request: Request, most: int) -> bytes:
    """A request's body.

    Raises:
        Refusal: It has more than ``most`` bytes.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise Refusal(413, f"This is larger than the {most / (1 << 20):.3g} MiB that the studio takes here.")
    return bytes(body)

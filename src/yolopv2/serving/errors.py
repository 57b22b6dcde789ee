"""Errors as the service answers them: problem details (RFC 9457) with a reason that a person understands."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from yolopv2.errors import YolopError

MEDIA_TYPE = "application/problem+json"

LOG = logging.getLogger("yolopv2.serving")

UNEXPECTED = "something went wrong here; the service's log says what"

_MOST_MISTAKES = 10
"""Mistakes named in one answer; a request may hold thousands."""


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """A request that is not answered as asked.

    Args:
        status: HTTP status.
        detail: The reason, and what to do, as a sentence.
        retry_after: Seconds after which it is worth trying again, where it is.
        headers: Further headers of the answer.
        more: Further members of the body.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(retry_after)
        self.more = more

    def body(self) -> dict[str, Any]:
        """The problem as RFC 9457 writes it."""
        title = HTTPStatus(self.status).phrase
        return {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail, **self.more}

    def response(self) -> Response:
        """The problem as an answer."""
        return Response(json.dumps(self.body()), self.status, self.headers, MEDIA_TYPE)


def invalid(mistakes: Sequence[Any]) -> Problem:
    """The problem of a request whose options pydantic refuses; what was sent is not sent back."""
    named = [
        {"field": ".".join(map(str, mistake["loc"])), "reason": str(mistake["msg"])}
        for mistake in mistakes[:_MOST_MISTAKES]
    ]
    detail = "; ".join(f"{mistake['field']}: {mistake['reason']}" for mistake in named)
    return Problem(422, detail or "the request is not valid", errors=named)


def answer_problems(app: FastAPI) -> None:
    """Makes every error that is to be expected of an application a problem; the others are `Guard`'s."""

    def answer(kind: type[Exception], to_problem: Callable[[Any], Problem]) -> None:
        async def handle(request: Request, error: Exception) -> Response:
            return to_problem(error).response()

        handler: Callable[[Request, Exception], Awaitable[Response]] = handle
        app.add_exception_handler(kind, handler)

    answer(Problem, lambda error: error)
    answer(HTTPException, _of_http)
    answer(RequestValidationError, lambda error: invalid(error.errors()))
    answer(YolopError, lambda error: Problem(422, str(error)))


def _of_http(error: HTTPException) -> Problem:
    reasons = {404: "there is nothing at this address; GET /docs lists what there is"}
    reasons[405] = "this address does not take this method; GET /docs lists what there is"
    return Problem(error.status_code, reasons.get(error.status_code, str(error.detail)), headers=error.headers)

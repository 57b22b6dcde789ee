"""Errors as the page shows them: a sentence, never a traceback."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from yolopv2.errors import YolopError

LOG = logging.getLogger("yolopv2.studio")


class Refusal(Exception):  # noqa: N818 - what it is to the one who asked
    """A request that is not answered as asked.

    Args:
        status: HTTP status.
        sentence: The reason, and what to do.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence

    def response(self) -> JSONResponse:
        """The refusal as an answer."""
        return JSONResponse({"error": self.sentence}, self.status)


def answer_errors(app: FastAPI) -> None:
    """Makes every error of an application a sentence in JSON."""

    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Refusal) -> JSONResponse:
        return error.response()

    @app.exception_handler(YolopError)
    async def users_fault(request: Request, error: YolopError) -> JSONResponse:
        return Refusal(422, sentence(str(error))).response()

    @app.exception_handler(RequestValidationError)
    async def mistaken(request: Request, error: RequestValidationError) -> JSONResponse:
        return Refusal(422, invalid(error.errors())).response()

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        reasons = {404: "There is nothing at this address.", 405: "This address is not asked in this way."}
        return Refusal(error.status_code, reasons.get(error.status_code, str(error.detail))).response()

    @app.exception_handler(Exception)
    async def our_fault(request: Request, error: Exception) -> JSONResponse:
        LOG.exception("request failed", exc_info=error)
        return Refusal(500, "Something went wrong in the studio; its terminal says what.").response()


def invalid(mistakes: Sequence[Any]) -> str:
    """What pydantic found wrong first, as a sentence; what was sent is not sent back."""
    where = ".".join(str(part) for part in mistakes[0]["loc"] if part not in ("body", "query"))
    return f"The request is not valid: {where}: {mistakes[0]['msg']}."


def sentence(text: str) -> str:
    """A message as a sentence: with a capital, unless it begins with a file's name, and a full stop.

    Example:
        >>> sentence("it is not an image but text"), sentence("street.jpg: the file is empty")
        ('It is not an image but text.', 'street.jpg: the file is empty.')
    """
    first = text.partition(" ")[0]
    return (text[:1].upper() + text[1:] if first.isalpha() else text) + ("" if text.endswith((".", "!", "?")) else ".")

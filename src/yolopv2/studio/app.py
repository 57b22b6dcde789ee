"""The application behind the page."""

import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import numpy as np
from fastapi import Body, FastAPI, Header, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool

import yolopv2
from yolopv2.errors import YolopError
from yolopv2.media import Frame, decode_image
from yolopv2.media.headers import read_header
from yolopv2.media.listing import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from yolopv2.studio.answers import parts
from yolopv2.studio.asked import PALETTE, Export, Sliders, Source
from yolopv2.studio.batch_routes import add_batch_routes
from yolopv2.studio.errors import Refusal, answer_errors
from yolopv2.studio.guard import SESSION_HEADER, Guard
from yolopv2.studio.look import LEAST_CONF
from yolopv2.studio.models import Choice, Models
from yolopv2.studio.pictures import check_pixels, jpeg
from yolopv2.studio.requests import Chosen, InSession, read_body, read_json
from yolopv2.studio.sessions import Sessions
from yolopv2.studio.settings import Settings
from yolopv2.studio.sources import Opened, from_source, from_upload
from yolopv2.studio.tickets import Tickets
from yolopv2.studio.workflow_routes import add_workflow_routes

PAGE = Path(__file__).parent / "page"

_WARM = (720, 1280)


def create_app(settings: Settings | None = None, warm: bool = False) -> FastAPI:
    """The studio as an ASGI application.

    Args:
        settings: How it is set up.
        warm: Whether the first model is made ready while the page is still being opened.

    Returns:
        The application; its files are removed when it is shut down.

    Example:
        >>> from fastapi.testclient import TestClient
        >>> with TestClient(create_app(), base_url="http://localhost") as client:
        ...     "yolopv2" in client.get("/").text
        True
    """
    settings = settings or Settings()
    models = Models(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with tempfile.TemporaryDirectory(prefix="yolopv2-studio-", ignore_cleanup_errors=True) as folder:
            app.state.sessions = Sessions(Path(folder), settings.limits)
            if warm:
                threading.Thread(target=_make_ready, args=(models,), daemon=True).start()
            yield
            await run_in_threadpool(models.downloads.close)
            await run_in_threadpool(app.state.sessions.close)

    app = FastAPI(title="yolopv2 studio", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.settings, app.state.models = settings, models
    app.add_middleware(Guard, hosts=settings.hosts)
    answer_errors(app)
    _add_session_routes(app, settings, models)
    _add_model_routes(app, models)
    _add_picture_routes(app, settings, models)
    _add_video_routes(app)
    tickets = Tickets()
    add_batch_routes(app, settings, models, tickets)
    add_workflow_routes(app, models, tickets)

    @app.get("/take/{ticket}")
    def take(ticket: str) -> StreamingResponse:
        download = tickets.take(ticket)
        disposition = {"Content-Disposition": "attachment"}  # the page names the file
        return StreamingResponse(download.blocks, media_type=download.kind, headers=disposition)

    @app.get("/")
    def page() -> FileResponse:
        return FileResponse(PAGE / "index.html")

    app.mount("/page", StaticFiles(directory=PAGE))
    return app


def _make_ready(models: Models) -> None:
    with suppress(YolopError, Refusal):  # told when somebody looks
        models.look(models.first, Frame(np.zeros((*_WARM, 3), np.uint8), "nothing"))


def _add_session_routes(app: FastAPI, settings: Settings, models: Models) -> None:
    @app.post("/api/session")
    def begin() -> dict[str, Any]:
        sessions: Sessions = app.state.sessions
        limits = settings.limits
        return {
            "session": sessions.new(),
            "version": yolopv2.__version__,
            "models": models.describe(),
            "palette": PALETTE,
            "least_conf": LEAST_CONF,
            "addresses": settings.addresses,
            "limits": {"files": limits.files, "suffixes": sorted(IMAGE_SUFFIXES | VIDEO_SUFFIXES)},
        }

    @app.delete("/api/session")
    def end(session_name: Annotated[str, Header(alias=SESSION_HEADER)]) -> None:
        app.state.sessions.end(session_name)

    @app.post("/api/sources")
    async def upload(request: Request, session: InSession, choice: Chosen, name: str = "") -> Response:
        if request.headers.get("content-type", "").startswith("application/json"):
            source = await read_json(request, Source, 1 << 16)
            opened = await run_in_threadpool(from_source, source, session, settings, models)
        else:
            opened = await from_upload(request, unquote(name), session, settings, models)
        return await run_in_threadpool(_answer, opened, models, choice)


def _add_model_routes(app: FastAPI, models: Models) -> None:
    @app.get("/api/models")
    def offered(session: InSession) -> dict[str, Any]:
        return models.describe()

    @app.post("/api/models/{name}/download")
    def start(name: str, session: InSession) -> dict[str, Any]:
        return models.downloads.start(name)

    @app.get("/api/models/{name}/download")
    def progress(name: str, session: InSession) -> dict[str, Any] | None:
        return models.downloads.describe(name)

    @app.delete("/api/models/{name}/download")
    def cancel(name: str, session: InSession) -> dict[str, Any] | None:
        return models.downloads.cancel(name)


def _answer(opened: Opened, models: Models, choice: Choice) -> Response:
    """What was opened; a picture is looked at, and a video begins to be."""
    if opened.video is not None:
        opened.video.start(choice)
        return parts({**opened.video.describe(), "origin": opened.origin})
    picture = opened.picture
    assert picture is not None
    frame = picture.frame()
    look = picture.look(models, choice, frame)
    facts = {**picture.describe(), "origin": opened.origin, "engine": models.engine(choice)}
    return parts(facts, look, jpeg(frame))


def _add_picture_routes(app: FastAPI, settings: Settings, models: Models) -> None:
    @app.post("/api/pictures/{picture_id}/look")
    def look(picture_id: str, session: InSession, choice: Chosen) -> Response:
        found = session.picture(picture_id).look(models, choice)
        return parts({"engine": models.engine(choice)}, found)

    @app.post("/api/pictures/{picture_id}/scene")
    def scene(
        picture_id: str, session: InSession, choice: Chosen, sliders: Annotated[Sliders, Body()]
    ) -> dict[str, Any]:
        return session.picture(picture_id).scene(models, choice, sliders.thresholds()).to_dict()

    @app.post("/api/live")
    async def live(request: Request, session: InSession, choice: Chosen) -> Response:
        data = await read_body(request, settings.limits.picture_bytes)

        def answer() -> Response:
            header = read_header(data)
            check_pixels(header.width, header.height, settings.limits)
            found = models.look(choice, Frame(decode_image(data).image, "camera"))
            return parts({"engine": models.engine(choice)}, found)

        return await run_in_threadpool(answer)


def _add_video_routes(app: FastAPI) -> None:
    models: Models = app.state.models

    @app.get("/api/videos/{video_id}")
    def progress(video_id: str, session: InSession, since: Annotated[int, Query(ge=0)] = 0) -> dict[str, Any]:
        return session.video(video_id).describe(since)

    @app.get("/api/videos/{video_id}/frames/{index}")
    def frame(video_id: str, index: int, session: InSession) -> Response:
        video = session.video(video_id)
        look = video.look(index)
        return parts({"index": index, "time": video.time(index)}, look, video.picture(index))

    @app.post("/api/videos/{video_id}/frames/{index}/look")
    def look_anew(video_id: str, index: int, session: InSession, choice: Chosen) -> Response:
        found = session.video(video_id).look_anew(index, choice)
        return parts({"index": index, "engine": models.engine(choice)}, found)

    @app.post("/api/videos/{video_id}/frames/{index}/scene")
    def scene(video_id: str, index: int, session: InSession, sliders: Annotated[Sliders, Body()]) -> dict[str, Any]:
        return session.video(video_id).scene(index, sliders.thresholds()).to_dict()

    @app.post("/api/videos/{video_id}/look")
    def look(video_id: str, session: InSession, choice: Chosen) -> dict[str, Any]:
        video = session.video(video_id)
        video.start(choice)
        return video.describe()

    @app.post("/api/videos/{video_id}/cancel")
    def cancel(video_id: str, session: InSession) -> dict[str, Any]:
        video = session.video(video_id)
        video.cancel()
        return video.describe()

    @app.post("/api/videos/{video_id}/export")
    def export(video_id: str, session: InSession, asked: Export) -> dict[str, Any]:
        video = session.video(video_id)
        video.start_export(asked.sliders.thresholds(), [*asked.layers])
        return video.describe()

    @app.get("/api/videos/{video_id}/{name}")
    def exported(video_id: str, name: Literal["export.mp4", "scenes.jsonl"], session: InSession) -> FileResponse:
        return FileResponse(session.video(video_id).exported(name))

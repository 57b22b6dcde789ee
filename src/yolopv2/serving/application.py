"""The application: its addresses, and what stands before them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse, JSONResponse

import yolopv2
from yolopv2.checkpoints.catalogue import CATALOGUE
from yolopv2.serving import live, openapi, predict
from yolopv2.serving.errors import Problem, answer_problems
from yolopv2.serving.guard import Guard
from yolopv2.serving.jobs import routes as jobs
from yolopv2.serving.metrics import MEDIA_TYPE as METRICS_TYPE
from yolopv2.serving.models import OpenModel
from yolopv2.serving.page import POLICY, docs_page
from yolopv2.serving.service import Service, service_of
from yolopv2.serving.settings import Settings

DESCRIPTION = (
    "Panoptic driving perception: vehicles, drivable area and lane markings of road pictures and videos. "
    "Errors are problem details (RFC 9457)."
)

EXAMPLES = """curl -F file=@street.jpg http://127.0.0.1:8000/v1/predict
curl -F file=@street.jpg 'http://127.0.0.1:8000/v1/predict?format=jpeg' -o seen.jpg
curl -F file=@drive.mp4 http://127.0.0.1:8000/v1/jobs
websocket: ws://127.0.0.1:8000/v1/live, a JPEG per binary message"""

router = APIRouter()


@router.get("/health", tags=["service"])
async def health() -> dict[str, str]:
    """Whether the service lives."""
    return {"status": "ok"}


@router.get("/ready", tags=["service"])
async def ready(request: Request) -> dict[str, str]:
    """Whether it is worth sending requests: the first model is loaded and warm, and no end is near."""
    if not service_of(request).ready:
        raise Problem(503, "not ready: the model warms up, or the service is about to stop", 2)
    return {"status": "ready"}


@router.get("/metrics", tags=["service"], response_class=Response)
async def metrics(request: Request) -> Response:
    """Counters in Prometheus' text format."""
    return Response(service_of(request).metrics.text(), media_type=METRICS_TYPE)


@router.get("/v1/models", tags=["service"])
async def models(request: Request) -> dict[str, Any]:
    """The models of this service, the default one first, then the rest of the catalogue; of each what is known.

    Variant, heads, classes, size, checksum, source, licence, what was measured; ``here`` says whether its file is on
    this machine, ``served`` whether requests may name it. What is served is up to whoever starts the service.
    """
    service = service_of(request)
    return {"models": await service.with_files(_models, service)}


def _models(service: Service) -> list[dict[str, Any]]:
    names = service.models.names
    return [_model(service, name) for name in [*names, *(name for name in CATALOGUE if name not in names)]]


def _model(service: Service, name: str) -> dict[str, Any]:
    served = name in service.models.names
    loaded = service.models.loaded(name) if served else None
    known = service.models.facts(name)
    names = known.pop("names", None)
    classes = loaded.model.names if loaded is not None else None if names is None else dict(enumerate(names))
    return {
        **known,
        "served": served,
        "default": name == service.models.default,
        "classes": None if classes is None else {str(index): label for index, label in classes.items()},
        "runtime": None if loaded is None else loaded.model.predictor.runtime.description,
    }


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    """This page."""
    return HTMLResponse(docs_page(request.app.openapi(), EXAMPLES), headers={"Content-Security-Policy": POLICY})


@router.get("/", include_in_schema=False)
async def root() -> JSONResponse:
    """Where to look."""
    return JSONResponse(
        {"name": "yolopv2", "version": yolopv2.__version__, "docs": "/docs", "openapi": "/openapi.json"}
    )


def create_app(settings: Settings | None = None, open_model: OpenModel | None = None) -> FastAPI:
    """The application, with its model loaded, for any ASGI server; `yolopv2.serving.server.serve` runs it.

    Args:
        settings: What it is started with.
        open_model: Loads weights; if None, `YOLOPv2` with the settings.

    Raises:
        YolopError: The model cannot be loaded, or the folder of jobs not be used.
    """
    service = Service(settings or Settings(), open_model)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            service.close()

    app = FastAPI(
        title="yolopv2",
        version=yolopv2.__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # FastAPI's own pages load scripts from another server
        redoc_url=None,
        responses=openapi.PROBLEMS,
    )
    app.state.service = service
    answer_problems(app)
    for part in (predict.router, jobs.router, live.router, router):
        app.include_router(part)
    app.add_middleware(Guard, service=service)
    if service.settings.origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=service.settings.origins, allow_methods=["*"], allow_headers=["*"]
        )
    _describe(app)
    return app


def _describe(app: FastAPI) -> None:
    """Adds the schemas that are written by hand to what FastAPI derives."""
    derive = app.openapi

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            description = derive()
            description.setdefault("components", {}).setdefault("schemas", {}).update(openapi.SCHEMAS)
            if app.state.service.settings.token is not None:
                description["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
                description["security"] = [{"token": []}]
        return app.openapi_schema or {}

    app.openapi = describe  # type: ignore[method-assign]

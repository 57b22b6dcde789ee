"""What the page asks of batches."""

from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import Body, FastAPI, Request
from starlette.concurrency import run_in_threadpool

from yolopv2.studio.archive import archive
from yolopv2.studio.asked import Archive, Sliders
from yolopv2.studio.batches import Batch
from yolopv2.studio.models import Models
from yolopv2.studio.requests import Chosen, InSession
from yolopv2.studio.settings import Settings
from yolopv2.studio.tickets import Download, Tickets


def add_batch_routes(app: FastAPI, settings: Settings, models: Models, tickets: Tickets) -> None:
    """Adds them."""

    @app.post("/api/batches")
    def begin(session: InSession, choice: Chosen, sliders: Annotated[Sliders, Body()]) -> dict[str, Any]:
        batch = Batch(session.shelf(), models, choice, settings.limits)
        batch.thresholds = sliders.thresholds()
        session.add_batch(batch)
        return {"id": batch.id, "engine": models.engine(choice)}

    @app.post("/api/batches/{batch_id}/files/{number}")
    async def add(request: Request, batch_id: str, number: int, session: InSession, name: str = "") -> dict[str, Any]:
        batch = session.batch(batch_id)
        entry = await batch.add(request, number, unquote(name))
        return await run_in_threadpool(entry.row, batch.thresholds)

    @app.get("/api/batches/{batch_id}/files/{number}")
    def row(batch_id: str, number: int, session: InSession) -> dict[str, Any]:
        batch = session.batch(batch_id)
        return batch.entry(number).row(batch.thresholds)

    @app.post("/api/batches/{batch_id}/rows")
    def rows(batch_id: str, session: InSession, sliders: Annotated[Sliders, Body()]) -> list[dict[str, Any]]:
        return session.batch(batch_id).rows(sliders.thresholds())

    @app.post("/api/batches/{batch_id}/cancel")
    def cancel(batch_id: str, session: InSession) -> None:
        session.batch(batch_id).cancel()

    @app.delete("/api/batches/{batch_id}")
    def end(batch_id: str, session: InSession) -> None:
        session.end_batch(batch_id)

    @app.post("/api/batches/{batch_id}/archive")
    def pack(batch_id: str, session: InSession, asked: Archive) -> dict[str, Any]:
        batch = session.batch(batch_id)
        blocks = archive(batch, asked)
        return {"address": f"/take/{tickets.new(Download('application/zip', blocks))}"}

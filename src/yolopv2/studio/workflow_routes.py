"""What the page asks of workflows."""

import json
from collections.abc import Generator
from contextlib import closing
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from yolopv2.ikomia.file import workflow_text
from yolopv2.media import Frame
from yolopv2.studio.asked import RunOn
from yolopv2.studio.batches import Batch
from yolopv2.studio.models import Models
from yolopv2.studio.requests import InSession, read_body, read_json
from yolopv2.studio.sessions import Session
from yolopv2.studio.tasks import describe_tasks
from yolopv2.studio.tickets import Download, Tickets
from yolopv2.studio.workflows import MOST_BYTES, Frames, WorkflowRun, sound_workflow
from yolopv2.studio.zips import zip_of_folder


def add_workflow_routes(app: FastAPI, models: Models, tickets: Tickets) -> None:
    """Adds them."""

    @app.get("/api/workflow/tasks")
    def tasks(session: InSession) -> list[dict[str, Any]]:
        return describe_tasks()

    @app.post("/api/workflow/check")
    async def check(request: Request, session: InSession) -> Any:
        text = await read_body(request, MOST_BYTES)
        return await run_in_threadpool(lambda: json.loads(workflow_text(*sound_workflow(text))))

    @app.post("/api/workflow/runs")
    async def run(request: Request, session: InSession) -> dict[str, Any]:
        asked = await read_json(request, RunOn, MOST_BYTES)
        return await run_in_threadpool(_start, session, models, asked)

    @app.get("/api/workflow/runs/{run_id}")
    def progress(run_id: str, session: InSession) -> dict[str, Any]:
        return session.run(run_id).describe()

    @app.post("/api/workflow/runs/{run_id}/cancel")
    def cancel(run_id: str, session: InSession) -> None:
        session.run(run_id).work.cancel()

    @app.get("/api/workflow/runs/{run_id}/tasks/{number}.jpg")
    def picture(run_id: str, number: int, session: InSession) -> FileResponse:
        return FileResponse(session.run(run_id).picture(number))

    @app.post("/api/workflow/runs/{run_id}/tasks/{number}/files")
    def files(run_id: str, number: int, session: InSession) -> dict[str, Any]:
        blocks = zip_of_folder(session.run(run_id).written(number))
        return {"address": f"/take/{tickets.new(Download('application/zip', blocks))}"}


def _start(session: Session, models: Models, asked: RunOn) -> dict[str, Any]:
    frames, total = _frames(session, asked)
    run = WorkflowRun(session.shelf(), models, json.dumps(asked.workflow).encode())
    session.add_run(run)
    run.start(frames, total)
    return run.describe()


def _frames(session: Session, asked: RunOn) -> tuple[Frames, int | None]:
    """What a workflow is to work on, and how many frames that are."""
    if asked.picture is not None:
        picture = session.picture(asked.picture)
        return lambda: _one(picture.frame()), 1
    if asked.video is not None:
        video = session.video(asked.video)
        if asked.frame is None:
            return video.frames, video.work.total
        frame = video.frame(asked.frame)
        return lambda: _one(frame), 1
    batch = session.batch(asked.batch or "")
    return lambda: _all(batch), sum(len(entry.looks) for entry in batch.entries())


def _one(frame: Frame) -> Generator[Frame, None, None]:
    yield frame


def _all(batch: Batch) -> Generator[Frame, None, None]:
    """The frames of a batch that could be looked at."""
    for entry in batch.entries():
        with closing(entry.frames(batch.limits)) as frames:
            yield from (frame for _, frame in zip(range(len(entry.looks)), frames, strict=False))

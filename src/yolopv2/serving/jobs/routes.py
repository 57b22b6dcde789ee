"""/v1/jobs: hand in a video, follow it, get what was seen in it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse

from yolopv2.media import Unreadable
from yolopv2.media.video import probe_video
from yolopv2.serving import openapi
from yolopv2.serving.errors import Problem
from yolopv2.serving.jobs.store import ANNOTATED, SCENES, VIDEO, Job, JobOptions, now
from yolopv2.serving.jobs.upload import receive_video
from yolopv2.serving.service import Service, service_of
from yolopv2.web import plain_name

router = APIRouter(prefix="/v1/jobs", tags=["videos"])

_LOOKS_PER_SECOND = 4
_HEARTBEAT = 15.0
"""Seconds after which a silent event stream sends a comment, so that nothing between takes it for dead."""


def shown(job: Job) -> dict[str, Any]:
    """A job as it is answered, with the addresses of what there is."""
    base = f"/v1/jobs/{job.id}"
    results = {"scenes": f"{base}/scenes.jsonl"} if job.state == "done" else {}
    if results and job.options.annotate:
        results["annotated"] = f"{base}/annotated.mp4"
    return {**job.model_dump(mode="json"), "events": f"{base}/events", "results": results}


@router.post("", status_code=202, openapi_extra=openapi.VIDEO_BODY, responses=openapi.JOB_ACCEPTED)
async def submit(request: Request, options: Annotated[JobOptions, Query()]) -> JSONResponse:
    """Hand in a video: as the one file of a form, or as the body itself.

    It is looked at when those before it are done. The answer says where to ask for it.
    """
    service = service_of(request)
    served = await service.model(options.model)
    served.model.thresholds(**options.thresholds())  # raises now rather than when its turn comes
    identity = await service.with_files(service.jobs.new_folder)
    try:
        path = service.jobs.folder / identity / VIDEO
        sent_name = await receive_video(request, path, service)
        name = plain_name(options.name or sent_name, "video")
        total = await service.with_files(_checked, path, service.settings.limits.pixels)
        job = Job(id=identity, name=name, options=options, total=total, created=now())
        await service.with_files(service.jobs.add, job)
    except BaseException:
        service.jobs.remove_files(identity)
        raise
    service.runner.wake()
    return JSONResponse(shown(job), 202, {"Location": f"/v1/jobs/{job.id}"})


def _checked(path: Path, pixels: int) -> int | None:
    """The number of frames in a video that can be read, if it tells.

    Raises:
        Problem: It is none, or its frames are too large.
    """
    try:
        info = probe_video(path)
    except Unreadable as error:
        raise Problem(422, f"the video cannot be read: {error}") from None
    width, height = info.size
    if width * height > pixels:
        raise Problem(413, f"frames of {width}x{height} pixels are more than the {pixels} that are taken")
    return info.total


@router.get("", responses=openapi.JOB_LIST)
async def list_jobs(request: Request) -> JSONResponse:
    """All jobs, the oldest first."""
    return JSONResponse({"jobs": [shown(job) for job in service_of(request).jobs]})


@router.get("/{id}", responses=openapi.JOB_FOUND)
async def job(request: Request, id: str) -> JSONResponse:
    """One job: its state, and how far it came."""
    return JSONResponse(shown(service_of(request).jobs[id]))


@router.get("/{id}/events", responses=openapi.JOB_EVENTS)
async def events(request: Request, id: str) -> StreamingResponse:
    """Follow a job as server-sent events: `progress` with the job whenever it changes, `end` when it is over."""
    service = service_of(request)
    service.jobs[id]  # raises if there is none
    if service.streams >= service.settings.limits.streams:
        raise Problem(503, "too many streams at the same time: ask for the job now and then instead", 5)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(service, id), media_type="text/event-stream", headers=headers)


async def _events(service: Service, identity: str) -> AsyncIterator[str]:
    service.streams += 1
    try:
        last, told = None, time.monotonic()
        while not service.stopping.is_set():
            try:
                found = service.jobs[identity]
            except Problem:
                yield "event: end\ndata: null\n\n"  # it was deleted
                return
            if found != last:
                kind = "end" if found.is_over else "progress"
                yield f"event: {kind}\ndata: {json.dumps(shown(found))}\n\n"
                last, told = found, time.monotonic()
                if found.is_over:
                    return
            elif time.monotonic() - told > _HEARTBEAT:
                yield ": still here\n\n"
                told = time.monotonic()
            await asyncio.sleep(1 / _LOOKS_PER_SECOND)
    finally:
        service.streams -= 1


@router.get("/{id}/scenes.jsonl", responses=openapi.JOB_SCENES)
async def scenes(request: Request, id: str) -> FileResponse:
    """What was seen: one scene per line and frame."""
    return _result(request, id, SCENES, "application/jsonl")


@router.get("/{id}/annotated.mp4", responses=openapi.JOB_VIDEO)
async def annotated(request: Request, id: str) -> FileResponse:
    """The video with everything drawn."""
    return _result(request, id, ANNOTATED, "video/mp4")


def _result(request: Request, identity: str, name: str, media_type: str) -> FileResponse:
    jobs = service_of(request).jobs
    found = jobs[identity]
    if found.state != "done":
        raise Problem(409, f"the job is {found.state}: its results are there when it is done")
    if name == ANNOTATED and not found.options.annotate:
        raise Problem(404, "the job was asked for no annotated video")
    return FileResponse(jobs.path(found, name), media_type=media_type, filename=name)


@router.post("/{id}/cancel", responses=openapi.JOB_FOUND | openapi.CONFLICT)
async def cancel(request: Request, id: str) -> JSONResponse:
    """End a job; what it made so far goes."""
    service = service_of(request)
    await service.with_files(service.runner.cancel, id)
    return JSONResponse(shown(service.jobs[id]))


@router.delete("/{id}", status_code=204, responses=openapi.NOT_FOUND)
async def delete(request: Request, id: str) -> Response:
    """Remove a job and all its files; one that runs is ended."""
    service = service_of(request)
    await service.with_files(service.runner.delete, id)
    return Response(status_code=204)

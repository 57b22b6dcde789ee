"""Videos as jobs: handed in, followed, fetched, cancelled, deleted; the store outlives what kills the service."""

import json
import os
import time
from datetime import datetime, timezone

import httpx
import pytest

from yolopv2.errors import YolopError
from yolopv2.media import open_source
from yolopv2.scene import Scene
from yolopv2.serving.errors import Problem
from yolopv2.serving.jobs.store import Job, JobOptions, JobStore
from yolopv2.serving.settings import Limits

NOW = datetime(2026, 1, 31, tzinfo=timezone.utc)


def when(http, job, *states):
    """The job, once it is in one of the states."""
    deadline = time.monotonic() + 20
    while (found := http.get(f"/v1/jobs/{job['id']}").json())["state"] not in states:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def submit(http, drive, **options):
    answer = http.post("/v1/jobs", files={"file": ("drive.mp4", drive.read_bytes())}, params=options)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/jobs/{answer.json()['id']}"
    return answer.json()


def test_a_job_gives_what_the_library_gives(http, model, drive):
    job = submit(http, drive, conf=0.2)
    assert (job["name"], job["total"], job["results"]) == ("drive.mp4", 6, {})
    with http.stream("GET", job["events"]) as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        told = [json.loads(line[6:]) for line in events.iter_lines() if line.startswith("data: ")]
    assert [entry["frames"] for entry in told] == sorted(entry["frames"] for entry in told)
    assert (told[-1]["state"], told[-1]["frames"]) == ("done", 6)
    lines = http.get(told[-1]["results"]["scenes"])
    assert lines.headers["content-type"] == "application/jsonl"
    own = [{**scene.to_dict(), "source": "drive.mp4"} for scene in model.stream(drive, conf=0.2)]
    assert [json.loads(line) for line in lines.text.splitlines()] == own
    video = http.get(told[-1]["results"]["annotated"])
    (drive.parent / "annotated.mp4").write_bytes(video.content)
    with open_source(drive.parent / "annotated.mp4") as frames:
        assert [frame.image.shape for frame in frames] == [(180, 320, 3)] * 6
    part = http.get(told[-1]["results"]["annotated"], headers={"range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert http.post(f"/v1/jobs/{job['id']}/cancel").status_code == 409
    assert http.delete(f"/v1/jobs/{job['id']}").status_code == 204
    assert http.get(f"/v1/jobs/{job['id']}").status_code == 404
    assert http.get("/v1/jobs").json()["jobs"] == []


def test_without_a_video_drawn(start, drive):
    http = start()
    job = http.post("/v1/jobs", content=drive.read_bytes(), params={"annotate": False, "name": "../x.mp4"}).json()
    done = when(http, job, "done")
    assert (done["name"], list(done["results"])) == ("x.mp4", ["scenes"])
    assert http.get(f"/v1/jobs/{job['id']}/annotated.mp4").status_code == 404
    assert {json.loads(line)["source"] for line in http.get(done["results"]["scenes"]).text.splitlines()} == {"x.mp4"}


def test_cancel_and_delete_leave_nothing_behind(start, runtime, drive, tmp_path):
    http = start()
    runtime.may.clear()
    first, second, third = (submit(http, drive) for _ in range(3))
    when(http, first, "running")
    assert http.get(f"/v1/jobs/{first['id']}/scenes.jsonl").status_code == 409
    assert http.post(f"/v1/jobs/{first['id']}/cancel").json()["state"] == "cancelled"
    assert http.post(f"/v1/jobs/{second['id']}/cancel").json()["state"] == "cancelled"
    assert http.delete(f"/v1/jobs/{third['id']}").status_code == 204
    runtime.may.set()
    fourth = submit(http, drive)
    when(http, fourth, "done")
    assert [job["state"] for job in http.get("/v1/jobs").json()["jobs"]] == ["cancelled", "cancelled", "done"]
    assert sorted(os.listdir(tmp_path / "jobs" / first["id"])) == ["input.mp4", "job.json"]
    for job in (first, second, fourth):
        http.delete(f"/v1/jobs/{job['id']}")
    assert os.listdir(tmp_path / "jobs") == [".lock"]


def test_deleting_the_job_under_way(start, runtime, drive, tmp_path):
    http = start()
    runtime.may.clear()
    job = submit(http, drive)
    when(http, job, "running")
    assert http.delete(f"/v1/jobs/{job['id']}").status_code == 204
    runtime.may.set()
    deadline = time.monotonic() + 10
    while os.listdir(tmp_path / "jobs") != [".lock"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_no_more_jobs_than_the_limits(start, runtime, drive):
    http = start({"jobs_waiting": 2, "jobs": 3})
    runtime.may.clear()
    jobs = [submit(http, drive) for _ in range(2)]
    refused = http.post("/v1/jobs", content=drive.read_bytes())
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
    runtime.may.set()
    when(http, jobs[1], "done")
    when(http, submit(http, drive), "done")
    kept = http.post("/v1/jobs", content=drive.read_bytes())
    assert (kept.status_code, "delete" in kept.json()["detail"]) == (507, True)
    http.delete(f"/v1/jobs/{jobs[0]['id']}")
    submit(http, drive)


def test_no_more_bytes_than_the_limits(start, drive, tmp_path):
    size = drive.stat().st_size
    http = start({"video_bytes": size - 1, "body_bytes": 100})
    assert http.post("/v1/jobs", content=drive.read_bytes()).status_code == 413
    assert os.listdir(tmp_path / "jobs") == [".lock"]
    other = start({"disk_bytes": size - 1}, jobs_folder=tmp_path / "other")
    assert other.post("/v1/jobs", content=drive.read_bytes()).status_code == 507
    assert other.post("/v1/jobs", content=iter([drive.read_bytes()])).status_code in (202, 507)
    with pytest.raises(httpx.HTTPStatusError, match="413"):
        start({"pixels": 100}, jobs_folder=tmp_path / "third").post(
            "/v1/jobs", content=drive.read_bytes()
        ).raise_for_status()


def test_a_failing_job_says_why_and_the_next_one_runs(start, runtime, drive, monkeypatch):
    http = start()
    monkeypatch.setattr(type(runtime), "__call__", lambda self, batch: 1 / 0)
    failed = when(http, submit(http, drive), "failed")
    assert failed["error"] == "something went wrong here; the service's log says what"
    monkeypatch.undo()
    when(http, submit(http, drive), "done")


def make(store, **changes):
    identity = store.new_folder()
    store.path(Job(id=identity, name="", options=JobOptions(), created=NOW), "input.mp4").write_bytes(b"video")
    store.add(Job(id=identity, name="x", options=JobOptions(), created=NOW, **changes))
    return identity


def test_a_store_opened_again(tmp_path):
    store = JobStore(tmp_path, Limits())
    done, running, waiting = make(store, state="done"), make(store, state="running", starts=1), make(store)
    tired = make(store, state="running", starts=3)
    (tmp_path / running / "work").mkdir()
    (tmp_path / running / "work" / "scenes.jsonl").touch()
    upload = store.new_folder()
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "job.json").write_text("{}")
    with pytest.raises(YolopError, match="another service"):
        JobStore(tmp_path, Limits())
    store.close()
    again = JobStore(tmp_path, Limits())
    assert {job.id: job.state for job in again} == {
        done: "done",
        running: "queued",
        waiting: "queued",
        tired: "failed",
    }
    assert "killed 3 times" in again[tired].error
    assert not (tmp_path / running / "work").exists()
    assert not (tmp_path / upload).exists()
    assert (tmp_path / "strange" / "job.json").exists()
    with pytest.raises(Problem, match="no job"):
        again["strange"]
    assert again.change(done, state="queued") is None
    again.close()


def test_uploads_count_before_they_are_jobs(tmp_path):
    store = JobStore(tmp_path, Limits(jobs_waiting=2))
    first = store.new_folder()
    store.new_folder()
    with pytest.raises(Problem, match="too many jobs wait"):
        store.new_folder()
    store.remove_files(first)
    store.new_folder()
    store.close()


def test_a_service_goes_on_with_the_jobs_of_another(start, drive, tmp_path):
    store = JobStore(tmp_path / "jobs", Limits())
    identity = make(store, state="running", starts=1)
    (tmp_path / "jobs" / identity / "input.mp4").write_bytes(drive.read_bytes())
    store.close()
    http = start()
    done = when(http, {"id": identity}, "done")
    assert (done["frames"], done["starts"]) == (6, 2)
    lines = http.get(done["results"]["scenes"]).text.splitlines()
    assert [Scene.from_dict(json.loads(line)).index for line in lines] == list(range(6))

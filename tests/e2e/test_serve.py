"""`yolopv2 serve` as a process of its own: killed, or told to end."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")

from yolopv2.data.synthetic import Drive, render_scene
from yolopv2.files import encode_image
from yolopv2.media import VideoWriter, open_source
from yolopv2.scene import Scene
from yolopv2.serving import Client, ServiceError

COMMAND = [sys.executable, "-c", "from yolopv2.cli.main import main; main()", "serve", "--size", "96"]


@contextmanager
def service(folder: Path, *options: str):
    """A running service as (process, address); killed at the end if it still runs."""
    command = [*COMMAND, "--port", "0", "--jobs", str(folder), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        found = re.search(r"at (http://\S+)", line)
        assert found, line + process.stderr.read()
        yield process, found[1]
    finally:
        process.kill()
        process.communicate()


FRAMES = [sample.image for sample in Drive(119, height=96, width=160).frames(2)]


def write_drive(path: Path, count: int) -> Path:
    with VideoWriter(path, 10, 160, 96) as video:
        for number in range(count):
            video.write(FRAMES[number % len(FRAMES)])
    return path


def test_killed_in_the_middle_it_loses_no_job(tmp_path):
    short, long = write_drive(tmp_path / "short.mp4", 4), write_drive(tmp_path / "long.mp4", 150)
    jobs = tmp_path / "jobs"
    with service(jobs) as (process, url), Client(url) as client:
        done = client.submit(short).wait(interval=0.05)
        before = [scene.to_dict() for scene in done.scenes()]
        running, waiting = client.submit(long), client.submit(short, conf=0.1)
        while running.refresh().facts["frames"] < 2:
            time.sleep(0.01)
        assert running.state == "running"
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    assert (jobs / running.id / "work").exists()
    assert not (jobs / running.id / "scenes.jsonl").exists()
    with service(jobs) as (process, url), Client(url) as client:
        assert [job.id for job in client.jobs()] == [done.id, running.id, waiting.id]
        again = client.job(done.id)
        assert again.state == "done"
        assert [scene.to_dict() for scene in again.scenes()] == before
        with open_source(again.save_video(tmp_path / "seen.mp4")) as frames:
            assert len(list(frames)) == 4
        client.job(waiting.id).wait(interval=0.1)
        resumed = client.job(running.id).refresh()
        assert (resumed.state, resumed.facts["starts"]) == ("done", 2)
        assert [scene.index for scene in resumed.scenes()] == list(range(150))
    assert not (jobs / running.id / "work").exists()


def test_told_to_end_it_finishes_what_it_took(tmp_path):
    picture = encode_image(render_scene(119, height=360, width=640).image, ".jpg")
    long = write_drive(tmp_path / "long.mp4", 150)
    answers: list[object] = []
    (tmp_path / "token").write_text("s3cret\n")
    options = ("--queue", "64", "--token-file", str(tmp_path / "token"))
    with service(tmp_path / "jobs", *options) as (process, url), Client(url, "s3cret") as client:
        job = client.submit(long, annotate=False)
        asking = [threading.Thread(target=lambda: answers.append(client.run([picture] * 8))) for _ in range(3)]
        for thread in asking:
            thread.start()
        with Client(url, "s3cret") as watching:
            while "yolopv2_held_images 24.0" not in watching._http.get("/metrics").text and not answers:
                time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        for thread in asking:
            thread.join(30)
        assert process.wait(30) == 0, process.stderr.read()
        assert process.stderr.read() == ""
        with Client(url, retries=0) as late, pytest.raises(ServiceError, match="cannot be reached"):
            late.models()
    assert [len(scenes) for scenes in answers] == [8, 8, 8]
    assert all(isinstance(scene, Scene) for scenes in answers for scene in scenes)
    kept = json.loads((tmp_path / "jobs" / job.id / "job.json").read_text())
    assert (kept["state"], kept["starts"]) in (("queued", 0), ("done", 1))  # to start again, unless it was quick

import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from yolopv2 import YOLOPv2
from yolopv2.data.synthetic import Drive
from yolopv2.media import VideoWriter, open_source

FRAMES = 4


@pytest.fixture(scope="module")
def drive(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("drive") / "drive.mp4"
    with VideoWriter(path, 10, 160, 96) as video:
        for sample in Drive(119, 10, 96, 160).frames(FRAMES):
            video.write(sample.image)
    return path


def wait(studio, video_id: str, what: str = "") -> dict[str, Any]:
    """The state of a video, or of its export, once it has ended."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        facts = studio.ask("GET", f"/api/videos/{video_id}").json()
        work = facts[what] if what else facts
        if work["state"] in ("done", "cancelled", "failed"):
            return facts
        time.sleep(0.05)
    raise AssertionError(facts)


@pytest.fixture
def opened(studio, drive, read_parts) -> dict[str, Any]:
    facts = read_parts(studio.open(drive.read_bytes(), "drive.mp4"))["facts"]
    assert (facts["kind"], facts["name"], facts["total"], facts["fps"]) == ("video", "drive.mp4", FRAMES, 10)
    return wait(studio, facts["id"])


def test_a_video_is_looked_at_frame_by_frame(studio, opened, read_parts):
    assert (opened["state"], opened["done"], len(opened["curves"])) == ("done", FRAMES, FRAMES)
    parts = read_parts(studio.ask("GET", f"/api/videos/{opened['id']}/frames/2"))
    assert parts["facts"]["candidates"] == opened["curves"][2]["candidates"]
    assert parts["facts"]["time"] == pytest.approx(0.2)
    drivable = cv2.imdecode(np.frombuffer(parts["drivable"], np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.bincount(drivable.ravel(), minlength=256).tolist() == opened["curves"][2]["drivable"]
    assert (
        studio.ask("GET", f"/api/videos/{opened['id']}", params={"since": 3}).json()["curves"] == opened["curves"][3:]
    )
    assert studio.ask("GET", f"/api/videos/{opened['id']}/frames/{FRAMES}").status_code == 404
    assert studio.ask("GET", f"/api/videos/{opened['id']}/frames/-1").status_code == 404


def test_what_is_written_is_what_the_library_sees(studio, opened, drive, choice, tmp_path):
    sliders = {"conf": 0.2, "lane_conf": 0.3}
    asked = {"sliders": sliders, "layers": ["boxes", "lanes"]}
    assert studio.ask("POST", f"/api/videos/{opened['id']}/export", json=asked).status_code == 200
    assert wait(studio, opened["id"], "export")["export"]["error"] == ""
    lines = studio.ask("GET", f"/api/videos/{opened['id']}/scenes.jsonl").text.splitlines()
    model = YOLOPv2("nano", size=choice["size"])
    expected = list(model.stream(drive, **sliders))
    assert [json.loads(line) for line in lines] == [{**scene.to_dict(), "source": "drive.mp4"} for scene in expected]

    path = tmp_path / "seen.mp4"
    path.write_bytes(studio.ask("GET", f"/api/videos/{opened['id']}/export.mp4").content)
    with open_source(path) as frames:
        images = [frame.image for frame in frames]
        assert frames.fps == pytest.approx(10)
    assert len(images) == FRAMES
    drawn = expected[0].draw(layers=["boxes", "lanes"]).astype(int)
    assert np.abs(images[0] - drawn).mean() < 12  # H.264 loses a little

    scene = studio.ask("POST", f"/api/videos/{opened['id']}/frames/1/scene", json=sliders).json()
    assert (scene["index"], scene["time"]) == (1, pytest.approx(0.1))


def test_another_model_looks_at_a_frame_and_at_the_whole_video(studio, opened, read_parts):
    smaller = {"weights": "nano", "size": 160}
    parts = read_parts(studio.ask("POST", f"/api/videos/{opened['id']}/frames/1/look", params=smaller))
    assert parts["facts"]["index"] == 1
    facts = studio.ask("POST", f"/api/videos/{opened['id']}/look", params=smaller).json()
    assert facts["curves"] == []
    anew = wait(studio, opened["id"])
    assert len(anew["curves"]) == FRAMES
    assert sum(anew["curves"][0]["drivable"]) == 160 * 96


def test_nothing_is_written_that_was_not_seen(studio, opened):
    assert studio.ask("GET", f"/api/videos/{opened['id']}/export.mp4").status_code == 404
    assert studio.ask("GET", f"/api/videos/{opened['id']}/video").status_code == 422
    asked = {"sliders": {"conf": 0.01}, "layers": []}
    answer = studio.ask("POST", f"/api/videos/{opened['id']}/export", json=asked)
    assert "conf" in answer.json()["error"]


def test_a_generated_drive_is_rendered_and_cancelled(studio, read_parts, monkeypatch):
    monkeypatch.setattr("yolopv2.studio.videos.Drive", partial(Drive, height=96, width=160))
    facts = read_parts(studio.source(generated={"seed": 3, "time": "day", "frames": 3}))["facts"]
    assert facts["origin"] == {"kind": "drive", "frames": 3, "seed": 3, "weather": None, "time": "day"}
    assert facts["total"] == 3
    assert wait(studio, facts["id"])["done"] == 3
    facts = read_parts(studio.source(generated={"seed": 3, "frames": 900}))["facts"]
    assert studio.ask("POST", f"/api/videos/{facts['id']}/cancel").json()["state"] == "cancelled"


def test_of_half_a_video_the_frames_there_are_are_seen(studio, drive, read_parts):
    data = drive.read_bytes()
    facts = wait(studio, read_parts(studio.open(data[: len(data) // 2], "drive.mp4"))["facts"]["id"])
    assert facts["state"] == "done"
    assert 1 <= len(facts["curves"]) < FRAMES


def test_a_damaged_video_fails_with_a_sentence(studio, drive, read_parts):
    data = bytearray(drive.read_bytes())
    assert "drive.mp4" in studio.open(bytes(data[:400]), "drive.mp4").json()["error"]  # in the middle of its index
    answer = studio.open(b"#EXTM3U\nfile:///etc/passwd\n", "list.m3u8")
    assert answer.status_code == 422

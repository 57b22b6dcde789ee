"""Batches: many files, one after the other; all that was seen in one file to take away."""

import csv
import io
import json
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from yolopv2 import YOLOPv2
from yolopv2.data.synthetic import Drive, render_scene
from yolopv2.files import encode_image
from yolopv2.media import VideoWriter, decode_image
from yolopv2.studio import Limits, Settings, create_app
from yolopv2.studio.batches import plain_path
from yolopv2.studio.guard import SESSION_HEADER

FRAMES = 3
OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A folder with pictures, a video, and what is neither."""
    path = tmp_path_factory.mktemp("drive") / "drive.mp4"
    with VideoWriter(path, 10, 160, 96) as video:
        for sample in Drive(119, 10, 96, 160).frames(FRAMES):
            video.write(sample.image)
    pictures = [encode_image(render_scene(seed, height=180, width=320).image, ".png") for seed in (119, 7)]
    return {
        "road/a.png": pictures[0],
        "road/b/a.png": pictures[1],
        "road/notes.jpg": b"this is text",
        "road/drive.mp4": path.read_bytes(),
        "road/half.mp4": path.read_bytes()[:400],
        "road/a.jpg": encode_image(render_scene(33, height=180, width=320).image, ".jpg"),
    }


class Folder:
    """A batch as its page has it."""

    def __init__(self, studio: Any, sliders: dict[str, float] | None = None) -> None:
        self.studio = studio
        self.sliders = sliders or {}
        self.sent = 0
        self.id = studio.ask("POST", "/api/batches", json=self.sliders).json()["id"]

    def ask(self, method: str, path: str = "", **options: Any) -> Any:
        return self.studio.ask(method, f"/api/batches/{self.id}{path}", **options)

    def send(self, name: str, data: bytes) -> Any:
        self.sent += 1
        return self.ask("POST", f"/files/{self.sent - 1}", params={"name": name}, content=data, headers=OCTETS)

    def add(self, name: str, data: bytes) -> dict[str, Any]:
        row = self.send(name, data).json()
        deadline = time.monotonic() + 60
        while row["state"] not in ("done", "failed", "cancelled") and time.monotonic() < deadline:
            time.sleep(0.02)
            row = self.ask("GET", f"/files/{row['number']}").json()
        return row

    def archive(self, **asked: Any) -> zipfile.ZipFile:
        answer = self.ask("POST", "/archive", json={"sliders": self.sliders, "layers": ["boxes"], **asked})
        assert answer.status_code == 200, answer.text
        taken = self.studio.client.get(answer.json()["address"])  # as a browser does, without a header
        assert taken.headers["content-disposition"] == "attachment"
        return zipfile.ZipFile(io.BytesIO(taken.content))


@pytest.fixture
def folder(studio, files):
    folder = Folder(studio)
    folder.rows = {name: folder.add(name, data) for name, data in files.items()}
    return folder


def expected_scenes(files: dict[str, bytes], tmp_path: Path, size: int, **options: float) -> dict[str, Any]:
    model = YOLOPv2("nano", size=size)
    (tmp_path / "drive.mp4").write_bytes(files["road/drive.mp4"])
    scenes = {
        (name, 0): model(decode_image(files[name]).image, **options)
        for name in ("road/a.png", "road/b/a.png", "road/a.jpg")
    }
    for scene in model.stream(tmp_path / "drive.mp4", **options):
        scenes["road/drive.mp4", scene.index] = scene
    return {key: {**scene.to_dict(), "source": key[0]} for key, scene in scenes.items()}


def test_every_file_has_a_row_and_bad_ones_do_not_stop_the_rest(folder, files, tmp_path, choice):
    rows = folder.rows
    assert [rows[name]["state"] for name in files] == ["done", "done", "failed", "done", "failed", "done"]
    assert "not an image but text" in rows["road/notes.jpg"]["error"]
    assert rows["road/half.mp4"]["error"].startswith("road/half.mp4")
    assert (rows["road/drive.mp4"]["kind"], rows["road/drive.mp4"]["frames"]) == ("video", FRAMES)
    scenes = expected_scenes(files, tmp_path, choice["size"])
    for name in ("road/a.png", "road/b/a.png", "road/a.jpg"):
        scene = scenes[name, 0]
        assert rows[name]["vehicles"] == len(scene["vehicles"])
        assert 0 < rows[name]["milliseconds"] < 10_000
    seen = [len(scenes["road/drive.mp4", index]["vehicles"]) for index in range(FRAMES)]
    assert rows["road/drive.mp4"]["vehicles"] == pytest.approx(np.mean(seen))


def test_thresholds_count_all_rows_anew_without_the_network(folder, files, tmp_path, choice, monkeypatch):
    monkeypatch.setattr("yolopv2.studio.models.Models.look", None)
    sliders = {"conf": 0.1, "iou": 0.8, "drivable_conf": 0.9}
    rows = {row["name"]: row for row in folder.ask("POST", "/rows", json=sliders).json()}
    assert list(rows) == list(files)
    model = YOLOPv2("nano", size=choice["size"])
    for name in ("road/a.png", "road/b/a.png"):
        scene = model(decode_image(files[name]).image, **sliders)
        assert rows[name]["vehicles"] == len(scene.vehicles)
        assert rows[name]["drivable"] == pytest.approx(scene.drivable.mean(), abs=0.003)
        assert rows[name]["lanes"] == pytest.approx(scene.lanes.mean(), abs=0.003)
    assert rows["road/a.png"]["drivable"] < folder.rows["road/a.png"]["drivable"]
    assert folder.ask("POST", "/rows", json={"conf": 2}).status_code == 422


def test_the_archive_holds_what_the_library_sees(folder, files, tmp_path, choice):
    folder.sliders = {"conf": 0.2, "lane_conf": 0.3}
    with folder.archive() as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == ["scenes.jsonl", "summary.csv"]
        lines = [json.loads(line) for line in archive.read("scenes.jsonl").splitlines()]
        rows = list(csv.DictReader(io.StringIO(archive.read("summary.csv").decode())))
    expected = expected_scenes(files, tmp_path, choice["size"], **folder.sliders)
    assert {(line["source"], line["index"]): line for line in lines} == expected
    assert [row["file"] for row in rows] == list(files)
    by_name = {row["file"]: row for row in rows}
    scene = YOLOPv2("nano", size=choice["size"])(decode_image(files["road/a.png"]).image, **folder.sliders)
    assert float(by_name["road/a.png"]["vehicles"]) == len(scene.vehicles)
    assert float(by_name["road/a.png"]["drivable"]) == pytest.approx(scene.drivable.mean(), abs=1e-6)
    assert by_name["road/notes.jpg"]["error"]
    assert not by_name["road/notes.jpg"]["vehicles"]


def test_the_archive_holds_pictures_and_videos_with_the_layers_that_are_on(folder, files, tmp_path, choice):
    with folder.archive(drawn=True, layers=["drivable"]) as archive:
        names = set(archive.namelist())
        pictures = {"road/a.jpg", "road/b/a.jpg", "road/a-2.jpg"}
        assert names == {*pictures, "road/drive.mp4", "scenes.jsonl", "summary.csv"}
        drawn = cv2.imdecode(np.frombuffer(archive.read("road/a.jpg"), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        video = archive.read("road/drive.mp4")
    scene = YOLOPv2("nano", size=choice["size"])(decode_image(files["road/a.png"]).image)
    assert np.abs(drawn.astype(int) - scene.draw(layers=["drivable"])).mean() < 6  # JPEG loses a little
    assert np.abs(drawn.astype(int) - scene.draw(layers=["boxes"])).mean() > 6
    (tmp_path / "drawn.mp4").write_bytes(video)
    assert len([*YOLOPv2("nano", size=choice["size"]).stream(tmp_path / "drawn.mp4")]) == FRAMES


def test_a_ticket_is_good_once_and_cannot_be_guessed(folder):
    answer = folder.ask("POST", "/archive", json={"sliders": {}, "layers": []})
    address = answer.json()["address"]
    client = folder.studio.client
    assert client.get(address, headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.get(address).status_code == 200
    assert client.get(address).status_code == 404
    assert client.get("/take/guess").status_code == 404


def test_a_video_is_cancelled_and_what_was_seen_stays(studio, files, monkeypatch):
    folder = Folder(studio)
    reached, go_on = threading.Event(), threading.Event()
    look = type(studio.client.app.state.models).look

    def slow_look(self, choice, frame):
        if frame.index == 1:
            reached.set()
            go_on.wait(20)
        return look(self, choice, frame)

    monkeypatch.setattr("yolopv2.studio.models.Models.look", slow_look)
    answers: list[Any] = []
    sending = threading.Thread(target=lambda: answers.append(folder.send("drive.mp4", files["road/drive.mp4"])))
    sending.start()
    assert reached.wait(20)
    threading.Timer(0.3, go_on.set).start()
    folder.ask("POST", "/cancel")
    sending.join(20)
    row = folder.ask("GET", "/files/0").json()
    assert (row["state"], row["frames"]) == ("cancelled", 2)
    with folder.archive() as archive:
        assert len(archive.read("scenes.jsonl").splitlines()) == 2
        assert b"cancelled" in archive.read("summary.csv")


def test_files_stand_in_the_order_of_their_numbers(studio, files):
    folder = Folder(studio)
    for number in (2, 0, 1):
        folder.sent = number
        folder.add(f"{number}.png", files["road/a.png"])
    folder.sent = 1
    assert folder.send("again.png", files["road/a.png"]).status_code == 409
    assert [row["name"] for row in folder.ask("POST", "/rows", json={}).json()] == ["0.png", "1.png", "2.png"]


def test_no_name_is_a_formula_in_the_summary(studio, files):
    folder = Folder(studio)
    for name in ("=HYPERLINK(1).png", "@a.png", "plain.png"):
        folder.add(name, files["road/a.png"])
    with folder.archive() as archive:
        rows = csv.DictReader(io.StringIO(archive.read("summary.csv").decode()))
        assert [row["file"] for row in rows] == ["'=HYPERLINK(1).png", "'@a.png", "plain.png"]
        sources = [json.loads(line)["source"] for line in archive.read("scenes.jsonl").splitlines()]
    assert sources == ["=HYPERLINK(1).png", "@a.png", "plain.png"]


def limited(**limits: int) -> TestClient:
    return TestClient(create_app(Settings(size=320, limits=Limits(**limits))), base_url="http://localhost")


def test_files_and_bytes_are_bounded(files, open_studio):
    picture = files["road/a.png"]
    with limited(files=2, picture_bytes=len(picture)) as client:
        folder = Folder(open_studio(client))
        assert folder.add("a.png", picture)["state"] == "done"
        row = folder.add("b.png", picture + bytes(10))
        assert row["state"] == "failed"
        assert "larger than" in row["error"]
        answer = folder.send("c.png", picture)
        assert answer.status_code == 409
        assert "up to 2 files" in answer.json()["error"]


def test_a_full_disk_stops_and_everything_is_given_back(files, open_studio):
    picture = files["road/a.png"]
    with limited(disk_bytes=2 * len(picture)) as client:
        folder = Folder(open_studio(client))
        statuses = [folder.send(f"{number}.png", picture).status_code for number in range(4)]
        assert statuses[0] == 200
        assert statuses[-1] == 507
        assert folder.ask("DELETE").status_code == 200
        assert folder.ask("POST", "/rows", json={}).status_code == 404
        assert client.app.state.sessions._disk._used == 0
        assert not [path for path in Path(client.app.state.sessions._folder).rglob("*") if path.is_file()]
        assert Folder(folder.studio).add("a.png", picture)["state"] == "done"


def test_old_batches_make_room_and_sessions_do_not_see_each_other(client, studio, files):
    first = Folder(studio)
    first.add("a.png", files["road/a.png"])
    others = [Folder(studio) for _ in range(Limits().batches)]
    assert first.ask("POST", "/rows", json={}).status_code == 404
    other = client.post("/api/session", headers={SESSION_HEADER: "new"}).json()["session"]
    path = f"/api/batches/{others[0].id}/rows"
    assert client.post(path, json={}, headers={SESSION_HEADER: other}).status_code == 404


@given(st.text(max_size=60))
def test_names_stay_below_the_folder(name):
    parts = plain_path(name).split("/")
    assert all(part not in ("", ".", "..") for part in parts)
    assert not set("\\:\0") & set("".join(parts))

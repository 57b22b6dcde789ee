import json
import struct
import threading
import zlib
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from yolopv2 import YOLOPv2
from yolopv2.data.synthetic import render_scene
from yolopv2.files import encode_image
from yolopv2.studio import Limits, Settings, create_app


def pixels(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def test_a_picture_comes_back_with_what_the_page_needs(studio, street, read_parts):
    parts = read_parts(studio.open(street, "folder/../street.png"))
    facts = parts["facts"]
    assert (facts["kind"], facts["name"], facts["width"], facts["height"]) == ("picture", "street.png", 320, 180)
    assert facts["origin"] == {"kind": "file"}
    assert "OpenVINO" in facts["engine"]
    assert facts["milliseconds"] > 0
    assert pixels(parts["picture"]).shape == (180, 320, 3)
    assert pixels(parts["drivable"]).shape == pixels(parts["lanes"]).shape == (180, 320)
    assert {len(row) for row in facts["candidates"]} == {6}


def test_the_json_is_the_scene_of_the_library(studio, street, choice, read_parts):
    opened = read_parts(studio.open(street))["facts"]
    sliders = {"conf": 0.2, "iou": 0.3, "drivable_conf": 0.7, "lane_conf": 0.3}
    scene = studio.ask("POST", f"/api/pictures/{opened['id']}/scene", json=sliders).json()
    model = YOLOPv2("nano", size=choice["size"])
    expected = model(cv2.cvtColor(pixels(street), cv2.COLOR_BGR2RGB), **sliders).to_dict()
    assert scene == json.loads(json.dumps({**expected, "source": "street.png"}))


def test_another_model_looks_at_the_same_picture(studio, street, read_parts):
    opened = read_parts(studio.open(street))["facts"]
    smaller = read_parts(
        studio.ask("POST", f"/api/pictures/{opened['id']}/look", params={"weights": "nano", "size": 160})
    )
    assert pixels(smaller["drivable"]).shape == (90, 160)
    assert "picture" not in smaller


def test_the_camera_keeps_nothing(studio, street, read_parts):
    answer = studio.ask("POST", "/api/live", content=street, headers={"Content-Type": "application/octet-stream"})
    assert set(read_parts(answer)) == {"facts", "drivable", "lanes"}


def test_a_generated_scene(studio, read_parts, monkeypatch):
    small = partial(render_scene, height=96, width=160)
    monkeypatch.setattr("yolopv2.studio.pictures.render_scene", small)
    parts = read_parts(studio.source(generated={"seed": 4, "weather": "rain"}))
    assert parts["facts"]["origin"] == {"kind": "scene", "seed": 4, "weather": "rain", "time": None}
    assert pixels(parts["picture"]).shape == (96, 160, 3)


PNG = b"\x89PNG\r\n\x1a\n"


def huge_png() -> bytes:
    """A PNG of 100 megapixels in a hundred bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 0, 0, 0, 0)
    return PNG + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"", "a.png", "a.png: the file is empty"),
        (b"hello, this is text", "notes.jpg", "notes.jpg: it is not an image but text"),
        (b"hello, this is text", "drive.mp4", "drive.mp4: it is not a video"),
        (PNG + bytes(30), "a.png", "a.png: the PNG file"),
        (huge_png(), "a.png", "100 megapixels"),
        (encode_image(np.zeros((4, 4, 3), np.uint8), ".png"), "tiny.png", "too few"),
        (b"\xff\xd8\xff" + bytes(100), "cut.jpg", "JPEG file is corrupt"),
    ],
)
def test_hostile_files_get_a_sentence(studio, data, name, said):
    answer = studio.open(data, name)
    assert answer.status_code in (413, 422)
    error = answer.json()["error"]
    assert said in error
    assert error.endswith(".")
    assert "/" not in error


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({}, "Nothing to look at"),
        ({"url": "file:///etc/passwd"}, "http:// or https://"),
        ({"url": "ftp://example.org/a.jpg"}, "http:// or https://"),
        ({"url": "http://127.0.0.1:1/a.jpg"}, "cannot be fetched"),
        ({"generated": {"seed": -1}}, "generated.seed"),
        ({"generated": {"seed": 1, "weather": "hail"}}, "weather"),
        ({"generated": {"seed": 1, "frames": 10**9}}, "frames"),
        ({"path": "/etc/passwd"}, "path"),
    ],
)
def test_what_cannot_be_opened_gets_a_sentence(studio, source, said):
    answer = studio.source(**source)
    assert answer.status_code == 422
    assert said in answer.json()["error"]


def test_a_picture_of_an_address(studio, street, read_parts):
    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(street)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://user:secret@127.0.0.1:{server.server_port}/a/street.png?size=2"
        facts = read_parts(studio.source(url=url))["facts"]
        server.shutdown()
    assert facts["name"] == "street.png"
    assert "secret" not in json.dumps(facts)


def test_no_path_is_taken_for_a_model(studio, street):
    for weights in ("/etc/passwd", "../nano.onnx", "other"):
        answer = studio.ask("POST", "/api/live", params={"weights": weights}, content=street)
        assert answer.status_code == 404
        assert "No model is called" in answer.json()["error"]
    assert studio.ask("POST", "/api/live", params={"weights": "nano", "size": 333}, content=street).status_code == 422
    assert studio.ask("POST", "/api/live", params={"weights": "nano", "size": 10**6}, content=street).status_code == 422


def test_large_uploads_are_refused_while_they_come(street):
    settings = Settings(limits=Limits(picture_bytes=2000, video_bytes=9000, pixels=1000))
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        from yolopv2.studio.guard import SESSION_HEADER

        name = client.post("/api/session", headers={SESSION_HEADER: "new"}).json()["session"]
        for data in (PNG + bytes(3000), bytes(10_000)):
            answer = client.post("/api/sources?weights=nano", content=data, headers={SESSION_HEADER: name})
            assert answer.status_code == 413
        tiny = encode_image(np.zeros((40, 40, 3), np.uint8), ".png")
        answer = client.post("/api/sources?weights=nano", content=tiny, headers={SESSION_HEADER: name})
        assert "megapixels" in answer.json()["error"]
        answer = client.post("/api/sources?weights=nano", json={"url": "x" * 70_000}, headers={SESSION_HEADER: name})
        assert answer.status_code == 413


def test_a_studio_that_others_reach_opens_no_addresses(street):
    with TestClient(create_app(Settings(addresses=False)), base_url="http://localhost") as client:
        from yolopv2.studio.guard import SESSION_HEADER

        facts = client.post("/api/session", headers={SESSION_HEADER: "new"}).json()
        headers = {SESSION_HEADER: facts["session"]}
        answer = client.post("/api/sources?weights=nano", json={"url": "http://example.org"}, headers=headers)
    assert facts["addresses"] is False
    assert answer.status_code == 403

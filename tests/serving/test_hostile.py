"""Requests that mean harm, or are broken: a 4xx with a reason, and the service goes on."""

import base64
import json
import struct
import zlib

import pytest


def png_of(width, height, scanlines=b""):
    """A PNG that claims a size, whatever it holds."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(scanlines, 9)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def base64_of(data):
    return {"images": [{"data": base64.b64encode(data).decode()}]}


@pytest.fixture(scope="module")
def uploads(jpeg):
    """By name, what is sent: the options of a request, and a word of the reason."""
    form = {"content-type": "multipart/form-data; boundary=x"}
    json_type = {"content-type": "application/json"}
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    return {
        "empty": ({"content": b""}, "empty"),
        "empty file": ({"files": {"file": ("a.jpg", b"")}}, "empty"),
        "truncated": ({"content": jpeg[: len(jpeg) // 2]}, "truncated"),
        "noise": ({"content": bytes(range(256)) * 40}, "image"),
        "bomb": ({"content": png_of(6_000, 6_000, bytes(6_000 * 18_001))}, "pixels"),
        "huge header": ({"content": png_of(2**31 - 1, 2**31 - 1)}, "pixels"),
        "zero size": ({"content": png_of(0, 10)}, ""),
        "wrong type": ({"content": b"<x/>", "headers": {"content-type": "text/xml"}}, "text/xml"),
        "video": ({"content": b"\0\0\0\x20ftypisom" + bytes(500)}, ""),
        "many files": ({"files": [("file", ("a.jpg", jpeg[:100]))] * 1001}, "files"),
        "many fields": ({"data": {f"f{i}": "1" for i in range(2000)}, "files": {"file": jpeg}}, "fields"),
        "large field": ({"data": {"conf": "1" * 100_000}, "files": {"file": jpeg}}, "size"),
        "unknown field": ({"data": {"confidence": "1"}, "files": {"file": jpeg}}, "confidence"),
        "no file": ({"content": b"--x--\r\n", "headers": form}, "no file"),
        "no boundary": ({"content": part, "headers": {"content-type": "multipart/form-data"}}, "boundary"),
        "cut form": ({"content": part + jpeg[:1000], "headers": form}, ""),
        "no form": ({"content": jpeg, "headers": form}, ""),
        "nan": ({"content": jpeg, "params": {"conf": "nan"}}, "conf"),
        "infinity": ({"content": jpeg, "params": {"iou": "inf"}}, "iou"),
        "negative": ({"content": jpeg, "params": {"conf": "-0.1"}}, "conf"),
        "no number": ({"content": jpeg, "params": {"max_det": "many"}}, "max_det"),
        "too many": ({"content": jpeg, "params": {"max_det": 10**30}}, "max_det"),
        "no class": ({"content": jpeg, "params": {"classes": "zebra"}}, "zebra"),
        "unknown option": ({"content": jpeg, "params": {"size": 64}}, "size"),
        "json nan": ({"content": b'{"images": [{"data": ""}], "conf": NaN}', "headers": json_type}, "conf"),
        "deep json": ({"content": b"[" * 1_000_000, "headers": json_type}, ""),
        "deep option": ({"content": b'{"images":' + b'{"a":' * 100_000, "headers": json_type}, ""),
        "no json": ({"content": b"{", "headers": json_type}, "JSON"),
        "latin json": ({"content": b'{"images": "\xff"}', "headers": json_type}, ""),
        "no images": ({"json": {"images": []}}, "images"),
        "both": ({"json": {"images": [{"data": "", "url": "http://x"}]}}, "either"),
        "bad base64": ({"json": {"images": [{"data": "%%%"}]}}, "base64"),
        "odd base64": ({"json": {"images": [{"data": "abc"}]}}, "base64"),
        "base64 noise": ({"json": base64_of(b"no picture")}, "image"),
        "many images": ({"json": {"images": base64_of(jpeg)["images"] * 17}}, "17 pictures"),
        "local file": ({"json": {"images": [{"url": "file:///etc/passwd"}]}}, "http"),
        "own address": ({"json": {"images": [{"url": "http://127.0.0.1/x.jpg"}]}}, "operator allows no such host"),
        "path": ({"json": {"images": ["/etc/passwd"]}}, "images"),
    }


def test_each_is_refused_with_a_reason(http, uploads, jpeg):
    for name, (request, word) in uploads.items():
        answer = http.post("/v1/predict", **request)
        assert 400 <= answer.status_code < 500, (name, answer.status_code, answer.text)
        assert answer.headers["content-type"] == "application/problem+json", name
        problem = answer.json()
        assert problem["status"] == answer.status_code, name
        assert word.lower() in problem["detail"].lower(), (name, problem["detail"])
        assert len(answer.content) < 3000, name
        assert not any(hint in answer.text for hint in ("Traceback", ".py", "site-packages", "/tmp", "/home")), name
    assert http.post("/v1/predict", content=jpeg).status_code == 200
    assert "yolopv2_held_bytes 0.0" in http.get("/metrics").text


def test_a_broken_picture_among_good_ones_is_named(http, jpeg):
    answer = http.post("/v1/predict", files=[("file", ("good.jpg", jpeg)), ("file", ("bad.jpg", jpeg[:999]))])
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("bad.jpg: ")


def test_names_are_words_never_paths(http, jpeg, tmp_path):
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(jpeg)
    for name in (str(secret), f"../../..{secret}", "..\\..\\secret.jpg"):
        answer = http.post("/v1/predict", files={"file": (name, b"no picture")})
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("secret.jpg: ")
    assert http.post("/v1/predict", content=str(secret)).status_code == 422


def test_something_wrong_inside_is_not_told(start, runtime, grey, monkeypatch):
    http = start()
    monkeypatch.setattr(type(runtime), "__call__", lambda self, batch: 1 / 0)
    answer = http.post("/v1/predict", content=grey(99))
    assert answer.status_code == 500
    assert json.loads(answer.text)["detail"] == "something went wrong here; the service's log says what"
    monkeypatch.undo()
    assert http.post("/v1/predict", content=grey(99)).status_code == 200


def test_hostile_videos(http, jpeg, drive):
    form = {"content-type": "multipart/form-data; boundary=x"}
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
    video = drive.read_bytes()
    for request, status in {
        "empty": ({"content": b""}, 422),
        "noise": ({"content": bytes(range(256)) * 99}, 422),
        "truncated": ({"content": video[: len(video) // 3]}, 422),
        "playlist": ({"content": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n"}, 422),
        "list": ({"content": b"ffconcat version 1.0\nfile /etc/passwd\n"}, 422),
        "type": ({"json": {"path": "/etc/passwd"}}, 415),
        "two": ({"files": [("file", ("a.mp4", video)), ("file", ("b.mp4", video))]}, 422),
        "fields": ({"data": {f"f{i}": "1" for i in range(99)}, "files": {"file": video}}, 413),
        "no file": ({"content": b"--x--\r\n", "headers": form}, 422),
        "no boundary": ({"content": part, "headers": {"content-type": "multipart/form-data"}}, 400),
        "cut": ({"content": part + video, "headers": form}, 400),
        "no form": ({"content": video, "headers": form}, 400),
        "option": ({"content": video, "params": {"conf": "nan"}}, 422),
    }.values():
        answer = http.post("/v1/jobs", **request)
        assert answer.status_code == status, (request.keys(), answer.text)
        assert answer.json()["detail"]
        assert "/tmp" not in answer.text
    assert http.get("/v1/jobs").json()["jobs"] == []

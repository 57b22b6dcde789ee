"""/v1/live: frames in, scenes out, and the newest frame wins."""

import json

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from yolopv2.media import Frame, decode_image
from yolopv2.scene import Scene


def live(http, query="", **options):
    return connect(f"ws://{http.base_url.host}:{http.base_url.port}/v1/live{query}", open_timeout=10, **options)


def test_frames_give_the_library_s_scenes(http, model, jpeg):
    image = decode_image(jpeg).image
    (own,) = model.predictor([Frame(image, "live")], model.thresholds(conf=0.4))
    with live(http, "?conf=0.4") as stream:
        for index in range(3):
            stream.send(jpeg)
            scene = Scene.from_dict(json.loads(stream.recv(10)))
            assert scene.to_dict() == {**own.to_dict(), "index": index}


def test_the_newest_frame_wins(start, runtime, grey):
    http = start()
    runtime.may.clear()
    with live(http) as stream:
        stream.send(grey(100))
        while "yolopv2_held_images 1.0" not in http.get("/metrics").text:
            pass
        for brightness in range(150, 160):
            stream.send(grey(brightness))
        stream.ping().wait(5)  # all of them have come
        runtime.may.set()
        scenes = [json.loads(stream.recv(10)) for _ in range(2)]
    assert [scene["index"] for scene in scenes] == [0, 10]
    assert [round(255 * scene["vehicles"][0]["confidence"]) for scene in scenes] == [100, 159]


def test_a_broken_frame_is_told_and_the_stream_goes_on(start, grey):
    with live(start({"pixels": 5000})) as stream:
        for frame, status in ((b"no picture", 422), (grey(9, 100, 100), 413), (b"", 422)):
            stream.send(frame)
            problem = json.loads(stream.recv(10))
            assert problem["status"] == status
            assert problem["detail"]
        stream.send(grey(99))
        assert json.loads(stream.recv(10))["index"] == 3


def answer(stream, message):
    stream.send(message)
    return stream.recv(10)


@pytest.mark.parametrize(
    ("query", "message", "reason"),
    [
        ("", "text", "binary"),
        ("?conf=nan", b"", "conf"),
        ("?classes=zebra", b"", "zebra"),
        ("?model=none", b"", "no model"),
        ("?x=1", b"", "x"),
    ],
)
def test_misuse_ends_with_a_reason(http, query, message, reason):
    with live(http, query) as stream, pytest.raises(ConnectionClosed) as closed:
        answer(stream, message)
    assert closed.value.rcvd.code == 1008
    assert reason in closed.value.rcvd.reason


def test_limits_and_who_may_ask(start, runtime, grey):
    http = start({"streams": 1, "frame_bytes": 1000}, token="s3cret")
    allowed = {"additional_headers": {"authorization": "Bearer s3cret"}}
    with pytest.raises(InvalidStatus) as refused, live(http):
        pass
    assert refused.value.response.status_code == 401
    with pytest.raises(InvalidStatus) as refused, live(http, origin="https://evil.example", **allowed):
        pass
    assert refused.value.response.status_code == 403
    with live(http, **allowed) as stream:
        stream.send(grey(99))
        assert json.loads(stream.recv(10))["index"] == 0
        with live(http, **allowed) as second, pytest.raises(ConnectionClosed) as closed:
            second.recv(10)
        assert closed.value.rcvd.code == 1013
        with pytest.raises(ConnectionClosed) as closed:
            answer(stream, bytes(1001))
        assert closed.value.rcvd.code == 1009

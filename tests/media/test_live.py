"""Streams that break off, and cameras, played by a web server and a stand-in for OpenCV's camera."""

import itertools

import cv2
import numpy as np
import pytest

from yolopv2.media import live
from yolopv2.media.frame import Unreadable
from yolopv2.media.live import camera_frames, stream_frames


@pytest.fixture
def waits(monkeypatch) -> list[float]:
    """How long a stream would have waited."""
    waited: list[float] = []
    monkeypatch.setattr(live.time, "sleep", waited.append)
    return waited


def motion_jpeg(count: int) -> list[bytes]:
    """Parts of a camera's multipart stream."""
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3)).astype(np.uint8)
    jpeg = cv2.imencode(".jpg", noise)[1].tobytes()
    head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
    return [head + jpeg + b"\r\n"] * count


def test_a_video_behind_an_address(server, tmp_path, make_video, frame_number):
    path = make_video(tmp_path / "x.mp4", count=20, faststart=True)
    server.pages["/x.mp4"] = ("video/mp4", path.read_bytes())
    remarks: list[str] = []
    frames = list(stream_frames(server.url("/x.mp4"), "name", remarks.append))
    assert [frame_number(frame.image) for frame in frames] == list(range(20))
    assert [frame.index for frame in frames] == list(range(20))
    assert frames[10].time == pytest.approx(0.4)
    assert {(frame.source, frame.fps, frame.is_video) for frame in frames} == {("name", 25, True)}
    assert remarks == []


def test_a_playlist_of_segments(server, tmp_path, make_video):
    for number in range(2):
        content = make_video(tmp_path / "x.ts", count=40).read_bytes()
        server.pages[f"/{number}.ts"] = ("video/mp2t", content)
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.6,\n0.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:1.6,\n1.ts\n"
    server.pages["/x.m3u8"] = ("application/vnd.apple.mpegurl", (playlist + "#EXT-X-ENDLIST\n").encode())
    frames = list(stream_frames(server.url("/x.m3u8"), "name", lambda _: None))
    assert len(frames) == 80
    assert all(later.time > earlier.time for earlier, later in itertools.pairwise(frames))


def test_a_stream_cannot_reach_files_of_this_machine(server, tmp_path, make_video, waits):
    secret = make_video(tmp_path / "secret.ts", count=5)
    for target in (str(secret), f"file://{secret}"):
        playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.4,\n{target}\n#EXT-X-ENDLIST\n"
        server.pages["/x.m3u8"] = ("application/vnd.apple.mpegurl", playlist.encode())
        with pytest.raises(Unreadable):
            list(stream_frames(server.url("/x.m3u8"), "name", lambda _: None))


def test_a_camera_that_breaks_off_is_opened_again_a_few_times(server, waits):
    server.pages["/cam"] = ("multipart/x-mixed-replace; boundary=frame", motion_jpeg(8))
    remarks: list[str] = []
    frames = stream_frames(server.url("/cam"), "name", remarks.append)
    first = list(itertools.islice(frames, 20))
    assert [frame.index for frame in first] == list(range(20))
    assert all(later.time > earlier.time for earlier, later in itertools.pairwise(first))
    assert waits
    assert set(waits) == {1}  # frames came in between, so the count starts again
    waits.clear()
    server.pages.clear()
    rest = list(frames)
    assert len(rest) < 8
    assert waits == [1, 2, 4, 8, 16]
    assert len(remarks) == 1
    assert "could not be opened again in 5 attempts" in remarks[0]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/cam", "rtsp://127.0.0.1:1/cam", "rtmp://127.0.0.1:1/cam"])
def test_no_stream_at_all_is_a_clear_error_at_once(url, waits, capfd):
    with pytest.raises(Unreadable, match="check the address and the network"):
        next(stream_frames(url, "name", lambda _: None))
    assert waits == []
    assert capfd.readouterr().err == ""


class Camera:
    """Stands in for cv2.VideoCapture: three frames, the first channel of which is blue."""

    released = False

    def __init__(self, number: int) -> None:
        self.left = 3 if number == 0 else 0

    def get(self, _: int) -> float:
        return 30.0

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.left -= 1
        return (True, np.full((48, 64, 3), (255, 0, 0), np.uint8)) if self.left >= 0 else (False, None)

    def release(self) -> None:
        Camera.released = True


def test_a_camera(monkeypatch):
    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    remarks: list[str] = []
    frames = list(camera_frames(0, "camera-0", remarks.append))
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert frames[0].image[0, 0].tolist() == [0, 0, 255]
    assert frames[0].time == 0
    assert frames[0].fps == 30
    assert remarks == ["the camera stopped after 3 frames"]
    assert Camera.released


def test_no_camera(capfd):
    with pytest.raises(Unreadable, match="camera cannot be opened"):
        next(camera_frames(98, "camera-98", lambda _: None))
    assert capfd.readouterr().err == ""

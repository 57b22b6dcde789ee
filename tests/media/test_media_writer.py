"""Videos as browsers want them, whatever ended the writing."""

import os
import resource
import signal
import subprocess
import sys
import textwrap
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolopv2.errors import YolopError
from yolopv2.media.video import open_video
from yolopv2.media.writer import VideoWriter, exact_rate


def colours(width: int, height: int) -> np.ndarray:
    """Red top left, green top right, blue bottom left, orange bottom right."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = (255, 0, 0)
    image[: height // 2, width // 2 :] = (0, 255, 0)
    image[height // 2 :, : width // 2] = (0, 0, 255)
    image[height // 2 :, width // 2 :] = (250, 128, 30)
    return image


@pytest.mark.parametrize(("width", "height"), [(64, 48), (65, 48), (64, 49), (65, 49), (1, 1), (2, 9)])
def test_every_size_keeps_colours_and_corners(tmp_path, width, height):
    image = colours(width, height)
    with VideoWriter(tmp_path / "x.mp4", 25, width, height) as video:
        for _ in range(3):
            video.write(image)
    with av.open(str(tmp_path / "x.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (width + width % 2, height + height % 2)
        assert (stream.codec_context.name, stream.pix_fmt, stream.frames) == ("h264", "yuv420p", 3)
    if min(width, height) > 16:
        with open_video(tmp_path / "x.mp4") as reader:
            frame, _ = next(reader.frames())
        for y, x in [(4, 4), (4, -4), (-4, 4), (-4, -4)]:
            assert np.abs(frame[y, x].astype(int) - image[y, x]).max() <= 4


def test_the_index_comes_first(tmp_path):
    with VideoWriter(tmp_path / "x.mp4", 25, 64, 48) as video:
        video.write(colours(64, 48))
    content = (tmp_path / "x.mp4").read_bytes()
    assert 0 < content.find(b"moov") < content.find(b"mdat")


@pytest.mark.parametrize("fps", [25, 29.97, 23.976, 59.94, 12.5, 1, 0.2, 120, Fraction(30000, 1001), 29.6543])
def test_rate_and_length(tmp_path, fps):
    with VideoWriter(tmp_path / "x.mp4", fps, 16, 16) as video:
        for _ in range(20):
            video.write(np.zeros((16, 16, 3), np.uint8))
    with av.open(str(tmp_path / "x.mp4")) as container:
        stream = container.streams.video[0]
        assert float(stream.average_rate) == pytest.approx(fps, rel=1e-5)
        assert float(stream.duration * stream.time_base) == pytest.approx(20 / fps, rel=1e-3)


@given(st.floats(0.001, 1000))
def test_exact_rates_are_near_and_positive(fps):
    assert 0 < exact_rate(fps) == pytest.approx(fps, rel=5e-4, abs=1e-4)


def test_rates_of_ntsc_are_exact():
    for whole in (24, 30, 60, 120):
        assert exact_rate(whole) == whole
        assert exact_rate(round(whole / 1.001, 3)) == Fraction(whole * 1000, 1001)


def test_frames_of_another_size_are_scaled(tmp_path):
    with VideoWriter(tmp_path / "x.mp4", 25, 64, 48) as video:
        video.write(colours(64, 48))
        video.write(colours(128, 96))
    with open_video(tmp_path / "x.mp4") as reader:
        first, second = (image.astype(int) for image, _ in reader.frames())
    assert np.abs(first - second).mean() < 3


def test_views_that_are_not_contiguous(tmp_path):
    with VideoWriter(tmp_path / "x.mp4", 25, 64, 48) as video:
        video.write(colours(64, 48)[:, ::-1])
    with open_video(tmp_path / "x.mp4") as reader:
        image, _ = next(reader.frames())
    assert np.abs(image[4, 4].astype(int) - (0, 255, 0)).max() <= 4


def test_an_exception_keeps_what_was_written(tmp_path):

    def write_seven_frames() -> None:
        with VideoWriter(tmp_path / "x.mp4", 25, 64, 48) as video:
            for _ in range(7):
                video.write(colours(64, 48))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_seven_frames()
    with open_video(tmp_path / "x.mp4") as reader:
        assert len(list(reader.frames())) == 7
    assert os.listdir(tmp_path) == ["x.mp4"]


def test_without_frames_there_is_no_file(tmp_path):
    with VideoWriter(tmp_path / "x.mp4", 25, 64, 48):
        assert len(os.listdir(tmp_path)) == 1
    with pytest.raises(KeyboardInterrupt), VideoWriter(tmp_path / "x.mp4", 25, 64, 48):
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []


def test_unfinished_files_are_hidden_and_close_may_be_called_again(tmp_path):
    (tmp_path / "x.mp4").write_bytes(b"the old file")
    video = VideoWriter(tmp_path / "x.mp4", 25, 64, 48)
    video.write(colours(64, 48))
    assert (tmp_path / "x.mp4").read_bytes() == b"the old file"
    assert [name[0] for name in sorted(os.listdir(tmp_path))] == [".", "x"]
    video.close()
    video.close()
    assert os.listdir(tmp_path) == ["x.mp4"]
    assert (tmp_path / "x.mp4").stat().st_size > 500


def test_ctrl_c_leaves_a_playable_file(tmp_path):
    code = f"""
        import numpy as np
        from yolopv2.media import VideoWriter
        with VideoWriter({str(tmp_path / "x.mp4")!r}, 25, 64, 48) as video:
            while True:
                video.write(np.zeros((48, 64, 3), np.uint8))
                if video.frames == 100:
                    print("running", flush=True)
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert child.stdout is not None
    try:
        with child.stdout as out:
            out.readline()
            child.send_signal(signal.SIGINT)
            child.wait(30)
    finally:
        child.kill()
    assert os.listdir(tmp_path) == ["x.mp4"]
    with open_video(tmp_path / "x.mp4") as reader:
        assert len(list(reader.frames())) >= 100
        assert reader.damage is None


@pytest.fixture
def _small_files_only():
    """Let writes past 100 kB fail, much like a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("_small_files_only")
@pytest.mark.parametrize("count", [200, 12])
def test_a_full_disk_is_a_clear_error_and_leaves_nothing(tmp_path, count):
    """With 200 frames writing fails on the way, with 12 only when the encoder hands over its last frames."""
    random = np.random.default_rng(0)

    def write() -> None:
        with VideoWriter(tmp_path / "x.mp4", 25, 320, 240) as video:
            for _ in range(count):
                video.write(random.integers(0, 256, (240, 320, 3)).astype(np.uint8))

    with pytest.raises(YolopError, match=r"cannot write .*x\.mp4: "):
        write()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "fps", "width", "reason"),
    [
        ("file/x.mp4", 25, 64, "file"),
        ("folder", 25, 64, "a folder has this name"),
        ("x.mp4", 0, 64, "no video"),
        ("x.mp4", float("nan"), 64, "no video"),
        ("x.mp4", 25, 0, "H.264"),
        ("x.mp4", 25, 20000, "H.264"),
    ],
)
def test_what_cannot_be_written_is_named_at_once(tmp_path, name, fps, width, reason):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(YolopError, match=f"cannot write .*{reason}"):
        VideoWriter(tmp_path / name, fps, width, 48)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_odd_file_names(tmp_path):
    for name in ("a:b.mp4", "100%d.mp4", "-x.mp4", "日本.mp4", "noise.weird"):
        with VideoWriter(tmp_path / name, 25, 64, 48) as video:
            video.write(colours(64, 48))
        with open_video(tmp_path / name) as reader:
            assert len(list(reader.frames())) == 1

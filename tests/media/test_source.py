"""The whole way from a person's input to frames."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from yolopv2.errors import YolopError
from yolopv2.media import Frame, Problem, open_source

VIDEOS = Path(__file__).parents[3] / "shared" / "data" / "videos"


@pytest.fixture
def problems() -> list[Problem]:
    return []


def hostile_folder(root: Path, picture: np.ndarray, encode) -> set[str]:
    """Twenty good pictures and ten others; returns the names of the ten."""
    for number in range(20):
        (root / f"good{number}.jpg").write_bytes(encode(picture, "JPEG"))
    (root / "empty.jpg").touch()
    (root / "truncated.jpg").write_bytes(encode(picture, "JPEG")[:2000])
    (root / "text.jpg").write_text("this is a text")
    (root / "tiny.png").write_bytes(encode(picture[:1, :1], "PNG"))
    (root / "huge.png").write_bytes(encode(Image.new("1", (12000, 9000)), "PNG"))
    (root / "moving.gif").write_bytes(
        encode(picture, "GIF", save_all=True, append_images=[Image.fromarray(picture[::-1])])
    )
    (root / "deep.png").write_bytes(encode(Image.fromarray(picture[..., 0].astype(np.uint16) << 8), "PNG"))
    (root / "ink.jpg").write_bytes(encode(Image.fromarray(picture).convert("CMYK"), "JPEG"))
    (root / "x.png").mkdir()
    (root / "dangling.jpg").symlink_to(root / "nowhere.jpg")
    return {path.name for path in root.iterdir() if not path.name.startswith("good")}


def test_twenty_good_and_ten_hostile_files(tmp_path, picture, encode, problems, capfd):
    hostile = hostile_folder(tmp_path, picture, encode)
    assert len(hostile) == 10
    with open_source(tmp_path, problems.append) as source:
        frames = list(source)
    read = {Path(frame.source).name for frame in frames}
    assert read == {f"good{number}.jpg" for number in range(20)} | {"deep.png", "ink.jpg"}
    assert {Path(problem.source).name for problem in problems} == hostile
    assert len(problems) == 10
    assert {Path(problem.source).name for problem in problems if not problem.fatal} == {"deep.png", "ink.jpg"}
    good = [Path(frame.source).name for frame in frames if Path(frame.source).name.startswith("good")]
    assert good == [f"good{number}.jpg" for number in range(20)]
    assert capfd.readouterr().err == ""


def test_without_a_listener_the_first_unreadable_input_is_an_error(tmp_path, picture, encode):
    hostile_folder(tmp_path, picture, encode)
    assert len(list(open_source(tmp_path / "deep.png"))) == 1  # a remark is no error
    with pytest.raises(YolopError, match=r"empty\.jpg: the file is empty"):
        list(open_source(tmp_path / "empty.jpg"))


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_files_and_folders_without_permission(tmp_path, files, problems):
    (tmp_path / "x.png").write_bytes(files["PNG"])
    (tmp_path / "x.png").chmod(0)
    (tmp_path / "folder").mkdir(mode=0)
    assert list(open_source(tmp_path, problems.append)) == []
    assert [problem.message for problem in problems] == ["it cannot be read: Permission denied"] * 2


def test_stills_and_videos_in_order(tmp_path, files, make_video, frame_number, problems):
    (tmp_path / "1.png").write_bytes(files["PNG"])
    make_video(tmp_path / "2.mp4", count=5)
    (tmp_path / "10.bmp").write_bytes(files["BMP"])
    source = open_source([tmp_path, np.zeros((8, 8)), Image.new("L", (8, 8))], problems.append)
    assert (source.total, source.is_video, source.fps, source.size) == (9, False, None, None)
    frames = list(source)
    assert problems == []
    assert Counter(Path(frame.source).name for frame in frames) == Counter(
        {"1.png": 1, "2.mp4": 5, "10.bmp": 1, "array-1": 1, "image-2": 1}
    )
    video = frames[1:6]
    assert [(frame.index, frame.is_video, frame.fps) for frame in video] == [(n, True, 25.0) for n in range(5)]
    assert [frame.time for frame in video] == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])
    assert (frames[0].index, frames[0].time, frames[0].fps, frames[0].is_video) == (0, None, None, False)
    assert len(list(source)) == 9  # may be read again
    for frame in frames:
        assert frame.image.dtype == np.uint8
        assert frame.image.flags.c_contiguous


def test_one_video(tmp_path, make_video):
    source = open_source(make_video(tmp_path / "x.mp4", rotation=(90, False)))
    assert (source.total, source.is_video, source.fps, source.size) == (50, True, 25.0, (96, 128))
    assert next(iter(source)).image.shape == (128, 96, 3)


def test_damaged_videos_are_problems_and_the_rest_goes_on(tmp_path, make_video, files, problems):
    content = make_video(tmp_path / "1.mp4", faststart=True).read_bytes()
    (tmp_path / "1.mp4").write_bytes(content[: len(content) // 2])
    (tmp_path / "2.mp4").write_text("no video")
    (tmp_path / "3.png").write_bytes(files["PNG"])
    source = open_source(tmp_path, problems.append)
    assert source.total == 51
    frames = list(source)
    assert Path(frames[-1].source).name == "3.png"
    assert 10 < len(frames) < 50
    assert [(Path(problem.source).name, problem.fatal) for problem in problems] == [("1.mp4", False), ("2.mp4", True)]
    broken = open_source(tmp_path / "2.mp4", problems.append)
    assert (broken.total, broken.fps, broken.size) == (0, None, None)


def test_many_videos_are_not_counted(tmp_path):
    for number in range(101):
        (tmp_path / f"{number}.mp4").touch()
    assert open_source(tmp_path).total is None
    assert open_source(0).total is None
    assert open_source("rtsp://127.0.0.1/x").total is None


def test_addresses(server, files, tmp_path, make_video, problems):
    server.pages["/street.jpg"] = ("application/octet-stream", files["JPEG"])
    server.pages["/picture"] = ("image/png", files["PNG"])
    server.pages["/drive"] = ("video/mp4", make_video(tmp_path / "x.mp4", count=5, faststart=True).read_bytes())
    server.pages["/page.jpg"] = ("text/html", b"<html>not found</html>")
    paths = ["/street.jpg", "/picture", "/drive", "/page.jpg", "/missing.jpg", "/missing"]
    frames = list(open_source([server.url(path) for path in paths], problems.append))
    assert [frame.is_video for frame in frames] == [False, False] + [True] * 5
    assert [problem.source for problem in problems] == [server.url(path) for path in paths[3:]]
    assert all(problem.fatal for problem in problems)
    assert "not an image but text" in problems[0].message
    assert "404" in problems[1].message


def test_closing_lets_go_of_the_file(tmp_path, make_video):
    path = make_video(tmp_path / "x.mp4")

    def is_open() -> bool:
        return str(path) in [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is_link(fd)]

    with open_source(path) as source:
        frames = iter(source)
        assert isinstance(next(frames), Frame)
        assert is_open()
    assert not is_open()
    assert list(frames) == []


def _is_link(fd: str) -> bool:
    return os.path.islink(f"/proc/self/fd/{fd}")


@pytest.mark.skipif(not VIDEOS.is_dir(), reason="needs the real videos in ../shared/data/videos")
def test_real_videos(problems):
    source = open_source(VIDEOS, problems.append)
    frames = 0
    for frame in source:
        frames += 1
        assert frame.image.ndim == 3
        if frame.index == 30:
            assert 5 < frame.image.mean() < 250
    assert frames == source.total
    assert problems == []

"""Videos: times, turns, damage, and files that are not what they say."""

import tracemalloc

import av
import numpy as np
import pytest

from yolopv2.media.frame import Unreadable
from yolopv2.media.video import open_video, probe_video


def read(path):
    """Frames' images and times, and the damage."""
    with open_video(path) as video:
        frames = list(video.frames())
    return [image for image, _ in frames], [time for _, time in frames], video.damage


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("x.mp4", "libx264", "yuv420p"),
        ("x.mkv", "libx264", "yuv420p10le"),
        ("x.avi", "mpeg4", "yuv420p"),
        ("x.ts", "libx264", "yuv420p"),
        ("x.mov", "mjpeg", "yuvj420p"),
        ("x.webm", "libvpx-vp9", "yuv420p"),
        ("x.mp4", "libx264", "yuv444p"),
        ("x.mp4", "libx264", "gray"),
    ],
)
def test_containers_and_codecs(tmp_path, make_video, frame_number, name, codec, pix_fmt):
    path = make_video(tmp_path / name, codec=codec, pix_fmt=pix_fmt)
    images, times, damage = read(path)
    assert [frame_number(image) for image in images] == list(range(50))
    assert times == pytest.approx([number / 25 for number in range(50)], abs=2e-3)
    assert damage is None
    assert images[0].shape == (96, 128, 3)
    assert images[0].dtype == np.uint8
    assert images[0].flags.c_contiguous
    if pix_fmt != "gray":
        assert np.abs(images[0][5, 5].astype(int) - (255, 0, 0)).max() < 12
    info = probe_video(path)
    assert (info.fps, info.total, info.size) == (25, 50, (128, 96))


def test_hdr_is_read_at_8_bits(tmp_path):
    with av.open(str(tmp_path / "x.mkv"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = 9, 16, 9  # BT.2020, PQ
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 200, np.uint8))))
        container.mux(stream.encode())
    images, _, _ = read(tmp_path / "x.mkv")
    assert abs(int(images[0].mean()) - 200) < 5


def test_times_of_a_variable_frame_rate(tmp_path, make_video, frame_number):
    times = [0, 40, 80, 480, 490, 1200, 1240, 3000, 3033, 3066]
    images, read_times, damage = read(make_video(tmp_path / "x.mp4", count=10, times=times))
    assert [frame_number(image) for image in images] == list(range(10))
    assert read_times == pytest.approx([time / 1000 for time in times], abs=1e-3)
    assert damage is None


def test_times_begin_with_the_video(tmp_path, make_video):
    """A transport stream's clock begins anywhere."""
    assert read(make_video(tmp_path / "x.ts", count=5))[1][0] == 0


def test_a_clock_that_starts_again(tmp_path, make_video):
    """Dash cameras glue transport streams together; the times go on."""
    content = make_video(tmp_path / "x.ts").read_bytes()
    (tmp_path / "x.ts").write_bytes(content + content)
    images, times, _ = read(tmp_path / "x.ts")
    assert len(images) >= 95
    assert (np.diff(times) > 0).all()
    assert times[-1] == pytest.approx(4, abs=0.3)


@pytest.mark.parametrize("degrees", [0, 90, 180, -90])
@pytest.mark.parametrize("mirrored", [False, True])
def test_the_display_matrix_is_applied(tmp_path, make_video, degrees, mirrored):
    plain = read(make_video(tmp_path / "plain.mp4", count=1))[0][0]
    path = make_video(tmp_path / "x.mp4", count=1, rotation=(degrees, mirrored))
    expected = np.rot90(plain, degrees // 90)  # counter-clockwise, then mirrored
    expected = expected[:, ::-1] if mirrored else expected
    image = read(path)[0][0]
    assert np.array_equal(image, expected)
    assert image.flags.c_contiguous
    assert probe_video(path).size == expected.shape[1::-1]


@pytest.mark.parametrize(("name", "codec"), [("x.mp4", "libx264"), ("x.mkv", "libx264"), ("x.avi", "mpeg4")])
@pytest.mark.parametrize("part", [0.5, 0.8])
def test_a_truncated_file_gives_the_frames_it_has(tmp_path, make_video, frame_number, name, codec, part):
    path = make_video(tmp_path / name, codec=codec, faststart=name == "x.mp4")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    images, _, damage = read(path)
    assert 1 <= len(images) < 50
    whole = max(len(images) - 3, 0)  # the last ones may be damaged
    assert [frame_number(image) for image in images[:whole]] == list(range(whole))
    assert damage is not None
    assert f"({len(images)} frames read)" in damage


@pytest.mark.parametrize(("name", "codec"), [("x.mp4", "libx264"), ("x.ts", "libx264"), ("x.avi", "mpeg4")])
def test_damage_in_the_middle_is_skipped_and_told(tmp_path, make_video, frame_number, name, codec):
    path = make_video(tmp_path / name, codec=codec, faststart=name == "x.mp4")
    content = bytearray(path.read_bytes())
    middle = int(len(content) * 0.6)
    content[middle : middle + 2000] = np.random.default_rng(0).bytes(2000)
    path.write_bytes(content)
    images, times, damage = read(path)
    assert 25 <= len(images) <= 50
    assert frame_number(images[-1]) == 49
    assert (np.diff(times) > 0).all()
    if name != "x.avi":  # its packets carry no times
        assert times[-1] == pytest.approx(49 / 25, abs=1e-3)
    assert damage is not None
    assert "damaged" in damage


def test_damage_anywhere_raises_nothing_else(tmp_path, make_video, capfd):
    content = make_video(tmp_path / "x.mp4", count=10).read_bytes()
    random = np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(content)
        for position in random.integers(0, len(damaged), 30):
            damaged[position] = random.integers(256)
        (tmp_path / "damaged.mp4").write_bytes(damaged)
        try:
            read(tmp_path / "damaged.mp4")
        except Unreadable:
            continue
    assert capfd.readouterr().err == ""


def sound_only(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        for _ in range(5):
            frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
            frame.rate = 44100
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def test_what_is_no_video_is_named(tmp_path, make_video):
    sound_only(tmp_path / "sound.mp4")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a video " * 100)
    content = make_video(tmp_path / "x.mp4").read_bytes()
    (tmp_path / "no index.mp4").write_bytes(content[: len(content) // 2])
    (tmp_path / "folder.mp4").mkdir()
    for name, reason in {
        "sound.mp4": "holds no video, only sound",
        "empty.mp4": "is empty",
        "text.mp4": "not a video",
        "no index.mp4": "truncated",
        "folder.mp4": "folder",
        "missing.mp4": "No such file",
    }.items():
        with pytest.raises(Unreadable, match=reason):
            read(tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{}\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXTINF:4,\nfile://{}\n",
        "ffconcat version 1.0\nfile {}\n",
        '<?xml version="1.0"?><MPD><Period><AdaptationSet><Representation><BaseURL>{}</BaseURL></Representation>'
        "</AdaptationSet></Period></MPD>",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na={}\n",
    ],
)
def test_a_playlist_named_like_a_video_opens_nothing_else(tmp_path, make_video, content, server):
    secret = make_video(tmp_path / "secret.ts", count=5)
    server.pages["/secret.ts"] = ("video/mp2t", secret.read_bytes())
    for target in (str(secret), "secret.ts", server.url("/secret.ts")):
        for name in ("list.mp4", "list.m3u8", "list"):
            (tmp_path / name).write_text(content.format(target))
            with pytest.raises(Unreadable):
                read(tmp_path / name)
    assert server.requests == []


def test_names_that_look_like_protocols(tmp_path, make_video, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("concat:a.mp4", "x%03d.mp4", "http:x.mp4", "a|b.mp4"):
        make_video(tmp_path / "plain.mp4", count=2).rename(tmp_path / name)
        assert len(read(name)[0]) == 2


def test_memory_stays_flat(tmp_path, make_video):
    path = make_video(tmp_path / "x.mp4", count=60, size=(320, 240))
    with open_video(path) as video:
        tracemalloc.start()
        for _ in video.frames():
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 10 * 320 * 240 * 3

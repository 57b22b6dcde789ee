"""Files are there whole or not at all."""

import hashlib
import io
import os
import stat

import cv2
import numpy as np
import pytest
from PIL import Image

from yolopv2 import files
from yolopv2.errors import YolopError
from yolopv2.files import sha256, write_bytes_atomic, write_image, write_text_atomic


@pytest.fixture
def picture() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (96, 128, 3)).astype(np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)


def test_text_and_bytes_with_missing_folders(tmp_path):
    write_text_atomic(tmp_path / "a" / "b" / "scène.txt", "voilà\n")
    assert (tmp_path / "a" / "b" / "scène.txt").read_bytes() == "voilà\n".encode()
    write_bytes_atomic(tmp_path / "a" / "x", b"1")
    write_bytes_atomic(tmp_path / "a" / "x", b"2")
    assert (tmp_path / "a" / "x").read_bytes() == b"2"
    assert sorted(os.listdir(tmp_path / "a")) == ["b", "x"]


def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write_bytes_atomic(tmp_path / "x", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640


def test_an_interrupted_write_keeps_the_old_file(tmp_path, monkeypatch):
    write_bytes_atomic(tmp_path / "x", b"old")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_bytes_atomic(tmp_path / "x", b"new")
    assert os.listdir(tmp_path) == ["x"]
    assert (tmp_path / "x").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["file/x", "folder", "n" * 300])
def test_what_cannot_be_written_is_named(tmp_path, name):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(YolopError, match="cannot write .*" + name[-10:]):
        write_bytes_atomic(tmp_path / name, b"x")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_a_full_disk(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.Path, "write_bytes", full)
    with pytest.raises(YolopError, match="No space left on device; free some space"):
        write_bytes_atomic(tmp_path / "x", b"x")


def test_pictures(picture, tmp_path):
    write_image(tmp_path / "x.png", picture)
    write_image(tmp_path / "grey.PNG", picture[..., 0])
    write_image(tmp_path / "x.jpg", picture)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "x.png")), picture)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "grey.PNG")), picture[..., 0])
    jpeg = Image.open(io.BytesIO((tmp_path / "x.jpg").read_bytes()))
    assert jpeg.format == "JPEG"
    assert np.abs(np.asarray(jpeg).astype(int) - picture).mean() < 6


def test_pictures_that_cannot_be_written(picture, tmp_path):
    with pytest.raises(YolopError, match=r"written as \.jpg or \.png"):
        write_image(tmp_path / "x.exe", picture)
    with pytest.raises(YolopError, match="does not fit"):
        write_image(tmp_path / "x.jpg", np.zeros((1, 70000, 3), np.uint8))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (5 << 19) + 3])
def test_the_checksum_of_a_file_read_in_blocks(tmp_path, size):
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    (tmp_path / "file").write_bytes(content)
    assert sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()

"""What a source stands for, and in which order."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from yolopv2.errors import YolopError
from yolopv2.media.listing import list_items


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def names(source: object, root: Path) -> list[str]:
    return [os.path.relpath(item.name, root) for item in list_items(source)]


def test_a_folder_in_natural_order_with_all_below_it(tmp_path):
    touch(tmp_path, "10.jpg", "9.JPG", "a2/x.png", "a10/x.mp4", "b.avi", ".hidden.jpg", ".cache/x.jpg", "notes.txt")
    expected = ["9.JPG", "10.jpg", "a2/x.png", "a10/x.mp4", "b.avi"]
    assert names(tmp_path, tmp_path) == expected
    assert names(str(tmp_path) + "/", tmp_path) == expected
    assert names([tmp_path], tmp_path) == expected
    assert [item.kind for item in list_items(tmp_path)] == ["image", "image", "image", "video", "video"]


def test_patterns(tmp_path):
    touch(tmp_path, "2.jpg", "10.jpg", "x/1.jpg", "x/y/3.mp4", "x/notes.txt", "[1].jpg", ".4.jpg")
    (tmp_path / "folder.jpg").mkdir()
    assert names(f"{tmp_path}/[0-9]*.jpg", tmp_path) == ["2.jpg", "10.jpg"]
    assert names(f"{tmp_path}/**/[0-9]*", tmp_path) == ["2.jpg", "10.jpg", "x/1.jpg", "x/y/3.mp4"]
    assert names(f"{tmp_path}/[1].jpg", tmp_path) == ["[1].jpg"]  # a file of this very name comes first
    kinds = {item.name: item.kind for item in list_items(f"{tmp_path}/*.jpg")}
    assert kinds[str(tmp_path / "folder.jpg")] == "problem"


def test_a_folder_named_like_a_picture_is_a_problem_and_its_files_are_read(tmp_path):
    touch(tmp_path, "x.png/1.jpg", "y.jpg")
    items = list_items(tmp_path)
    assert [(Path(item.name).name, item.kind) for item in items] == [
        ("x.png", "problem"),
        ("1.jpg", "image"),
        ("y.jpg", "image"),
    ]


def test_files_without_a_telling_suffix(tmp_path, files):
    (tmp_path / "upload").write_bytes(files["PNG"])
    (tmp_path / "other").write_bytes(b"\0\0\0\x18ftypisom")
    os.mkfifo(tmp_path / "pipe")
    assert list_items(tmp_path / "upload")[0].kind == "image"
    assert list_items(tmp_path / "other")[0].kind == "video"
    assert list_items(tmp_path / "pipe")[0].kind == "video"  # and not waited for


@pytest.mark.parametrize(
    ("source", "kind", "name"),
    [
        ("http://host/a.JPG?x=1#y", "image_url", "http://host/a.JPG?x=1#y"),
        ("HTTPS://host/a.png", "image_url", "HTTPS://host/a.png"),
        ("https://host/drive.mp4", "stream", "https://host/drive.mp4"),
        ("http://host", "stream", "http://host"),
        ("http://[broken/x.jpg", "image_url", "http://[broken/x.jpg"),
        ("rtsp://me:secret@host:554/1", "stream", "rtsp://host:554/1"),
        ("rtmp://host/live", "stream", "rtmp://host/live"),
        (0, "camera", "camera-0"),
        (np.int64(2), "camera", "camera-2"),
        ("1", "camera", "camera-1"),
        (np.zeros((9, 9)), "array", "array-0"),
        (Image.new("L", (9, 9)), "pil", "image-0"),
    ],
)
def test_other_sources(source, kind, name):
    (item,) = list_items(source)
    assert (item.kind, item.name) == (kind, name)


def test_a_file_named_like_a_camera(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, "7")
    assert list_items("7")[0].kind == "video"


def test_lists_keep_their_order_and_name_what_is_missing(tmp_path):
    touch(tmp_path, "b.jpg", "a.jpg", "d/1.jpg")
    source = (tmp_path / "b.jpg", [tmp_path / "missing.jpg", str(tmp_path / "d")], np.zeros((9, 9)), tmp_path / "a.jpg")
    items = list_items(source)
    assert [item.kind for item in items] == ["image", "problem", "image", "array", "image"]
    assert items[1].name.endswith("missing.jpg")
    assert items[3].name == "array-3"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("nothing/here.jpg", "nothing/here.jpg: it does not exist: check the path"),
        ("", "it does not exist"),
        ("nothing/*.jpg", r"nothing/\*\.jpg: nothing matches this pattern"),
        (["a.jpg", "b.jpg"], "(?s)a.jpg: .*b.jpg: "),
        ([], "no input was given"),
        ("ftp://host/x.jpg", "ftp:// is not supported"),
        ("file:///etc/passwd", "file:// is not supported"),
        (None, "type NoneType"),
        (b"\xff\xd8", "type bytes"),
        (True, "type bool"),
        ({"a": 1}, "type dict"),
    ],
)
def test_nothing_to_read_is_an_error_that_says_what_to_do(source, reason):
    with pytest.raises(YolopError, match=reason):
        list_items(source)


def test_folders_and_patterns_without_media(tmp_path):
    with pytest.raises(YolopError, match="holds no image or video"):
        list_items(tmp_path)
    touch(tmp_path, "notes.txt")
    with pytest.raises(YolopError, match="holds no image or video"):
        list_items(tmp_path)
    with pytest.raises(YolopError, match="1 files match, but none is an image or video"):
        list_items(f"{tmp_path}/*")
    (tmp_path / "x.png").mkdir()
    with pytest.raises(YolopError, match="folder named like a file"):
        list_items(tmp_path)


def test_names_that_are_no_valid_text(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff.jpg"
    with open(path, "wb"):
        pass
    (item,) = list_items(tmp_path)
    assert item.name.encode()  # can be printed and stored
    assert os.path.exists(item.value)

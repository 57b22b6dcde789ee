import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from yolopv2.errors import YolopError
from yolopv2.geometry.masks import rle_decode
from yolopv2.scene import Scene, Vehicles
from yolopv2.scene.save import scene_name

ALL = ("image", "json", "coco", "yolo", "masks", "panoptic")


def test_every_format_is_written_and_nothing_else(street, tmp_path):
    written = street(with_masks=True, source="in/street.jpg").save(tmp_path / "new" / "out", ALL)
    names = {path.name for path in written}
    assert names == {
        *("street.jpg", "street.json", "street_coco.json", "street.txt", "street_drivable.png", "street_lanes.png"),
        *("street_panoptic.png", "street_panoptic.json"),
    }
    assert {path.name for path in (tmp_path / "new" / "out").iterdir()} == names


def test_the_image_is_the_drawing_in_the_right_colours(street, tmp_path):
    scene = street(720, 1280, image=np.full((720, 1280, 3), (200, 30, 30), np.uint8), source="a.png")
    (path,) = scene.save(tmp_path, ("image",))
    read = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    assert np.abs(read.astype(int) - scene.draw()).mean() < 3


def test_json_gives_the_scene_back(street, tmp_path):
    scene = street(source="a.png")
    (path,) = scene.save(tmp_path, ("json",))
    assert Scene.from_dict(json.loads(path.read_text(encoding="utf-8"))).to_dict() == scene.to_dict()


def test_coco_results(street, tmp_path):
    scene = street(with_masks=True, source="val/000123.jpg")
    (path,) = scene.save(tmp_path, ("coco",))
    results = json.loads(path.read_text())
    assert [result["category_id"] for result in results] == [0, 0, 2]
    assert [result["score"] for result in results] == [0.5, 0.9, 0.7]
    assert results[0]["bbox"] == [32, 54, 96, 72]
    assert {(result["image_id"], result["file_name"]) for result in results} == {(123, "000123.jpg")}
    np.testing.assert_array_equal(rle_decode(results[1]["segmentation"]), scene.vehicles.masks[1])


def test_yolo_lines(tmp_path):
    vehicles = Vehicles([[10, 20, 30, 60], [-5, 0, 5, 100]], [0.75, 0.5], [3, 0])
    scene = Scene(vehicles, None, None, {}, 100, 200, source="a.png")
    (path,) = scene.save(tmp_path, ("yolo",))
    assert path.read_text().splitlines() == [
        "3 0.100000 0.400000 0.100000 0.400000 0.750000",
        "0 0.012500 0.500000 0.025000 1.000000 0.500000",
    ]
    (path,) = Scene(Vehicles.empty(), None, None, {}, 100, 200, source="b.png").save(tmp_path, ("yolo",))
    assert path.read_text() == ""


def test_mask_pictures(street, tmp_path):
    scene = street(source="a.png")
    drivable, lanes = scene.save(tmp_path, ("masks",))
    np.testing.assert_array_equal(cv2.imread(str(drivable), cv2.IMREAD_UNCHANGED), scene.drivable * np.uint8(255))
    np.testing.assert_array_equal(cv2.imread(str(lanes), cv2.IMREAD_UNCHANGED), scene.lanes * np.uint8(255))
    assert Scene(Vehicles.empty(), None, None, {}, 9, 9).save(tmp_path, ("masks",)) == []


def test_panoptic_picture_holds_the_ids(tmp_path):
    boxes = [[i % 40, i // 40, i % 40 + 1, i // 40 + 1] for i in range(400)]
    scene = Scene(Vehicles(boxes, np.full(400, 0.5), np.zeros(400)), None, None, {0: "car"}, 20, 40, source="7.jpg")
    picture, annotation = scene.save(tmp_path, ("panoptic",))
    blue, green, red = np.moveaxis(cv2.imread(str(picture)).astype(int), -1, 0)
    ids, segments = scene.panoptic()
    np.testing.assert_array_equal(red + 256 * green + 65536 * blue, ids)
    read = json.loads(annotation.read_text())
    assert read["segments_info"] == segments
    assert (read["image_id"], read["file_name"]) == (7, "7_panoptic.png")
    assert [category["name"] for category in read["categories"]] == ["car", "drivable area", "lane marking"]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("in/street.jpg", "street"),
        ("C:\\in\\street.jpg", "street"),
        ("https://host/a/b%20c.jpg?size=1#x", "b_c"),
        ("rtsp://user:secret@camera:554/live", "live"),
        ("http://host", "scene"),
        ("0", "0"),
        ("..", "scene"),
        ("a:b*c?.png", "a_b_c"),
        ("x" * 5000 + ".jpg", "x" * 180),
        ("ü" * 5000 + ".jpg", "ü" * 90),
        (".hidden", "hidden"),
        ("", "scene"),
        (None, "scene"),
    ],
)
def test_names_come_from_the_source(street, tmp_path, source, name):
    assert scene_name(street(source=source), tmp_path) == name


def test_frames_of_videos_are_numbered(street, tmp_path):
    assert scene_name(street(source="drive.mp4", index=0, time=0.0), tmp_path) == "drive_000000"
    assert scene_name(street(source="drive.mp4", index=42, time=1.4), tmp_path) == "drive_000042"
    assert scene_name(street(source="rtsp://x/drive", index=7), tmp_path) == "drive-2_000007"


def test_sources_with_the_same_stem_do_not_overwrite_each_other(street, tmp_path):
    sources = ["a/1.jpg", "b/1.jpg", "b/1.png", "c/1-2.jpg", "d/1.JPG", "drive.mp4", "drive_000003.jpg"]
    scenes = [street(source=source, time=0.1 if "mp4" in source else None) for source in sources]
    scenes.append(street(source="drive.mp4", index=3, time=0.2))
    names = [scene_name(scene, tmp_path) for scene in scenes]
    assert len({name.casefold() for name in names}) == len(scenes)
    assert [scene_name(scene, tmp_path) for scene in scenes] == names
    assert scene_name(scenes[1], tmp_path / "elsewhere") == "1"


def test_scenes_without_a_source_do_not_overwrite_each_other(street, tmp_path):
    first, second = street(), street()
    assert [path.name for scene in (first, second, first) for path in scene.save(tmp_path, ("json",))] == [
        *("scene.json", "scene-2.json", "scene.json")
    ]


def test_a_given_name_is_used_as_it_is(street, tmp_path):
    (path,) = street(source="a.jpg", index=3).save(tmp_path, ("json",), name="mine.v1")
    assert path.name == "mine.v1.json"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "/etc/x", "a\0b"])
def test_a_name_that_leads_elsewhere_is_refused(street, tmp_path, name):
    with pytest.raises(YolopError, match="no name"):
        street().save(tmp_path, name=name)


def test_an_unknown_format_is_refused_before_anything_is_written(street, tmp_path):
    with pytest.raises(YolopError, match=r"'xml'.*image, json"):
        street().save(tmp_path / "out", ("json", "xml"))
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_a_file_is_named(street, tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(YolopError, match="cannot write"):
        street().save(tmp_path / "out")


def test_a_failed_write_leaves_the_old_file_and_no_part(street, tmp_path, monkeypatch):
    scene = street(source="a.png")
    (path,) = scene.save(tmp_path, ("json",))
    before = path.read_bytes()

    def fail(self: Path, content: bytes) -> int:
        with open(self, "wb") as file:
            file.write(content[:10])
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "write_bytes", fail)
    scene.vehicles = Vehicles.empty()
    with pytest.raises(YolopError, match="No space left"):
        scene.save(tmp_path, ("json",))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]

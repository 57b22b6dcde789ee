import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from yolopv2.data.formats.bdd100k import BDD100K
from yolopv2.errors import YolopError

REAL = Path(__file__).parents[3] / "shared/data/bdd100k"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two frames: one with every label, one with boxes alone."""
    for folder in ("images/val", "labels", "drivable_maps/labels/val", "ll_seg_annotations/val"):
        (tmp_path / folder).mkdir(parents=True)
    box = {"x1": 10.0, "y1": 20.0, "x2": 30.0, "y2": 40.0}
    labels = [
        {"category": "car", "box2d": box},
        {"category": "person", "box2d": box},
        {"category": "bus", "box2d": box},
        {"category": "lane", "poly2d": []},
    ]
    frames = [{"name": "a.jpg", "labels": labels}, {"name": "b.jpg", "labels": None}]
    (tmp_path / "labels/bdd100k_labels_images_val.json").write_text(json.dumps(frames))
    blue = np.zeros((72, 128, 3), np.uint8)
    blue[..., 0] = 255  # OpenCV writes BGR
    for name in "ab":
        cv2.imwrite(str(tmp_path / f"images/val/{name}.jpg"), blue)
    road = np.repeat(np.array([0, 1, 2], np.uint8), 24)[:, None].repeat(128, 1)
    cv2.imwrite(str(tmp_path / "drivable_maps/labels/val/a_drivable_id.png"), road)
    lanes = np.repeat(np.array([0, 127, 255], np.uint8), 24)[:, None].repeat(128, 1)
    cv2.imwrite(str(tmp_path / "ll_seg_annotations/val/a.png"), lanes)
    return tmp_path


def test_labels_become_the_papers(root: Path) -> None:
    sample = BDD100K(root, "val")[0]
    assert sample.boxes is not None
    assert sample.boxes.tolist() == [[10, 20, 30, 40]] * 2  # car and bus; a person is no vehicle
    assert sample.class_ids is not None
    assert sample.class_ids.tolist() == [0, 0]
    assert sample.drivable is not None
    assert sample.drivable[[0, 30, 60], 0].tolist() == [0, 1, 1]  # direct and alternative are both drivable
    assert sample.lanes is not None
    assert sample.lanes[[0, 30, 60], 0].tolist() == [0, 255, 1]
    assert sample.image[0, 0].tolist()[2] > 200  # RGB


def test_a_missing_mask_is_missing_and_not_empty(root: Path) -> None:
    sample = BDD100K(root, "val")[1]
    assert sample.drivable is None
    assert sample.lanes is None
    assert sample.boxes is not None
    assert sample.boxes.shape == (0, 4)


@pytest.mark.parametrize("content", ["", "{", '[{"nam": "a"}]', "3"])
def test_a_bad_label_file_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "labels/bdd100k_labels_images_val.json"
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(YolopError, match="bdd100k_labels_images_val"):
        BDD100K(tmp_path, "val")


def test_missing_files_are_named(root: Path) -> None:
    with pytest.raises(YolopError, match="images_train"):
        BDD100K(root, "train")
    (root / "images/val/a.jpg").write_bytes(b"no image")
    with pytest.raises(YolopError, match=r"a\.jpg"):
        BDD100K(root, "val")[0]


@pytest.mark.parametrize(
    "box",
    [
        None,
        3,
        {"x1": 1},
        {"x1": "a", "y1": 0, "x2": 1, "y2": 1},
        {"x1": float("nan")} | dict.fromkeys(("y1", "x2", "y2"), 0),
    ],
)
def test_boxes_that_are_none_are_named_by_their_frame(root: Path, box: object) -> None:
    path = root / "labels/bdd100k_labels_images_val.json"
    path.write_text(json.dumps([{"name": "a.jpg", "labels": [{"category": "car", "box2d": box}]}]))
    with pytest.raises(YolopError, match="val/a"):
        BDD100K(root, "val")[0]


def test_attributes_of_the_frame_are_kept_where_the_annotators_knew_them(root: Path) -> None:
    path = root / "labels/bdd100k_labels_images_val.json"
    frames = [{"name": "a.jpg", "attributes": {"weather": "rainy", "scene": "undefined", "timeofday": "night"}}]
    path.write_text(json.dumps([*frames, {"name": "b.jpg", "labels": [], "attributes": None}]))
    assert BDD100K(root, "val")[0].attributes == {"weather": "rainy", "timeofday": "night"}
    assert BDD100K(root, "val")[1].attributes == {}


@pytest.mark.skipif(not REAL.exists(), reason="real BDD100K frames are not on this machine")
def test_reads_real_frames() -> None:
    frames = BDD100K(REAL, "val")
    sample = frames[0]
    assert sample.image.shape == (720, 1280, 3)
    assert sample.drivable is not None
    assert sample.drivable.shape == (720, 1280)
    assert not {name[:8] for name in frames.ids} & {name[:8] for name in BDD100K(REAL, "train").ids}

import contextlib
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


def outline(category: str, *vertices: tuple[float, float], types: str = "", closed: bool = False, **attributes: str):
    poly2d = [{"vertices": vertices, "types": types or "L" * len(vertices), "closed": closed}]
    return {"category": category, "attributes": attributes, "poly2d": poly2d}


def rectangle(category: str, x1: float, y1: float, x2: float, y2: float, **attributes: str):
    return outline(category, (x1, y1), (x2, y1), (x2, y2), (x1, y2), closed=True, **attributes)


IN_2018 = [
    rectangle("drivable area", 0, 36, 64, 72, areaType="direct"),
    rectangle("drivable area", 64, 36, 128, 72, areaType="alternative"),
    outline("lane", (20, 72), (20, 0), laneTypes="single white", laneDirection="parallel", laneStyle="solid"),
    outline("lane", (24, 0), (24, 72), laneTypes="single white", laneDirection="parallel", laneStyle="solid"),
]
AS_OF_2020 = [
    rectangle("direct", 0, 36, 64, 72),
    rectangle("alternative", 64, 36, 128, 72),
    outline("single white", (20, 72), (20, 0), direction="parallel", style="solid"),
    outline("single white", (24, 0), (24, 72), direction="parallel", style="solid"),
]


def drawn(root: Path, labels: list[dict], newer: bool = False) -> None:
    """Outlines for frame b, which has no masks, in the file of 2018 or beside it."""
    path = root / "labels/bdd100k_labels_images_val.json"
    frames = json.loads(path.read_text())
    if newer:
        for task, kept in (("drivable", labels[:2]), ("lane", labels[2:])):
            file = root / f"labels/{task}/polygons/{task}_val.json"
            file.parent.mkdir(parents=True)
            file.write_text(json.dumps([{"name": "a.jpg"}, {"name": "b.jpg", "labels": kept}]))
    else:
        frames[1]["labels"] = labels
        path.write_text(json.dumps(frames))


@pytest.mark.parametrize(("labels", "newer"), [(IN_2018, False), (AS_OF_2020, True)])
def test_outlines_stand_in_for_masks(root: Path, labels: list[dict], newer: bool) -> None:
    before = BDD100K(root, "val")[0]
    drawn(root, labels, newer)
    masked, sample = BDD100K(root, "val", lane_width=40)
    np.testing.assert_array_equal(masked.drivable, before.drivable)
    np.testing.assert_array_equal(masked.lanes, before.lanes)
    assert sample.drivable is not None
    assert sample.drivable[:36].max() == 0
    assert sample.drivable[36:].min() == 1
    assert sample.lanes is not None
    assert np.flatnonzero(sample.lanes[30]).tolist() == [20, 21, 22, 23]  # 40 of 720 rows, 4 of 72, about the middle


def test_the_width_of_a_lane_goes_by_the_split(root: Path) -> None:
    drawn(root, IN_2018)
    for folder in ("images", "drivable_maps/labels", "ll_seg_annotations"):
        (root / folder / "val").rename(root / folder / "train")
    (root / "labels/bdd100k_labels_images_val.json").rename(root / "labels/bdd100k_labels_images_train.json")
    for name in "ab":
        large = cv2.resize(cv2.imread(str(root / f"images/train/{name}.jpg")), (1280, 720))
        cv2.imwrite(str(root / f"images/train/{name}.jpg"), large)
    sample = BDD100K(root, "train")[1]
    assert sample.lanes is not None
    assert sample.lanes[36].sum() == 8


def test_a_frame_without_outlines_is_empty_where_others_have_some(root: Path) -> None:
    drawn(root, IN_2018)
    for path in (root / "ll_seg_annotations/val/a.png", root / "drivable_maps/labels/val/a_drivable_id.png"):
        path.unlink()
    sample = BDD100K(root, "val")[0]
    assert sample.drivable is not None
    assert sample.lanes is not None
    assert not sample.drivable.any()
    assert not sample.lanes.any()


def test_drivable_kinds_are_chosen(root: Path) -> None:
    drawn(root, IN_2018)
    for kinds, masked, filled in (
        (["direct"], [0, 1, 0], [1, 0]),
        (["alternative"], [0, 0, 1], [0, 1]),
        (["direct", "alternative"], [0, 1, 1], [1, 1]),
    ):
        from_mask, from_outlines = BDD100K(root, "val", drivable=kinds)
        assert from_mask.drivable is not None
        assert from_outlines.drivable is not None
        assert from_mask.drivable[[0, 30, 60], 0].tolist() == masked
        assert from_outlines.drivable[50, [20, 100]].tolist() == filled


@pytest.mark.parametrize(
    "label",
    [
        outline("lane", (0, 0), (9, 9), types="LC"),
        {"category": "lane", "id": 7, "poly2d": [{"vertices": [[0, 0]]}]},
        {"category": "lane", "poly2d": [{"vertices": [["x", 0]], "types": "L"}]},
        {"category": "lane", "poly2d": [3]},
        {"category": "lane", "poly2d": 3},
        {"category": "lane", "attributes": "solid", "poly2d": [{"vertices": [[0, 0]], "types": "L"}]},
        outline("drivable area", (0, 0), (9, 9), (0, float("inf")), areaType="direct"),
    ],
)
def test_a_damaged_outline_is_named_by_its_frame(root: Path, label: dict) -> None:
    drawn(root, [label])
    with pytest.raises(YolopError, match="val/b"):
        BDD100K(root, "val")[1]


def test_a_map_with_other_values_is_refused(root: Path) -> None:
    cv2.imwrite(str(root / "drivable_maps/labels/val/a_drivable_id.png"), np.full((72, 128), 255, np.uint8))
    with pytest.raises(YolopError, match=r"a_drivable_id\.png: value 255"):
        BDD100K(root, "val")[0]


@pytest.mark.parametrize("labels", [[3], [{"category": []}], [{"category": "direct", "attributes": 3}], 3])
@pytest.mark.parametrize("task", ["drivable", "lane"])
def test_outlines_that_are_none_are_named(root: Path, task: str, labels: object) -> None:
    path = root / f"labels/{task}/polygons/{task}_val.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps([{"name": "b.jpg", "labels": labels}]))
    with contextlib.suppress(YolopError):  # what no outline needs is not looked at
        assert BDD100K(root, "val")[1].source == "val/b"
    if not isinstance(labels, list) or labels == [3]:
        with pytest.raises(YolopError, match=f"val/b|{task}_val"):
            BDD100K(root, "val")[1]


def test_outlines_of_vehicles_are_instance_masks_where_every_vehicle_has_one(root: Path) -> None:
    box = {"box2d": {"x1": 10, "y1": 20, "x2": 30, "y2": 40}}
    car, bus = (rectangle(kind, *corners) | box for kind, corners in (("car", (10, 20, 30, 40)), ("bus", (0, 0, 8, 4))))
    drawn(root, [car, {"category": "person", **box}, bus])
    masks = BDD100K(root, "val")[1].masks
    assert masks is not None
    assert masks.sum((1, 2)).tolist() == [400, 32]
    assert masks[0, 20:40, 10:30].all()
    drawn(root, [car, {"category": "bus", **box}])
    assert BDD100K(root, "val")[1].masks is None

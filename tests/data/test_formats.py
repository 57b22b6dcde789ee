"""Each format's reader on a data set of a few generated frames of 20x10 pixels."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from yolopv2.data.classes import Classes
from yolopv2.data.formats import BDD100K, CamVid, Coco, Yolo, Yolop
from yolopv2.errors import YolopError
from yolopv2.geometry.masks import rle_encode

TWO = Classes.of(["car", "person"])
BOX = {"x1": 2.0, "y1": 1.0, "x2": 12.0, "y2": 6.0}
CAR = {"category": "car", "box2d": BOX}


def picture(path: Path, *rows: int, width: int = 20) -> None:
    """Ten rows, the values given taking turns from the top in bands of equal height."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bands = np.repeat(np.array(rows or (90,), np.uint8), 10 // max(len(rows), 1))
    cv2.imwrite(str(path), np.repeat(bands[:, None], width, axis=1))


def text(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def bands(mask: np.ndarray | None) -> list[int]:
    assert mask is not None
    assert (mask == mask[:, :1]).all()
    return mask[::2, 0].tolist()


@pytest.mark.parametrize("wrap", [list, lambda frames: {"frames": frames}])
def test_bdd100k_as_of_2020(tmp_path: Path, wrap) -> None:
    picture(tmp_path / "images/100k/val/a.jpg")
    frames = [{"name": "a.jpg", "labels": [CAR, {"category": "lane"}]}, {"name": "b.jpg", "labels": None}]
    text(tmp_path / "labels/det_20/det_val.json", wrap(frames))
    picture(tmp_path / "labels/drivable/masks/val/a.png", 0, 1, 2, 255, 2)
    picture(tmp_path / "labels/lane/masks/val/a.png", 0b1000, 0b0000, 0b110010, 0b1000, 255)
    dataset = BDD100K(tmp_path, "val")
    assert len(dataset) == 2
    sample = dataset[0]
    assert sample.boxes is not None
    assert sample.boxes.tolist() == [[2, 1, 12, 6]]
    assert bands(sample.drivable) == [1, 1, 0, 255, 0]
    assert bands(sample.lanes) == [0, 1, 1, 0, 0]
    picture(tmp_path / "images/100k/val/b.jpg")
    empty = dataset[1]
    assert empty.boxes is not None
    assert len(empty.boxes) == 0
    assert empty.drivable is empty.lanes is None


def test_yolop(tmp_path: Path) -> None:
    for name in "ab":
        picture(tmp_path / f"images/val/{name}.jpg")
    text(tmp_path / "det_annotations/val/a.json", {"name": "a", "frames": [{"objects": [CAR, {"category": "lane"}]}]})
    picture(tmp_path / "da_seg_annotations/val/a.png", 0, 127, 255, 1, 0)
    picture(tmp_path / "ll_seg_annotations/val/a.png", 0, 127, 255, 1, 0)
    dataset = Yolop(tmp_path, "val")
    sample, bare = dataset[0], dataset[1]
    assert sample.boxes is not None
    assert sample.boxes.tolist() == [[2, 1, 12, 6]]
    assert bands(sample.drivable) == [0, 1, 1, 1, 0]
    assert bands(sample.lanes) == [0, 255, 1, 1, 0]
    assert bare.boxes is bare.class_ids is bare.drivable is bare.lanes is None


@pytest.mark.parametrize("content", ["{", "[]", '{"frames": 3}', '{"frames": [{"objects": [3]}]}'])
def test_yolop_names_a_bad_label_file(tmp_path: Path, content: str) -> None:
    picture(tmp_path / "images/val/a.jpg")
    text(tmp_path / "det_annotations/val/a.json", content)
    with pytest.raises(YolopError, match=r"a\.json"):
        Yolop(tmp_path, "val")[0]


def test_yolo(tmp_path: Path) -> None:
    for name in "abc":
        picture(tmp_path / f"images/val/{name}.png")
    text(tmp_path / "labels/val/a.txt", "1 0.5 0.5 0.2 0.4\n\n0 0.25 0.5 0.5 1\n")
    text(tmp_path / "labels/val/b.txt", "")
    picture(tmp_path / "drivable/val/a.png", 0, 127, 255, 1, 0)
    picture(tmp_path / "lanes/val/a.png", 0, 255)
    a, b, c = (Yolo(tmp_path, "val", TWO)[i] for i in range(3))
    assert a.boxes is not None
    assert a.class_ids is not None
    assert np.allclose(a.boxes, [[8, 3, 12, 7], [0, 0, 10, 10]])
    assert a.class_ids.tolist() == [1, 0]
    assert bands(a.drivable) == [0, 255, 1, 1, 0]
    assert a.lanes is not None
    assert a.lanes.sum() == 100
    assert b.boxes is not None
    assert b.boxes.shape == (0, 4)  # an empty file says that nothing is there
    assert c.boxes is None  # no file says nothing


def test_yolo_classes_may_be_merged_by_number(tmp_path: Path) -> None:
    picture(tmp_path / "images/val/a.png")
    text(tmp_path / "labels/val/a.txt", "2 .5 .5 .1 .1\n0 .5 .5 .1 .1\n7 .5 .5 .1 .1\n")
    sample = Yolo(tmp_path, "val", Classes.of({"person": [0], "vehicle": [2, 5]}))[0]
    assert sample.class_ids is not None
    assert sample.class_ids.tolist() == [1, 0]  # 7 is not named and left out


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("car 0.5 0.5 0.1 0.1", "expected 'class cx cy w h'"),
        ("0 0.5 0.5 0.1", "expected"),
        ("0 0.5 0.5 0.1 nan", "expected"),
        ("2 0.5 0.5 0.1 0.1", "class 2 is out of range, the classes are 0 to 1"),
        ("-1 0.5 0.5 0.1 0.1", "class -1 is out of range"),
    ],
)
def test_yolo_names_a_bad_line(tmp_path: Path, line: str, reason: str) -> None:
    picture(tmp_path / "images/val/a.png")
    text(tmp_path / "labels/val/a.txt", f"0 0.5 0.5 0.1 0.1\n{line}\n")
    with pytest.raises(YolopError, match=rf"a\.txt, line 2: {reason}"):
        Yolo(tmp_path, "val", TWO)[0]


def test_a_mask_of_another_size_is_named(tmp_path: Path) -> None:
    picture(tmp_path / "images/val/a.png")
    picture(tmp_path / "lanes/val/a.png", 0, width=30)
    with pytest.raises(YolopError, match=r"lanes.val.a\.png is 30x10, but its image is 20x10"):
        Yolo(tmp_path, "val", TWO)[0]


def test_labels_that_8_bits_cannot_hold_are_refused(tmp_path: Path) -> None:
    picture(tmp_path / "images/val/a.png")
    (tmp_path / "lanes/val").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "lanes/val/a.png"), np.ones((10, 20), np.uint16))
    with pytest.raises(YolopError, match=r"lanes.val.a\.png cannot be read as labels: .*16"):
        Yolo(tmp_path, "val", TWO)[0]


@pytest.mark.parametrize("name", ["images/val/a.jpg", "drivable/val/a.png"])
def test_files_cut_short_are_refused_and_not_read_half(tmp_path: Path, name: str) -> None:
    picture(tmp_path / "images/val/a.jpg")
    picture(tmp_path / "drivable/val/a.png")
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(YolopError, match=f"Cannot read .*{path.name}"):
        Yolo(tmp_path, "val", TWO)[0]


def test_pictures_of_one_name_are_refused(tmp_path: Path) -> None:
    picture(tmp_path / "images/val/a.png")
    picture(tmp_path / "images/val/a.jpg")
    with pytest.raises(YolopError, match="share one name"):
        Yolo(tmp_path, "val", TWO)


def test_camvid(tmp_path: Path) -> None:
    for name in "abc":
        picture(tmp_path / f"val/{name}.jpg")
    picture(tmp_path / "valannot/a.png", 0, 3, 11, 4, 8)
    picture(tmp_path / "valannot/c.png", 12)
    dataset = CamVid(tmp_path, "val")
    assert bands(dataset[0].drivable) == [0, 1, 255, 0, 0]
    assert dataset[0].boxes is dataset[0].lanes is dataset[1].drivable is None
    with pytest.raises(YolopError, match=r"c\.png: class 12 is out of range"):
        dataset[2]


def coco(root: Path, *annotations: dict[str, object]) -> Coco:
    picture(root / "val/a.png")
    images = [{"id": 7, "file_name": "a.png", "width": 20, "height": 10}]
    categories = [{"id": 3, "name": "car"}, {"id": 9, "name": "dog"}, {"id": 1, "name": "person"}]
    labels = [{"id": i, "image_id": 7, "category_id": 3, "bbox": [2, 1, 10, 5]} | a for i, a in enumerate(annotations)]
    text(root / "annotations/instances_val.json", {"images": images, "categories": categories, "annotations": labels})
    return Coco(root, "val", TWO)


def test_coco(tmp_path: Path) -> None:
    mask = np.zeros((10, 20), bool)
    mask[1:6, 2:12] = True
    dataset = coco(
        tmp_path,
        {"segmentation": [[2, 1, 12, 1, 12, 6, 2, 6]]},
        {"category_id": 1, "segmentation": rle_encode(mask)},
        {"category_id": 9},
        {"iscrowd": 1, "segmentation": rle_encode(mask, compressed=False)},
    )
    sample = dataset[0]
    assert sample.boxes is not None
    assert sample.class_ids is not None
    assert sample.masks is not None
    assert sample.boxes.tolist() == [[2, 1, 12, 6]] * 2
    assert sample.class_ids.tolist() == [0, 1]
    assert (sample.masks[1] == mask).all()
    assert (sample.masks[0] & mask).sum() / (sample.masks[0] | mask).sum() > 0.7
    assert sample.drivable is sample.lanes is None


def test_coco_without_masks_or_boxes(tmp_path: Path) -> None:
    assert coco(tmp_path, {"segmentation": [[0, 0, 4, 0, 4, 4]]}, {})[0].masks is None
    empty = coco(tmp_path)[0]
    assert empty.boxes is not None
    assert empty.boxes.shape == (0, 4)


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        ({"bbox": [1, 2]}, "annotation 0 has no box"),
        ({"bbox": None}, "annotation 0 has no box"),
        ({"bbox": [0, 0, 1, float("inf")]}, "annotation 0 has no box"),
        ({"category_id": 4}, "annotation 0 names"),
        ({"image_id": 1}, "annotation 0 names"),
        ({"segmentation": rle_encode(np.zeros((3, 4), bool))}, "it is 4x3, but its image is 20x10"),
        ({"segmentation": {"size": [10, 20], "counts": [5]}}, "annotation 0"),
        ({"segmentation": [[1, 2, 3]]}, "annotation 0"),
    ],
)
def test_coco_names_a_bad_annotation(tmp_path: Path, annotation: dict[str, object], reason: str) -> None:
    with pytest.raises(YolopError, match=rf"instances_val\.json: .*{reason}"):
        coco(tmp_path, annotation)[0]


@pytest.mark.parametrize(
    "content", ["", "[]", '{"images": []}', '{"images": [3], "categories": [], "annotations": []}']
)
def test_coco_names_a_bad_file(tmp_path: Path, content: str) -> None:
    text(tmp_path / "annotations/instances_val.json", content)
    with pytest.raises(YolopError, match="instances_val"):
        Coco(tmp_path, "val", TWO)


def test_missing_files_are_named(tmp_path: Path) -> None:
    for reader in (Yolop, CamVid, Coco, BDD100K):
        with pytest.raises(YolopError, match="val"):
            reader(tmp_path, "val")
    coco(tmp_path)
    (tmp_path / "val/a.png").unlink()
    with pytest.raises(YolopError, match=r"There is no .*a\.png"):
        Coco(tmp_path, "val", TWO)[0]

"""Instance masks from pictures: BDD100K's 10K set and Cityscapes, written as their documentation says."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from yolopv2.data.classes import Classes
from yolopv2.data.dataset import open_dataset
from yolopv2.data.formats import BDD10K, Cityscapes
from yolopv2.errors import YolopError

CLASSES = Classes.of({"vehicle": ["car", "truck"], "person": ["pedestrian", "person"]})
HEIGHT, WIDTH = 12, 20


def write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


def bitmask(*instances: tuple[int, int, int, tuple[slice, slice]]) -> np.ndarray:
    """RGBA of category, attributes, number and place of each instance, in OpenCV's order."""
    rgba = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    for category, attributes, number, place in instances:
        rgba[place] = (category, attributes, number >> 8, number & 255)
    return rgba[..., [2, 1, 0, 3]]


@pytest.mark.parametrize(("kind", "car", "person"), [("ins_seg", 3, 1), ("pan_seg", 35, 31)])
def test_bdd10k(tmp_path: Path, kind: str, car: int, person: int) -> None:
    for name in "ab":
        write(tmp_path / f"images/10k/val/{name}.jpg", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    places = [np.s_[1:5, 2:8], np.s_[5:9, 3:9], np.s_[0:3, 12:15], np.s_[6:8, 15:20], np.s_[9:, 0:2], np.s_[9:, 18:]]
    pixels = bitmask(
        (car, 0b1100, 256, places[0]),  # numbers that differ in one byte only
        (car, 0, 511, places[1]),
        (person, 0, 300, places[2]),
        (car, 0b0010, 4, places[3]),  # a crowd
        (car, 0b0001, 5, places[4]),  # to be ignored
        (7, 0, 6, places[5]),  # a motorcycle, or road
    )
    write(tmp_path / f"labels/{kind}/bitmasks/val/a.png", pixels)
    labelled, unlabelled = BDD10K(tmp_path, "val", CLASSES)
    expected = {(2, 1, 8, 5): (0, places[0]), (3, 5, 9, 9): (0, places[1]), (12, 0, 15, 3): (1, places[2])}
    assert {tuple(box) for box in labelled.boxes.tolist()} == set(expected)
    for box, class_id, mask in zip(labelled.boxes.tolist(), labelled.class_ids, labelled.masks, strict=True):
        whole = np.zeros((HEIGHT, WIDTH), bool)
        whole[expected[tuple(box)][1]] = True
        assert class_id == expected[tuple(box)][0]
        np.testing.assert_array_equal(mask, whole)
    assert unlabelled.boxes is unlabelled.masks is labelled.drivable is None


def test_cityscapes(tmp_path: Path) -> None:
    numbers = np.full((HEIGHT, WIDTH), 21, np.uint16)
    numbers[8:] = 7  # road
    numbers[:, :2] = 3  # out of the region of interest
    numbers[4:8, 4:9], numbers[4:8, 9:12] = 26000, 26001  # cars side by side
    numbers[2:6, 14:16] = 24005  # a person
    numbers[0:2, 10:] = 26  # a group of cars
    for city in ("aachen", "zurich"):
        write(tmp_path / f"leftImg8bit/val/{city}/{city}_0_leftImg8bit.png", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    write(tmp_path / "gtFine/val/zurich/zurich_0_gtFine_instanceIds.png", numbers)
    config = tmp_path / "data.yaml"
    config.write_text("format: cityscapes\nsplits: {val: val}\nclasses: {vehicle: [car, truck], person: [person]}\n")
    dataset = open_dataset(config, "val")
    unlabelled, labelled = dataset
    assert unlabelled.boxes is unlabelled.masks is unlabelled.drivable is None
    assert labelled.boxes.tolist() == [[14, 2, 16, 6], [4, 4, 9, 8], [9, 4, 12, 8]]
    assert labelled.class_ids.tolist() == [1, 0, 0]
    assert labelled.masks.sum((1, 2)).tolist() == [8, 20, 12]
    assert [(labelled.drivable == value).sum() for value in (1, 255)] == [4 * (WIDTH - 2), 2 * HEIGHT]
    assert labelled.lanes is None


def test_what_is_no_such_picture_is_named(tmp_path: Path) -> None:
    write(tmp_path / "images/10k/val/a.jpg", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    path = tmp_path / "labels/ins_seg/bitmasks/val/a.png"
    dataset = BDD10K(tmp_path, "val", CLASSES)
    for pixels, reason in ((bitmask()[:5], "labels must have its size"), (bitmask()[..., 0], "4 channels")):
        write(path, pixels)
        with pytest.raises(YolopError, match=reason):
            dataset[0]
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(YolopError, match=r"Cannot read .*a\.png"):
        dataset[0]
    with pytest.raises(YolopError, match="10k"):
        BDD10K(tmp_path, "test", CLASSES)
    with pytest.raises(YolopError, match="each city"):
        Cityscapes(tmp_path, "val")

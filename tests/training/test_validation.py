from pathlib import Path

import cv2
import pytest
import torch

from yolopv2 import YOLOPv2
from yolopv2.data.dataset import Dataset, open_dataset
from yolopv2.data.synthetic import write_dataset
from yolopv2.errors import YolopError
from yolopv2.evaluation.evaluate import evaluate
from yolopv2.training import validation
from yolopv2.training.validation import Validation


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = write_dataset(tmp_path_factory.mktemp("scenes"), {"val": 5}, height=90, width=160)
    return open_dataset(folder, "val")


def make(scenes: Dataset, folder: Path) -> Validation:
    return Validation(scenes, ["vehicle"], torch.device("cpu"), 160, folder)


def test_it_gives_what_evaluation_gives_and_a_picture(scenes: Dataset, tmp_path: Path) -> None:
    model = YOLOPv2("nano", runtime="torch", size=160, device="cpu", precision="float32")
    expected = evaluate(model.predictor, scenes).metrics
    scores = make(scenes, tmp_path)(model.network, 7)
    assert scores == {name: expected[name] for name in scores}
    assert {"ap50", "drivable_iou", "lane_iou"} <= set(scores)
    assert cv2.imread(str(tmp_path / "0007.jpg")).shape == (5 * 360, 2 * 640, 3)


def test_two_processes_give_the_scores_of_one_to_the_last_digit(
    scenes: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = YOLOPv2("nano").network
    alone = make(scenes, tmp_path)(network, 1)
    shares: list[list[object]] = []
    monkeypatch.setattr(validation, "world_size", lambda: 2)
    monkeypatch.setattr(validation, "gather", lambda own: shares.append(own) or [o for share in shares for o in share])
    for number in (1, 0):  # the second one to be asked has the outcomes of both
        monkeypatch.setattr(validation, "rank", lambda number=number: number)
        together = make(scenes, tmp_path)(network, 1)
    assert [len(share) for share in shares] == [2, 3]
    assert together == alone


def test_frames_that_cannot_be_read_are_left_out_but_not_all_of_them(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "scenes", {"val": 2}, height=90, width=160)
    network = YOLOPv2("nano").network
    images = sorted((tmp_path / "scenes/images/val").iterdir())
    images[0].write_bytes(b"no picture")
    with pytest.warns(UserWarning, match="left out of validation: .*000000.jpg"):
        scores = make(open_dataset(data, "val"), tmp_path / "v")(network, 1)
    assert "drivable_iou" in scores
    images[1].write_bytes(b"no picture")
    with pytest.warns(UserWarning, match="left out"), pytest.raises(YolopError, match="No frame of the split"):
        make(open_dataset(data, "val"), tmp_path / "v")(network, 1)

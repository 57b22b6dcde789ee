"""Proof that it learns: eight generated frames are learned by heart, through the whole of training."""

from pathlib import Path
from typing import Any

import pytest

from yolopv2.data.augment import AugmentConfig
from yolopv2.data.synthetic import write_dataset
from yolopv2.training.config import make_config
from yolopv2.training.folder import RunFolder
from yolopv2.training.run import train

HEIGHT, WIDTH, BATCH = 128, 192, 8


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight frames that are learned from and validated on."""
    folder = tmp_path_factory.mktemp("scenes")
    data = write_dataset(folder, {"train": BATCH}, seed=3, height=HEIGHT, width=WIDTH)
    data.write_text(data.read_text().replace("  train: train\n", "  train: train\n  val: train\n"))
    return data


def learn(data: Path, folder: Path, steps: int, **settings: Any) -> dict[str, float]:
    """Scores on the frames after some steps on them."""
    fixed = {
        "epochs": 1,
        "epoch_samples": steps * BATCH,
        "batch_size": BATCH,
        "height": HEIGHT,
        "width": WIDTH,
        "learning_rate": 0.01,
        "weight_decay": 0,
        "ema_decay": 0.95,
        "workers": 0,
        "cache": "ram",
        "close_mosaic": 0,
        "augment": vars(AugmentConfig.off()),
    }
    train(data, make_config(fixed, {"nominal_batch": BATCH}, settings), folder)
    scores: dict[str, float] = RunFolder(folder).entries()[-1]["scores"]
    return scores


def test_boxes_and_areas_are_learned_by_heart(scenes: Path, tmp_path: Path) -> None:
    scores = learn(scenes, tmp_path / "run", 300, loss={"drivable": 2})
    assert scores["ap50"] > 0.95
    assert scores["drivable_iou"] > 0.95
    assert scores["lane_iou"] > 0.5  # lines of one or two pixels take longer: below


@pytest.mark.slow
def test_lanes_are_learned_by_heart(scenes: Path, tmp_path: Path) -> None:
    """Cross-entropy in place of focal loss, which is content when a pixel is nearly right."""
    loss = {"lane_focal": 8, "lane_gamma": 0, "lane_dice": 1, "lane_iou": 1}
    scores = learn(scenes, tmp_path / "run", 1000, heads=["lanes"], final_rate=0.3, loss=loss)
    assert scores["lane_iou"] > 0.95

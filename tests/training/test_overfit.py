"""Proof that it learns: eight generated frames are learned by heart, through the whole of training."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from yolopv2.data.augment import AugmentConfig
from yolopv2.data.synthetic import write_dataset
from yolopv2.training.config import make_config
from yolopv2.training.folder import RunFolder
from yolopv2.training.run import train

HEIGHT, WIDTH, BATCH = 128, 192, 8


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight frames, learned from and validated on; their markings as many pixels wide as on a large frame."""
    folder = tmp_path_factory.mktemp("scenes")
    data = write_dataset(folder, {"train": BATCH}, seed=3, height=HEIGHT, width=WIDTH)
    data.write_text(data.read_text().replace("  train: train\n", "  train: train\n  val: train\n"))
    for path in (folder / "lanes/train").glob("*.png"):
        lanes = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        cv2.imwrite(str(path), cv2.dilate(lanes, np.ones((7, 7), np.uint8)))
    return data


def test_frames_are_learned_by_heart(scenes: Path, tmp_path: Path) -> None:
    """Lanes by cross-entropy in place of focal loss, which is content when a pixel is nearly right."""
    settings = {
        "epochs": 1,
        "epoch_samples": 380 * BATCH,
        "batch_size": BATCH,
        "nominal_batch": BATCH,
        "height": HEIGHT,
        "width": WIDTH,
        "learning_rate": 0.01,
        "weight_decay": 0,
        "ema_decay": 0.95,
        "workers": 0,
        "cache": "ram",
        "close_mosaic": 0,
        "augment": vars(AugmentConfig.off()),
        "loss": {"drivable": 2, "lane_focal": 20, "lane_gamma": 0, "lane_alpha": 0.5, "lane_dice": 1, "lane_iou": 1},
    }
    train(scenes, make_config(settings), tmp_path / "run")
    scores = RunFolder(tmp_path / "run").entries()[-1]["scores"]
    assert scores["ap50"] > 0.95
    assert scores["drivable_iou"] > 0.95
    assert scores["lane_iou"] > 0.95

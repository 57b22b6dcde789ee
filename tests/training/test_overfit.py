"""Proof that it learns: eight generated frames are learned by heart, through the whole of training."""

from pathlib import Path

from yolopv2.data.augment import AugmentConfig
from yolopv2.data.synthetic import write_dataset
from yolopv2.training.config import make_config
from yolopv2.training.folder import RunFolder
from yolopv2.training.run import train

HEIGHT, WIDTH = 128, 192


def test_eight_frames_are_learned_by_heart(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "scenes", {"train": 8}, seed=3, height=HEIGHT, width=WIDTH)
    data.write_text(data.read_text().replace("  train: train\n", "  train: train\n  val: train\n"))
    config = make_config(
        {
            "epochs": 3,
            "epoch_samples": 8 * 200,
            "batch_size": 8,
            "nominal_batch": 8,
            "height": HEIGHT,
            "width": WIDTH,
            "learning_rate": 0.006,
            "weight_decay": 0,
            "ema_decay": 0.95,
            "workers": 0,
            "cache": "ram",
            "close_mosaic": 0,
            "validate_every": 3,
            "loss": {"drivable": 2, "lane_focal": 8, "lane_gamma": 0, "lane_dice": 1, "lane_iou": 1},
            "augment": vars(AugmentConfig.off()),
        }
    )
    train(data, config, tmp_path / "run")
    scores = RunFolder(tmp_path / "run").entries()[-1]["scores"]
    assert scores["ap50"] > 0.95
    assert scores["drivable_iou"] > 0.95
    assert scores["lane_iou"] > 0.95

"""The mask head is trained on top of bundled weights by one command, and seen in everything the run leaves."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from yolopv2 import YOLOPv2
from yolopv2.cli.main import main
from yolopv2.data.dataset import open_dataset
from yolopv2.data.synthetic import write_dataset
from yolopv2.training.folder import RunFolder


def test_masks_are_added_to_trained_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_dataset(tmp_path / "scenes", {"train": 4, "val": 2}, seed=5, height=96, width=160)
    line = ["--weights", "nano", "--set", "heads=[detection, drivable, lanes, masks]", "--set", "workers=0"]
    line += ["--set", "learning_rate=1e-5", "--epochs", "2", "--size", "160x96", "--batch-size", "4"]
    monkeypatch.setattr(sys, "argv", ["yolopv2", "train", str(data), "--output", str(tmp_path / "run"), *line])
    with pytest.raises(SystemExit) as ending:
        main()
    assert not ending.value.code
    entries = RunFolder(tmp_path / "run").entries()
    losses = [entry["losses"] for entry in entries if "losses" in entry]
    assert all(np.isfinite(loss["mask"]) for loss in losses)
    assert losses[0]["mask"] > 0
    assert losses[0]["mask_projection"] == 0  # every generated vehicle has its mask
    assert cv2.imread(str(tmp_path / "run/validation/0002.jpg")).std() > 5
    model = YOLOPv2(tmp_path / "run/best.safetensors", size=160, runtime="torch")
    scene = model(open_dataset(data, "val")[0].image, conf=0.05)
    assert len(scene.vehicles)
    assert scene.vehicles.masks.shape == (len(scene.vehicles), 96, 160)
    measured = model.evaluate(data)
    assert "instance masks" not in measured.unavailable.get("pq", "")

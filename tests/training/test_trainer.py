import json
from pathlib import Path

import numpy as np
import pytest
import torch

from yolopv2.data.augment import AugmentConfig
from yolopv2.data.packed import PackedFrames, PackedSample, write_packed
from yolopv2.network import Network
from yolopv2.training.loader import Source
from yolopv2.training.trainer import TrainConfig, Trainer

STILL = AugmentConfig.off()


def squares(count: int) -> list[PackedSample]:
    rng = np.random.default_rng(0)
    samples = []
    for _ in range(count):
        image = rng.integers(0, 60, (64, 96, 3)).astype(np.uint8)
        maps = np.zeros((64, 96, 4), np.uint8)
        maps[..., 1] = maps[..., 3] = 255
        x, y = (int(rng.integers(0, high)) for high in (60, 30))
        image[y : y + 30, x : x + 30] = (255, 80, 80)
        image[48:, :] = (90, 90, 120)
        image[:, 46:50] = (255, 255, 0)
        maps[48:, :, 0] = 255
        maps[:, 46:50, 2] = 255
        samples.append(PackedSample(image, maps, np.array([[0, x, y, x + 30, y + 30]], np.float32)))
    return samples


@pytest.fixture
def frames(tmp_path: Path) -> PackedFrames:
    write_packed(tmp_path / "packed", squares(4), 4)
    return PackedFrames(tmp_path / "packed")


def config(**changes: object) -> TrainConfig:
    fixed = {"batch_size": 4, "height": 64, "width": 96, "workers": 0, "warmup": 5, "save_every": 5, "augment": STILL}
    return TrainConfig(**{**fixed, **changes})  # type: ignore[arg-type]


def trainer(frames: PackedFrames, folder: Path, **changes: object) -> Trainer:
    torch.manual_seed(1)
    network = Network("nano", classes=1)
    return Trainer(network, [Source(frames, 1.0)], config(**changes), folder, lambda _: {"score": 0.5})


def test_all_losses_fall_on_a_few_frames(frames: PackedFrames, tmp_path: Path) -> None:
    run = trainer(frames, tmp_path / "run", steps=40, learning_rate=3e-3, evaluate_every=40)
    batch = next(run.batches)
    with torch.no_grad():
        before = run.losses(batch)
    run.run()
    with torch.no_grad():
        after = run.losses(batch)
    assert sum(after.values()) < 0.5 * sum(before.values())
    for name in ("box", "objectness", "drivable", "lane_dice"):
        assert after[name] < before[name], name
    last = json.loads((tmp_path / "run/log.jsonl").read_text().splitlines()[-1])
    assert last == {"step": 40, "evaluation": {"score": 0.5}}


def test_a_stopped_run_goes_on_where_it_was(frames: PackedFrames, tmp_path: Path) -> None:
    trainer(frames, tmp_path / "run", steps=5).run()
    resumed = trainer(frames, tmp_path / "run", steps=10)
    assert resumed.step == 5
    saved = torch.load(tmp_path / "run/last.pt", weights_only=True)
    for name, value in resumed.network.state_dict().items():
        torch.testing.assert_close(value, saved["network"][name])
    resumed.run()
    assert torch.load(tmp_path / "run/last.pt", weights_only=True)["step"] == 10


def test_a_batch_that_is_not_finite_is_skipped(frames: PackedFrames, tmp_path: Path) -> None:
    run = trainer(frames, tmp_path / "run", steps=1)
    batch = next(run.batches)
    before = {k: v.clone() for k, v in run.network.named_parameters()}
    with torch.no_grad():
        next(run.network.parameters()).fill_(float("nan"))
    assert run._train_step(batch) == {"skipped": 1.0}
    for name, value in list(run.network.named_parameters())[1:]:
        torch.testing.assert_close(value, before[name])


def test_networks_without_some_heads_train(frames: PackedFrames, tmp_path: Path) -> None:
    network = Network("nano", classes=1, heads=["lanes"])
    run = Trainer(network, [Source(frames, 1.0)], config(steps=1), tmp_path / "run", lambda _: {})
    assert set(run.losses(next(run.batches))) == {"lane_focal", "lane_dice", "lane_iou"}

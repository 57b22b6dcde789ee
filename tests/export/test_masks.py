"""The mask head in an exported graph: the same scenes in every engine, and no masks where they are not asked for."""

import numpy as np
import pytest
import torch

from yolopv2 import YOLOPv2
from yolopv2.checkpoints.meta import CheckpointMeta
from yolopv2.checkpoints.weights import save_checkpoint
from yolopv2.export.onnx import export_onnx
from yolopv2.inference.predictor import Predictor
from yolopv2.inference.runtimes.onnx import OnnxRuntime
from yolopv2.inference.runtimes.openvino import OpenVinoRuntime
from yolopv2.inference.runtimes.torch_runtime import TorchRuntime
from yolopv2.network import ALL_HEADS, Network
from yolopv2.network.network import calibrate


@pytest.fixture(scope="module")
def with_masks():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = Network("nano", classes=2, heads=ALL_HEADS)
    calibrate(network, torch.Generator().manual_seed(3))
    with torch.no_grad():
        for predict in network.detection.predict:
            predict.weight *= 0.3
            predict.bias.zero_()
    return network.eval()


def test_every_engine_gives_the_same_masks(with_masks, pictures, tmp_path):
    path = tmp_path / "nano.onnx"
    export_onnx(with_masks, path, CheckpointMeta.of(with_masks, ["car", "truck"]).to_dict(), half_weights=False)
    images = [pictures[0], pictures[4], pictures[3]]
    reference = Predictor(TorchRuntime(with_masks, {0: "car", 1: "truck"}), 160).look(images)
    for runtime in (OpenVinoRuntime(path), OnnxRuntime(path)):
        for (ours, row, _), (theirs, _, _) in zip(Predictor(runtime, 160).look(images), reference, strict=True):
            np.testing.assert_allclose(ours.coefficients[row], theirs.coefficients[row], atol=1e-3)
            apart = np.abs(ours.prototypes[row] - theirs.prototypes[row]).mean()
            assert apart < 1e-4 * np.abs(theirs.prototypes[row]).mean()
    for runtime in (OpenVinoRuntime, OnnxRuntime):
        candidates = runtime(path, heads=["detection", "drivable"])(np.zeros((1, 96, 160, 3), np.uint8))
        assert candidates.coefficients is candidates.prototypes is candidates.lanes is None


def test_masks_come_from_a_checkpoint_and_are_left_out_on_demand(with_masks, pictures, tmp_path):
    path = tmp_path / "nano.safetensors"
    save_checkpoint(with_masks, path, CheckpointMeta.of(with_masks, ["car", "truck"]))
    scene = YOLOPv2(str(path), runtime="torch", size=160)(pictures[3], conf=0.2)
    assert len(scene.vehicles) > 1
    assert scene.vehicles.masks.shape == (len(scene.vehicles), scene.height, scene.width)
    ids, segments = scene.panoptic()
    assert sorted(segment["id"] for segment in segments) == sorted(set(np.unique(ids)) - {0})
    assert sum(segment["area"] for segment in segments) == (ids > 0).sum()
    covered = scene.vehicles.masks.any(0) | scene.drivable | scene.lanes
    assert (ids > 0)[covered].all()
    without = YOLOPv2(str(path), runtime="torch", size=160, heads=["detection", "drivable"])(pictures[3], conf=0.2)
    assert without.vehicles.masks is None
    np.testing.assert_allclose(without.vehicles.xyxy, scene.vehicles.xyxy, atol=0.01)

"""Exports of the bundled network: each is read back by its engine, sees the same, and says what it is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from yolopv2 import YOLOPv2
from yolopv2.checkpoints import CheckpointMeta, load_network, resolve
from yolopv2.data.synthetic import write_dataset
from yolopv2.errors import YolopError
from yolopv2.export import run
from yolopv2.export.formats import TorchExportForm, TorchScriptForm
from yolopv2.export.frames import Frames, generated_frames
from yolopv2.export.options import FORMATS, Options
from yolopv2.inference import Thresholds
from yolopv2.network import Network

SIZE = 160


@pytest.fixture(scope="module", autouse=True)
def few_small_frames() -> Any:
    def few(count: int = 2, calibration: bool = False) -> Frames:
        return generated_frames(2, calibration, height=90)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "generated_frames", few)
        yield


@pytest.fixture(scope="module")
def loaded() -> tuple[Network, CheckpointMeta]:
    return load_network(resolve("nano"))


@pytest.fixture(scope="module")
def exported(loaded: tuple[Network, CheckpointMeta], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Exports the bundled network, each kind once."""
    made: dict[Options, Path] = {}

    def make(options: Options) -> Path:
        if options not in made:
            folder = tmp_path_factory.mktemp("export")
            made[options] = folder / options.file_name("nano")
            run.export(loaded[0], made[options], loaded[1].to_dict(), options)
            parts = {path.suffix for path in folder.iterdir()}
            assert parts == ({".xml", ".bin"} if options.format == "openvino" else {FORMATS[options.format]})
        return made[options]

    return make


@pytest.fixture(scope="module")
def frame() -> np.ndarray:
    return generated_frames(1, height=90).samples[0].image


@pytest.fixture(scope="module")
def seen(frame: np.ndarray) -> Any:
    return YOLOPv2("nano", size=SIZE, precision="float32")(frame)


def assert_same_scene(scene: Any, seen: Any) -> None:
    assert len(scene.vehicles) == len(seen.vehicles) > 0
    apart = np.abs(scene.vehicles.xyxy[:, None] - seen.vehicles.xyxy[None]).max(-1)  # near equals may change places
    assert apart.min(0).max() < 0.5
    assert apart.min(1).max() < 0.5
    assert (scene.drivable != seen.drivable).mean() < 0.005
    assert (scene.lanes != seen.lanes).mean() < 0.005


@pytest.mark.parametrize(
    ("options", "runtimes"),
    [
        (Options("onnx", size=SIZE, dynamic=False, nms=Thresholds()), ["openvino", "onnx"]),
        (Options("openvino", size=SIZE), ["openvino"]),
        (Options("openvino", size=SIZE, nms=Thresholds(), dynamic=False), ["openvino"]),
    ],
    ids=["onnx-static-nms", "openvino", "openvino-static-nms"],
)
def test_yolopv2_opens_what_it_exported(
    exported: Callable[..., Path], frame: np.ndarray, seen: Any, options: Options, runtimes: list[str]
) -> None:
    for runtime in runtimes:
        model = YOLOPv2(exported(options), size=SIZE, runtime=runtime, precision="float32")
        assert model.names == {0: "vehicle"}
        assert_same_scene(model(frame), seen)
        if not options.dynamic:
            with pytest.raises(YolopError, match="160x96 only, not 96x160"):
                model(np.rot90(frame).copy())


@pytest.mark.parametrize(("format", "form"), [("torchscript", TorchScriptForm), ("torch-export", TorchExportForm)])
def test_pytorch_opens_its_own(exported: Callable[..., Path], loaded: Any, format: str, form: Any) -> None:
    path = exported(Options(format, size=SIZE))
    runtime = form.load(None, path)
    assert runtime.names == {0: "vehicle"}
    canvases = np.random.default_rng(0).integers(0, 256, (2, 64, 128, 3), dtype=np.uint8)  # none that it was traced on
    found = runtime(canvases)
    wanted = YOLOPv2("nano", runtime="torch", device="cpu", precision="float32").predictor.runtime(canvases)
    np.testing.assert_allclose(found.boxes, wanted.boxes, atol=1e-2)
    np.testing.assert_allclose(found.scores, wanted.scores, atol=1e-4)
    assert np.abs(found.drivable.astype(int) - wanted.drivable).max() <= 1
    with pytest.raises(YolopError):
        YOLOPv2(path)


def test_the_file_says_what_it_is_and_what_was_measured(exported: Callable[..., Path], loaded: Any) -> None:
    model = onnx.load(exported(Options("onnx", size=SIZE, dynamic=False, nms=Thresholds())))
    described = json.loads(next(each.value for each in model.metadata_props if each.key == "yolopv2"))
    assert CheckpointMeta.from_dict(described) == loaded[1]
    shapes = {
        port.name: [d.dim_value for d in port.type.tensor_type.shape.dim]
        for port in [*model.graph.input, *model.graph.output]
    }
    assert shapes == {
        "image": [1, 96, 160, 3],
        "boxes": [1, 300, 4],
        "scores": [1, 300],
        "class_ids": [1, 300],
        "count": [1],
        "drivable": [1, 96, 160],
        "lanes": [1, 96, 160],
    }
    facts = described["export"]
    assert facts["canvas"] == [96, 160]
    assert (facts["nms"]["conf"], facts["nms"]["iou"]) == (0.3, 0.45)
    assert facts["parity"]["frames"] == 2
    assert facts["parity"]["agreement"]["ap50"] > 0.97
    assert facts["precision"] == "half"


def test_past_a_bound_nothing_is_written(loaded: Any, tmp_path: Path) -> None:
    network = load_network(resolve("nano"))[0]
    with torch.no_grad():
        network.lanes.layers[-1].bn.weight[:] = 1e9  # type: ignore[union-attr] # too large for float16 once folded
    told: list[str] = []
    with pytest.raises(YolopError, match=r"lanes.*nothing was written"):
        run.export(network, tmp_path / "new" / "x.onnx", loaded[1].to_dict(), Options(size=SIZE), tell=told.append)
    assert not list(tmp_path.iterdir())
    assert any("lanes" in line for line in told)


def test_suppression_without_boxes_is_refused(loaded: Any, tmp_path: Path) -> None:
    with pytest.raises(YolopError, match="no detection head"):
        run.export(Network("nano", 1, ["lanes"]), tmp_path / "x.onnx", {"names": []}, Options(nms=Thresholds()))


def test_labels_of_a_data_set_are_scored(loaded: Any, tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "scenes", {"train": 1, "val": 2}, height=90, width=160)
    parity = run.export(loaded[0], tmp_path / "x.onnx", loaded[1].to_dict(), Options(size=SIZE), data)
    assert parity.frames == 2
    assert {"drivable_iou", "lane_iou"} <= set(parity.network) == set(parity.export)
    assert parity.network["drivable_iou"] > 0.3

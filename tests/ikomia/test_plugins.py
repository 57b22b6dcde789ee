"""The plugins within the real Ikomia; `make test-ikomia` runs these in an environment that has it.

Of the plugin that went by the name infer_yolop_v2 before, these faults are known, and ours has none of them: class
names without background, reversed channels, frames forced to 1280x720, masks right at input size 640 only, the id 0 for
every object, downloads without checksum, no half precision, no parameter for other weights.
"""

import base64
import importlib.util
import json
import os
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from yolopv2.errors import YolopError
from yolopv2.ikomia import Workflow
from yolopv2.ikomia.install import PLUGINS, install_plugins, plugins_folder

SEES_MUCH = {"input_size": "160", "conf_thres": "0.1"}


@pytest.fixture(scope="session")
def ikomia(tmp_path_factory):
    """The real Ikomia in a home of its own, with our plugins installed and its metrics in files."""
    if importlib.util.find_spec("ikomia") is None:
        pytest.skip("the package ikomia is not installed: `make test-ikomia` runs this")
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        patch.setenv("HOME", str(home))
        patch.setenv("QT_QPA_PLATFORM", "offscreen")
        install_plugins(plugins_folder())
        from ikomia.core import config
        from ikomia.dataprocess import workflow
        from ikomia.dataprocess.registry import ik_registry
        from ikomia.dnn import datasetio, monitoring

        assert config.main_cfg["root_folder"].startswith(str(home)), "ikomia was imported before its home was set"
        patch.setitem(config.main_cfg["mlflow"], "tracking_uri", (home / "mlruns").as_uri())
        for server in ("check_mlflow_server", "check_tensorboard_server"):
            patch.setattr(monitoring, server, lambda: None)
        yield SimpleNamespace(
            Workflow=workflow.Workflow, registry=ik_registry, dataset=datasetio.IkDatasetIO, home=home
        )


@pytest.fixture
def infer(ikomia, nano_graph):
    """A real workflow with our task, and that task."""

    def made(**params):
        wf = ikomia.Workflow()
        algo = wf.add_task(name="infer_yolop_v2", auto_connect=True)
        algo.set_parameters({"model_weight_file": str(nano_graph), **SEES_MUCH, **params})
        return wf, algo

    return made


def decoded(text):
    return cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize("number", [1, 3, 4])
@pytest.mark.parametrize("size", ["96", "160"])
def test_the_real_one_gives_what_our_workflow_gives(infer, perceive, pictures, number, size):
    """For tall, wide and odd pictures, at input sizes other than 640."""
    (real, algo), (ours, expected) = infer(input_size=size), perceive(input_size=size)
    for wf in (real, ours):
        wf.run_on(array=pictures[number])
    found, wanted = (json.loads(task.get_output(1).to_json()) for task in (algo, expected))
    assert found["referenceImageIndex"] == wanted["referenceImageIndex"] == 0
    assert len(found["detections"]) == len(wanted["detections"]) > 1
    for got, want in zip(found["detections"], wanted["detections"], strict=True):
        assert (got["id"], got["label"]) == (want["id"], want["label"])
        assert got["confidence"] == pytest.approx(want["confidence"], abs=1e-5)
        assert got["box"] == pytest.approx(want["box"], abs=1e-2)
        assert {channel: got["color"][channel] for channel in "rgb"} == want["color"]
    found, wanted = (json.loads(task.get_output(2).to_json()) for task in (algo, expected))
    assert found["classes"] == wanted["classes"] == ["background", "road", "lane"]
    assert [{c: colour[c] for c in "rgb"} for colour in found["colors"]] == wanted["colors"]
    np.testing.assert_array_equal(decoded(found["mask"]), decoded(wanted["mask"]))
    assert json.loads(algo.get_output(3).to_json()) == json.loads(expected.get_output(3).to_json())
    np.testing.assert_array_equal(algo.get_output(0).get_image(), pictures[number])
    assert algo.get_output(0).get_overlay_mask().shape[:2] == pictures[number].shape[:2]
    assert algo.get_image_with_graphics().shape == pictures[number].shape


def test_every_object_of_a_frame_has_an_id_of_its_own(infer, pictures):
    wf, algo = infer()
    wf.run_on(array=pictures[3])
    ids = [found.id for found in algo.get_output(1).get_objects()]
    assert len(ids) == len(set(ids)) > 1


def test_what_is_not_wanted_is_gone_at_the_next_run_too(infer, pictures):
    wf, algo = infer()
    wf.run_on(array=pictures[3])
    algo.set_parameters({"object": "False", "road_lane": "False"})
    wf.run_on(array=pictures[3])
    assert algo.get_output(1).get_objects() == []
    assert json.loads(algo.get_output(3).to_json()) == {"lanes": []}
    assert not algo.get_output(2).is_data_available()


def test_weights_and_precision_are_parameters(infer, pictures):
    wf, algo = infer(precision="float32")
    wf.run_on(array=pictures[0])
    assert "float32" in algo.perceiver.model(algo.get_param_object().values).predictor.runtime.description
    algo.set_parameters({"model_weight_file": "", "model_name": "nanno"})
    with pytest.raises(Exception, match="nanno"):
        wf.run_on(array=pictures[0])


def test_parameters_are_strings_and_wrong_ones_are_refused(infer):
    _, algo = infer(conf_thres="0.25")
    assert all(isinstance(value, str) for value in algo.get_parameters().values())
    assert float(algo.get_parameters()["conf_thres"]) == 0.25
    with pytest.raises(YolopError, match="perhaps 'conf_thres' is meant"):
        algo.get_param_object().set_values({"conf_thresh": "0.2"})
    with pytest.raises(Exception, match="less than or equal to 1"):
        algo.set_parameters({"conf_thres": "1.5"})


def test_workflows_are_exchanged_with_the_real_one(ikomia, infer, tmp_path):
    """A file of the real Ikomia opens here, and one of ours there."""
    real, _ = infer(iou_thres="0.35")
    real.save(str(tmp_path / "real.json"))
    ours = Workflow()
    ours.load(tmp_path / "real.json")
    (task,) = ours.find_task("infer_yolop_v2")
    assert (task.params.iou_thres, ours.graph.parents(task)) == (0.35, [ours.root()])
    ours.save(tmp_path / "ours.json")
    again = ikomia.Workflow()
    again.load(str(tmp_path / "ours.json"))
    (task,) = again.find_task("infer_yolop_v2")
    assert task.get_parameters() == ours.find_task("infer_yolop_v2", 0).get_parameters()


@pytest.mark.parametrize("name", ["infer_yolop_v2", "train_yolop_v2"])
def test_ikomia_knows_the_plugin(ikomia, name):
    from importlib.metadata import version

    ikomia.registry.create_algorithm(name)  # it is loaded when first asked for
    assert name in ikomia.registry.get_algorithms()
    info = ikomia.registry.get_algorithm_info(name)
    assert info.version == version("yolopv2")
    assert info.license == "MIT License"
    assert Path(info.icon_path).read_bytes().startswith(b"\x89PNG")
    assert (info.algo_type.name, info.algo_tasks) == (
        name.split("_")[0].upper(),
        "OBJECT_DETECTION,SEMANTIC_SEGMENTATION",
    )


@pytest.fixture
def squares(ikomia, tmp_path):
    """A data set as Ikomia's loaders give it: a square on a road in every frame."""
    rng = np.random.default_rng(0)
    images = []
    for number in range(8):
        image = rng.integers(0, 60, (96, 160, 3)).astype(np.uint8)
        x, y = (int(rng.integers(0, most)) for most in (120, 40))
        image[y : y + 30, x : x + 30], image[72:] = (80, 80, 255), (120, 90, 90)
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
        road = {"category_id": 2, "bbox": [0, 72, 160, 24], "segmentation_poly": [[0, 72, 160, 72, 160, 96, 0, 96]]}
        square = {"category_id": 1, "bbox": [x, y, 30, 30], "segmentation_poly": [], "iscrowd": False}
        size = {"image_id": number, "height": 96, "width": 160}
        images.append({"filename": str(tmp_path / f"{number}.png"), "annotations": [square, road], **size})
    dataset = ikomia.dataset()
    dataset.data = {"images": images, "metadata": {"category_names": {1: "car", 2: "road"}}}
    return dataset


@pytest.fixture
def train(ikomia, squares, tmp_path):
    """The real task, with a data set."""
    pytest.importorskip("lightning_fabric")
    task = ikomia.registry.create_algorithm("train_yolop_v2")
    task.set_input(squares, 0)
    values = {"epochs": "2", "batch_size": "4", "train_imgsz": "96", "dataset_split_ratio": "0.5"}
    task.set_parameters({**values, "output_folder": str(tmp_path / "runs")})
    return task


def test_a_real_training_gives_weights_that_the_other_plugin_takes(ikomia, train, infer, pictures, tmp_path):
    assert train.get_progress_steps() == 2
    told = []
    log = train.log_metrics
    train.log_metrics = lambda metrics, step: (told.append((step, metrics)), log(metrics, step=step))
    train.run()
    assert [step for step, _ in told] == [1, 2]
    assert all(np.isfinite(list(metrics.values())).all() for _, metrics in told)
    assert any(name.startswith("loss_") for name in told[0][1])
    assert list((ikomia.home / "mlruns").rglob("metrics/loss_*")), "MLflow was told"
    (weights,) = (tmp_path / "runs").glob("*/run/best.safetensors")
    wf, algo = infer(model_weight_file=str(weights), input_size="96")
    wf.run_on(array=pictures[3])
    assert set(np.unique(algo.get_output(2).get_mask())) <= {0, 1}, "there were no lanes to learn"
    assert {found.label for found in algo.get_output(1).get_objects()} <= {"car"}


def test_a_real_training_stops_when_asked(train, tmp_path):
    train.set_parameters({"epochs": "500"})
    on_epoch = train.on_epoch
    train.on_epoch = lambda epoch, metrics: (on_epoch(epoch, metrics), train.stop())
    train.run()
    assert train.weights is None
    assert list((tmp_path / "runs").glob("*/run/*.safetensors")), "what was learned is kept"


def test_training_without_data_says_so(ikomia):
    with pytest.raises(Exception, match="holds no data set"):
        ikomia.registry.create_algorithm("train_yolop_v2").run()


def test_every_plugin_is_laid_out_as_ikomia_asks():
    for name in ("infer_yolop_v2", "train_yolop_v2"):
        files = {path.relative_to(PLUGINS / name).as_posix() for path in (PLUGINS / name).rglob("*") if path.is_file()}
        parts = ("", "_process", "_widget", "_test")
        wanted = {"__init__.py", "requirements.txt", "README.md", "LICENSE", "icons/icon.png"}
        assert wanted | {f"{name}{part}.py" for part in parts} <= files
        for path in PLUGINS.joinpath(name).rglob("*.py"):
            assert "GPL" not in path.read_text(encoding="utf-8")
        assert (PLUGINS / name / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")


WIDGETS = """
import sys
from ikomia import core  # before PyQt6: both bring Qt
from PyQt6.QtWidgets import QApplication
application = QApplication([])
sys.path.insert(0, {folder!r})
from {name}.{name}_process import {task}Param
from {name}.{name}_widget import {task}WidgetFactory
parameters = {task}Param()
before = parameters.get_values()
widget = {task}WidgetFactory().create(parameters)
widget.on_apply()
after = parameters.get_values()
print({{name: (str(before[name]), str(after[name])) for name in before if str(before[name]) != str(after[name])}})
"""


@pytest.mark.parametrize(("name", "task"), [("infer_yolop_v2", "InferYolopV2"), ("train_yolop_v2", "TrainYolopV2")])
def test_a_widget_gives_back_what_it_shows(ikomia, name, task):
    """In a process of its own, for windows are its alone; the model is loaded anew after it, and that is all."""
    import subprocess
    import sys

    pytest.importorskip("PyQt6")
    code = WIDGETS.format(folder=str(plugins_folder()), name=name, task=task)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    changed = "{'update': ('False', 'True')}" if name.startswith("infer") else "{}"
    assert done.stdout.splitlines()[-1] == changed

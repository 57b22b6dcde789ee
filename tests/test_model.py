import threading
import warnings

import numpy as np
import pytest

from yolopv2 import Scene, YOLOPv2
from yolopv2.errors import MissingExtra, YolopError
from yolopv2.media import VideoWriter, write_image


@pytest.fixture(scope="module")
def model(nano_graph):
    return YOLOPv2(nano_graph, size=160, precision="float32")


@pytest.fixture(scope="module")
def folder(pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for i, picture in enumerate(pictures[:3]):
        write_image(folder / f"{i}.png", picture)
    return folder


@pytest.fixture(scope="module")
def video(pictures, tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "drive.mp4"
    with VideoWriter(path, 10, 160, 90) as writer:
        for i in range(12):
            writer.write(np.roll(pictures[0], 5 * i, axis=1))
    return path


def test_one_picture_gives_one_scene_whatever_form_it_has(model, folder, pictures):
    image = pytest.importorskip("PIL.Image")
    scenes = [
        model(given, conf=0.1)
        for given in (pictures[0], image.fromarray(pictures[0]), folder / "0.png", str(folder / "0.png"))
    ]
    assert all(isinstance(scene, Scene) for scene in scenes)
    assert len(scenes[0].vehicles) > 0
    assert scenes[0].drivable.shape == scenes[0].lanes.shape == pictures[0].shape[:2]
    assert scenes[0].names == model.names == {0: "car", 1: "truck"}
    assert scenes[3].source == str(folder / "0.png")
    for scene in scenes[1:]:
        assert np.array_equal(scene.vehicles.xyxy, scenes[0].vehicles.xyxy)
        assert np.array_equal(scene.drivable, scenes[0].drivable)


def test_several_give_a_list(model, folder, pictures):
    for several in (folder, str(folder), str(folder / "*.png"), sorted(folder.glob("*.png")), pictures[:3]):
        scenes = model(several, batch=2)
        assert [(scene.height, scene.width) for scene in scenes] == [p.shape[:2] for p in pictures[:3]]
    assert len(model([pictures[0]])) == 1


def test_classes_are_chosen_by_id_or_name(model, pictures):
    everything = model(pictures[0], conf=0.1, iou=0.9).vehicles
    assert set(everything.class_id) == {0, 1}
    for chosen in ("truck", 1, ["truck"], [1], ("1",)):
        assert set(model(pictures[0], conf=0.1, iou=0.9, classes=chosen).vehicles.class_id) == {1}
    with pytest.raises(YolopError, match="no class is called 'tram'; there are: 0 car, 1 truck"):
        model(pictures[0], classes=["car", "tram"])


def test_what_cannot_be_read_is_an_error_alone_and_a_warning_among_others(model, folder, pictures, tmp_path):
    for i in range(2):
        write_image(tmp_path / f"{i}.jpg", pictures[0])
    (tmp_path / "0b.jpg").write_bytes(b"")
    with pytest.raises(YolopError, match=r"0b\.jpg: the file is empty"):
        model(tmp_path / "0b.jpg")
    with pytest.warns(UserWarning, match=r"0b\.jpg: the file is empty") as called:
        scenes = model(tmp_path)
    with pytest.warns(UserWarning, match=r"0b\.jpg: the file is empty") as streamed:
        assert len([scene for scene in model.stream(tmp_path)]) == 2  # noqa: C416 - list() is no frame of Python's
    assert called[0].filename == streamed[0].filename == __file__
    assert [scene.source for scene in scenes] == [str(tmp_path / f"{i}.jpg") for i in range(2)]
    assert [problem.source for problem in model.problems] == [str(tmp_path / "0b.jpg")]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(folder)
    assert model.problems == []
    with pytest.raises(YolopError, match="does not exist"):
        model("nowhere.jpg")


def test_stream_gives_the_scenes_of_a_video_in_order(model, video):
    scenes = list(model.stream(video, batch=5))
    assert [scene.index for scene in scenes] == list(range(12))
    assert scenes[3].time == pytest.approx(0.3)
    assert [scene.to_json() for scene in model.stream(video)] == [scene.to_json() for scene in scenes]


def test_stream_looks_at_every_nth_frame(model, video):
    scenes = list(model.stream(video))
    assert [scene.to_json() for scene in model.stream(video, every=3)] == [scene.to_json() for scene in scenes[::3]]


def test_stream_can_be_left_at_any_time(model, video):
    threads = threading.active_count()
    for scene in model.stream(video):
        if scene.index == 2:
            break
    del scene
    assert threading.active_count() <= threads


def test_a_video_is_not_taken_for_a_picture(model, video, folder):
    for source in (video, [video], 0):
        with pytest.raises(YolopError, match="stream"):
            model(source)


def test_a_checkpoint_is_the_same_model(model, nano_checkpoint, pictures):
    other = YOLOPv2(nano_checkpoint, size=160, device="cpu", runtime="torch", precision="float32")
    assert "PyTorch" in repr(other)
    ours, theirs = model(pictures[0]), other(pictures[0])
    assert other.names == model.names
    assert len(ours.vehicles) == len(theirs.vehicles)
    np.testing.assert_allclose(ours.vehicles.xyxy, theirs.vehicles.xyxy, atol=0.05)
    assert (ours.drivable != theirs.drivable).mean() < 1e-3


def test_network_is_a_module(nano_checkpoint):
    torch = pytest.importorskip("torch")
    out = YOLOPv2(nano_checkpoint, device="cpu").network(torch.rand(2, 3, 64, 96))
    assert [tuple(level.shape) for level in out.detections] == [(2, 21, 8, 12), (2, 21, 4, 6), (2, 21, 2, 3)]
    assert out.drivable.shape == (2, 2, 64, 96)
    assert out.lanes.shape == (2, 1, 64, 96)


def test_export_writes_a_model_that_sees_the_same(nano_checkpoint, pictures, tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    monkeypatch.chdir(tmp_path)
    model = YOLOPv2(nano_checkpoint, size=160, device="cpu")
    path = model.export("onnx")
    assert path.name == "nano.onnx"
    exported = YOLOPv2(path, size=160)
    assert (model(pictures[0]).drivable != exported(pictures[0]).drivable).mean() < 1e-2  # weights are float16 there
    with pytest.raises(YolopError, match="'tflite'"):
        model.export("tflite")
    with pytest.raises(YolopError, match="safetensors"):
        exported.export()


def test_wrong_options_are_named(nano_graph, model, pictures):
    for options in ({"size": 100}, {"device": "tpu"}, {"runtime": "caffe"}, {"precision": "int2"}):
        with pytest.raises(YolopError, match=str(next(iter(options.values())))):
            YOLOPv2(nano_graph, **options)
    for options in ({"conf": 2}, {"iou": -1}, {"max_det": 0}, {"batch": 0}):
        with pytest.raises(YolopError, match=next(iter(options))):
            model(pictures[0], **options)
    with pytest.raises(YolopError, match="nobody"):
        YOLOPv2("nobody")


def test_a_checkpoint_without_pytorch_is_one_sentence(nano_checkpoint, monkeypatch, tmp_path):
    import sys

    monkeypatch.setenv("YOLOPV2_CACHE", str(tmp_path))  # with no graph of it
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "yolopv2.inference.runtimes.torch_runtime", raising=False)
    with pytest.raises(MissingExtra, match=r'pip install "yolopv2\[torch\]"'):
        YOLOPv2(nano_checkpoint, device="cpu")


@pytest.mark.parametrize("form", ["nano_graph", "nano_checkpoint"])
def test_a_model_of_some_heads_and_classes_sees_those(form, model, pictures, request):
    weights = request.getfixturevalue(form)
    few = YOLOPv2(weights, size=160, device="cpu", heads=["detection", "lanes"], classes="truck")
    whole, part = model(pictures[0], conf=0.1, classes="truck"), few(pictures[0], conf=0.1)
    assert part.drivable is None
    assert (part.lanes != whole.lanes).mean() < 1e-3
    assert few.names == {0: "truck"}
    assert set(part.vehicles.class_id) == {0}
    assert part.vehicles.confidence.max() == pytest.approx(whole.vehicles.confidence.max(), abs=1e-3)


def test_a_part_of_a_checkpoint_is_exported_as_a_part(nano_checkpoint, tmp_path):
    pytest.importorskip("onnx")
    part = YOLOPv2(nano_checkpoint, size=160, device="cpu", heads=["detection"], classes=[1])
    assert part.network.heads == ("detection",)
    exported = YOLOPv2(part.export("onnx", tmp_path / "part.onnx"), size=160)
    assert exported.names == {0: "truck"}
    assert exported.predictor.runtime(np.zeros((1, 96, 160, 3), np.uint8)).scores.shape[2] == 1


def test_a_head_the_model_lacks_is_named(nano_graph, nano_checkpoint):
    for weights in (nano_graph, nano_checkpoint):
        with pytest.raises(YolopError, match="no head 'wings'"):
            YOLOPv2(weights, device="cpu", heads=["wings"])

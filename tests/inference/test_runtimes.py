import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from yolopv2.errors import MissingExtra, YolopError
from yolopv2.inference.postprocess import Thresholds
from yolopv2.inference.predictor import Predictor
from yolopv2.inference.preprocess import letterbox_batches
from yolopv2.inference.runtimes import choose_runtime
from yolopv2.inference.runtimes.openvino import _MOST_COMPILED, OpenVinoRuntime, cpu_precisions
from yolopv2.media import Frame

NAMES = {0: "car", 1: "truck"}


@pytest.fixture(scope="module")
def torch_runtime(network):
    from yolopv2.inference.runtimes.torch_runtime import TorchRuntime

    return TorchRuntime(network, NAMES)


@pytest.fixture(scope="module")
def canvases(pictures):
    return letterbox_batches([pictures[0], pictures[2], pictures[0][:, ::-1]], 160)[0].canvases


def arrays(candidates):
    return {name: getattr(candidates, name) for name in ("boxes", "scores", "drivable", "lanes")}


def assert_close(ours, reference):
    """Equal as far as float32 in another order of additions goes; masks to one step of 255."""
    np.testing.assert_allclose(ours.scores, reference.scores, atol=2e-5)
    np.testing.assert_allclose(ours.boxes, reference.boxes, atol=0.02)
    for mask, expected in ((ours.drivable, reference.drivable), (ours.lanes, reference.lanes)):
        assert mask.dtype == np.uint8
        assert np.abs(mask.astype(int) - expected).max() <= 1


def test_openvino_and_onnx_runtime_agree_with_pytorch(nano_runtime, torch_runtime, nano_graph, canvases):
    reference = torch_runtime(canvases)
    assert reference.boxes.shape == (len(canvases), reference.scores.shape[1], 4)
    assert reference.scores.max() > 0.3
    assert reference.drivable.std() > 1
    assert_close(nano_runtime(canvases), reference)
    onnx = pytest.importorskip("yolopv2.inference.runtimes.onnx")
    assert_close(onnx.OnnxRuntime(nano_graph)(canvases), reference)
    assert nano_runtime.names == torch_runtime.names == NAMES


def test_a_canvas_gives_the_same_whatever_else_is_in_its_batch(nano_runtime, torch_runtime, canvases):
    for runtime in (nano_runtime, torch_runtime):
        together = arrays(runtime(canvases))
        for row in range(len(canvases)):
            alone = arrays(runtime(canvases[row : row + 1]))
            assert all(np.array_equal(alone[name][0], together[name][row]) for name in alone)


def test_runtimes_leave_their_input_alone_and_give_arrays_of_their_own(nano_runtime, canvases):
    before = canvases.copy()
    first = nano_runtime(canvases[:1])
    kept = {name: array.copy() for name, array in arrays(first).items()}
    for batch in (canvases, canvases[1:2], canvases[2:]):
        nano_runtime(batch)
    assert np.array_equal(canvases, before)
    assert all(np.array_equal(array, kept[name]) for name, array in arrays(first).items())


def test_scenes_do_not_depend_on_the_batch(nano_runtime, pictures):
    predictor = Predictor(nano_runtime, size=160)
    frames = [Frame(picture, f"p{i}") for i, picture in enumerate(pictures)]
    alone = [predictor([frame], Thresholds(conf=0.2))[0].to_json() for frame in frames]
    assert [scene.to_json() for scene in predictor(frames, Thresholds(conf=0.2))] == alone
    streamed = predictor.stream(frames, Thresholds(conf=0.2), batch=4)
    assert [scene.to_json() for _, scene in streamed] == alone


def test_openvino_compiles_few_sizes_and_serves_any(nano_runtime, torch_runtime):
    for height in range(32, 32 * (_MOST_COMPILED + 3), 32):
        canvas = np.full((1, height, 64, 3), height, np.uint8)
        assert_close(nano_runtime(canvas), torch_runtime(canvas))
    assert len(nano_runtime._pools) <= _MOST_COMPILED + 2


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_lower_precisions_see_nearly_the_same_or_are_refused(nano_graph, nano_runtime, canvases, precision):
    if precision not in cpu_precisions():
        with pytest.raises(YolopError, match=f"no {precision}.*float32"):
            OpenVinoRuntime(nano_graph, precision)
        return
    low, exact = OpenVinoRuntime(nano_graph, precision)(canvases), nano_runtime(canvases)
    assert precision in OpenVinoRuntime(nano_graph, precision).description
    assert np.abs(low.scores - exact.scores).max() < 0.1
    assert np.abs(low.drivable.astype(int) - exact.drivable).mean() < 5


def test_torch_in_bfloat16_sees_nearly_the_same(network, torch_runtime, canvases):
    from yolopv2.inference.runtimes.torch_runtime import TorchRuntime

    low = TorchRuntime(network, NAMES, precision="bfloat16")(canvases)
    assert np.abs(low.scores - torch_runtime(canvases).scores).max() < 0.1


@pytest.mark.parametrize(("heads", "absent"), [(["lanes"], "drivable"), (["detection"], "lanes")])
def test_networks_of_few_heads_give_what_they_have(tmp_path, heads, absent, pictures):
    torch = pytest.importorskip("torch")
    from yolopv2.checkpoints.meta import CheckpointMeta
    from yolopv2.export.onnx import export_onnx
    from yolopv2.inference.runtimes.torch_runtime import TorchRuntime
    from yolopv2.network import Network

    torch.manual_seed(0)
    network = Network("nano", classes=1, heads=heads)
    export_onnx(network, tmp_path / "n.onnx", CheckpointMeta.of(network).to_dict())
    for runtime in (OpenVinoRuntime(tmp_path / "n.onnx"), TorchRuntime(network, {0: "vehicle"})):
        scene = Predictor(runtime, size=160)([Frame(pictures[0], "p")], Thresholds())[0]
        assert getattr(scene, absent) is None
        assert (scene.lanes is None) == ("lanes" not in heads)


@pytest.mark.parametrize("engine", ["openvino", "onnx"])
class TestPartsOfAGraph:
    def test_the_asked_heads_give_the_same_and_the_others_nothing(self, nano_graph, nano_runtime, canvases, engine):
        whole = nano_runtime(canvases)
        for head, names in (("detection", ("boxes", "scores")), ("drivable", ("drivable",)), ("lanes", ("lanes",))):
            part = choose_runtime(nano_graph, None, runtime=engine, precision="float32", heads=[head])(canvases)
            assert part.boxes.shape[1] == (whole.boxes.shape[1] if head == "detection" else 0)
            for name in names:
                difference = np.abs(getattr(part, name).astype(float) - getattr(whole, name)).max()
                assert difference <= {"boxes": 0.02, "scores": 2e-5}.get(name, 1)
            for name in {"drivable", "lanes"} - {head}:
                assert getattr(part, name) is None

    def test_the_asked_classes_keep_their_scores(self, nano_graph, nano_runtime, canvases, engine):
        part = choose_runtime(nano_graph, None, runtime=engine, precision="float32", classes="truck")
        assert part.names == {0: "truck"}
        seen, whole = part(canvases), nano_runtime(canvases)
        np.testing.assert_allclose(seen.scores[..., 0], whole.scores[..., 1], atol=2e-5)
        np.testing.assert_allclose(seen.boxes, whole.boxes, atol=0.02)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"heads": ["wings"]}, "no head 'wings'; it has: detection, drivable, lanes"),
            ({"heads": []}, "no head"),
            ({"classes": ["tram"]}, "tram.*0 car, 1 truck"),
        ],
    )
    def test_what_the_graph_lacks_is_named(self, nano_graph, options, message, engine):
        with pytest.raises(YolopError, match=message):
            choose_runtime(nano_graph, None, runtime=engine, **options)


def test_openvino_computes_nothing_for_heads_that_are_not_asked_for(nano_graph):
    whole = OpenVinoRuntime(nano_graph)._model()
    lanes = OpenVinoRuntime(nano_graph, heads=["lanes"])._model()
    assert [output.any_name for output in lanes.outputs] == ["lanes"]
    # Of constants that are equal, engines keep one.
    names = {node.get_friendly_name() for node in lanes.get_ordered_ops() if node.get_type_name() != "Constant"}
    assert not [name for name in names if "/detection/" in name or "/drivable/" in name]
    assert len(names) < 0.8 * len(whole.get_ordered_ops())


class TestChoosing:
    def test_an_exported_graph_runs_in_openvino_on_the_cpu(self, nano_graph):
        assert isinstance(choose_runtime(nano_graph, None), OpenVinoRuntime)
        assert "OpenVINO" in choose_runtime(nano_graph, None, device="cpu").description

    def test_precision_by_itself_is_what_the_processor_is_quick_in(self, nano_graph, network):
        expected = "bfloat16" if "bfloat16" in cpu_precisions() else "float32"
        assert expected in choose_runtime(nano_graph, None, device="cpu").description
        assert expected in choose_runtime(None, lambda: (network, NAMES), device="cpu").description
        pytest.importorskip("onnxruntime")
        assert "float32" in choose_runtime(nano_graph, None, runtime="onnx").description

    def test_a_network_is_loaded_only_where_pytorch_runs_it(self, nano_graph, network):
        def load():
            loaded.append(True)
            return network, NAMES

        loaded = []
        choose_runtime(nano_graph, load, device="cpu")
        assert not loaded
        assert "PyTorch" in choose_runtime(nano_graph, load, device="cpu", runtime="torch").description
        assert "PyTorch" in choose_runtime(None, load, device="cpu").description
        assert len(loaded) == 2

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"runtime": "tensorrt"}, "no runtime is called 'tensorrt'.*openvino"),
            ({"precision": "int4"}, "no precision is called 'int4'"),
            ({"runtime": "torch"}, r"\.safetensors"),
            ({"runtime": "openvino", "device": "cuda"}, "OpenVINO runs on the CPU"),
            ({"runtime": "onnx", "device": "tpu"}, "cannot use the device 'tpu'"),
            ({"runtime": "onnx", "precision": "float16"}, "float32 only"),
        ],
    )
    def test_what_cannot_be_is_said(self, nano_graph, options, message):
        with pytest.raises(YolopError, match=message):
            choose_runtime(nano_graph, None, **options)

    @pytest.mark.parametrize(("device", "message"), [("cuda:77", "no device cuda:77 here"), ("quantum", "quantum")])
    def test_devices_that_are_not_there_are_named(self, network, device, message):
        with pytest.raises(YolopError, match=f"{message}.*cpu"):
            choose_runtime(None, lambda: (network, NAMES), device=device)

    def test_a_network_alone_needs_pytorch_or_an_export(self, network):
        with pytest.raises(YolopError, match="yolopv2 export"):
            choose_runtime(None, lambda: (network, NAMES), runtime="openvino")

    def test_a_missing_engine_is_one_sentence(self, nano_graph, monkeypatch):
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        monkeypatch.delitem(sys.modules, "yolopv2.inference.runtimes.onnx", raising=False)
        with pytest.raises(MissingExtra, match=r"yolopv2\[onnx\]"):
            choose_runtime(nano_graph, None, runtime="onnx")

    @pytest.mark.parametrize("content", [b"", b"no graph", b"\x08\x07" * 50])
    @pytest.mark.parametrize("runtime", ["openvino", "onnx"])
    def test_damaged_graphs_are_refused(self, tmp_path, content, runtime):
        path = tmp_path / "bad.onnx"
        path.write_bytes(content)
        with pytest.raises(YolopError, match=r"bad\.onnx"):
            choose_runtime(path, None, runtime=runtime)

    def test_foreign_and_missing_graphs_are_refused(self, tmp_path, nano_graph):
        onnx = pytest.importorskip("onnx")
        model = onnx.load(nano_graph)
        del model.metadata_props[:]
        onnx.save(model, tmp_path / "foreign.onnx")
        for runtime in ("openvino", "onnx"):
            with pytest.raises(YolopError, match="not written by yolopv2"):
                choose_runtime(tmp_path / "foreign.onnx", None, runtime=runtime)
            with pytest.raises(YolopError, match=r"gone\.onnx"):
                choose_runtime(Path("gone.onnx"), None, runtime=runtime)


SIGNALLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from yolopv2.inference.runtimes.openvino import OpenVinoRuntime

def compare(canvas):
    one, other = OpenVinoRuntime(Path(sys.argv[1])), OpenVinoRuntime(Path(sys.argv[1]))
    one(canvas), other(canvas)

compare(np.zeros((1, 64, 96, 3), np.uint8))
try:
    os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_ctrl_c_is_heard_after_two_models_have_gone(nano_graph):
    # With a core of its own for each, the process died: they go in the order in which they came.
    command = [sys.executable, "-c", SIGNALLED, str(nano_graph)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stdout) == (0, "interrupted\n")

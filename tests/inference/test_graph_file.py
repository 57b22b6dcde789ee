import gc
import json
import shutil
import weakref

import numpy as np
import pytest

from yolopv2.errors import YolopError
from yolopv2.inference.runtimes import openvino
from yolopv2.inference.runtimes.compiled import compiled_folder, store_entry
from yolopv2.inference.runtimes.graph_file import Description, GraphFile
from yolopv2.inference.runtimes.openvino import OpenVinoRuntime, openvino_core, openvino_library

CANVAS = np.random.default_rng(2).integers(0, 256, (1, 64, 96, 3), dtype=np.uint8)
WIDE = np.random.default_rng(3).integers(0, 256, (1, 64, 128, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("YOLOPV2_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def graph(nano_graph, tmp_path):
    return shutil.copy(nano_graph, tmp_path / "my.onnx")


@pytest.fixture
def xml(nano_graph, tmp_path):
    path = tmp_path / "my.xml"
    ov = openvino_library()
    ov.save_model(openvino_core().read_model(nano_graph), path)
    return path


class CountingCore:
    """OpenVINO's, which counts how often it reads a model, and watches those it gave."""

    def __init__(self):
        self.core, self.given = openvino_core(), []

    def read_model(self, path):
        model = self.core.read_model(path)
        self.given.append(weakref.ref(model))
        return model

    def __getattr__(self, name):
        return getattr(self.core, name)


@pytest.fixture
def core(monkeypatch):
    counting = CountingCore()
    monkeypatch.setattr(openvino, "openvino_core", lambda: counting)
    return counting


def test_with_a_warm_cache_the_layers_are_not_read(graph, core):
    first = OpenVinoRuntime(graph)
    seen = first(CANVAS)
    assert len(core.given) == 1  # read once, for the description and to compile
    again = OpenVinoRuntime(graph)
    np.testing.assert_array_equal(again(CANVAS).scores, seen.scores)
    np.testing.assert_array_equal(again(CANVAS).lanes, seen.lanes)
    assert len(core.given) == 1
    assert again.names == first.names
    again(WIDE)  # a size that has not been compiled
    assert len(core.given) == 2
    cut = OpenVinoRuntime(graph, heads=["lanes"])
    assert len(core.given) == 2
    assert cut(CANVAS).drivable is None
    assert len(core.given) == 3


def test_the_layers_are_not_held_after_compiling(graph, core):
    runtime = OpenVinoRuntime(graph)
    assert core.given[0]() is not None  # they are about to be compiled
    runtime(CANVAS)
    runtime(WIDE)
    gc.collect()
    assert [given() for given in core.given] == [None, None]


def test_the_layers_are_not_held_where_the_graph_was_compiled_already(graph, core):
    OpenVinoRuntime(graph)(CANVAS)
    min(compiled_folder().glob("*.blob"), key=lambda path: path.stat().st_size).unlink()  # the description
    runtime = OpenVinoRuntime(graph)
    runtime(CANVAS)
    gc.collect()
    assert [given() for given in core.given] == [None, None]
    assert len(list(compiled_folder().glob("*.blob"))) == 2  # described again


@pytest.mark.parametrize("change", [lambda c: c + b"\0", lambda c: b"", lambda c: c[: len(c) // 2]])
def test_a_file_that_changes_meanwhile_is_noticed(graph, change):
    runtime = OpenVinoRuntime(graph)
    seen = runtime(CANVAS)
    graph.write_bytes(change(graph.read_bytes()))
    np.testing.assert_array_equal(runtime(CANVAS).scores, seen.scores)  # of what was loaded
    for _ in range(2):
        with pytest.raises(YolopError, match=r"my.onnx (has changed since|cannot be read as a model)"):
            runtime(WIDE)


def test_another_good_graph_in_its_place_is_noticed(graph, tmp_path):
    runtime = OpenVinoRuntime(graph)
    runtime(CANVAS)
    onnx = pytest.importorskip("onnx")
    model = onnx.load(graph)
    model.producer_name = "somebody"
    onnx.save(model, graph)
    with pytest.raises(YolopError, match=r"my.onnx has changed since the model was loaded: load it again"):
        runtime(WIDE)
    assert OpenVinoRuntime(graph)(WIDE).boxes.shape[0] == 1


def test_changed_weights_beside_an_xml_are_noticed(xml):
    runtime = OpenVinoRuntime(xml)
    runtime(CANVAS)
    weights = xml.with_suffix(".bin")
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    replacement = xml.with_suffix(".new")
    replacement.write_bytes(content)
    replacement.replace(weights)
    with pytest.raises(YolopError, match="has changed since"):
        runtime(WIDE)
    weights.unlink()
    for call in (lambda: runtime(WIDE), lambda: OpenVinoRuntime(xml)):
        with pytest.raises(YolopError, match=r"my.xml cannot be read.*the \.bin beside it is missing or damaged"):
            call()


WRONG = [
    b"",
    b"{",
    b"[1]",
    b"[" * 100_000,
    b'{"metadata": 1, "outputs": [], "takes": []}',
    b'{"metadata": null, "outputs": "ab", "takes": []}',
    b'{"metadata": null, "outputs": [1], "takes": []}',
    b'{"metadata": null, "outputs": [], "takes": [1, 2]}',
    b'{"metadata": null, "outputs": [], "takes": [1, 64, true, 3]}',
    b'{"metadata": null, "outputs": [], "takes": [], "more": 1}',
]


@pytest.mark.parametrize("wrong", WRONG, ids=range(len(WRONG)))
def test_a_description_of_another_form_counts_as_absent(graph, wrong):
    assert Description.from_json(wrong) is None
    expected = GraphFile(graph, openvino_core()).description
    (path,) = compiled_folder().glob("*.blob")
    store_entry(path.stem, wrong)
    assert GraphFile(graph, openvino_core()).description == expected
    assert json.loads(path.read_bytes()[:-32])["takes"] == [None, None, None, 3]


def test_a_damaged_description_counts_as_absent(graph):
    expected = OpenVinoRuntime(graph)(CANVAS).scores
    for path in compiled_folder().glob("*.blob"):
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    np.testing.assert_array_equal(OpenVinoRuntime(graph)(CANVAS).scores, expected)


def test_a_graph_of_somebody_else_is_refused_each_time(tmp_path):
    ov = openvino_library()
    taken = ov.opset13.parameter(ov.PartialShape.dynamic(), ov.Type.f32)
    ov.save_model(ov.Model([ov.opset13.result(taken)], [taken]), tmp_path / "other.xml")
    for _ in range(2):
        with pytest.raises(YolopError, match=r"other\.xml was not written by yolopv2"):
            OpenVinoRuntime(tmp_path / "other.xml")


def test_a_graph_that_only_claims_to_be_ours_is_refused(tmp_path):
    ov = openvino_library()
    taken = ov.opset13.parameter(ov.PartialShape.dynamic(), ov.Type.f32)
    model = ov.Model([ov.opset13.result(taken)], [taken])
    model.set_rt_info('{"names": []}', ["framework", "yolopv2"])
    ov.save_model(model, tmp_path / "other.xml")
    with pytest.raises(YolopError, match=r"other\.xml cannot be read as a model"):
        OpenVinoRuntime(tmp_path / "other.xml")

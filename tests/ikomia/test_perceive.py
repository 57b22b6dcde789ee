"""What infer_yolop_v2 gives, in the shapes that Ikomia documents, and without the faults of the plugin of that name."""

import base64
import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from yolopv2 import YOLOPv2
from yolopv2.errors import YolopError
from yolopv2.ikomia import IODataType, Workflow
from yolopv2.ikomia.outputs import CLASSES, COLOURS, merged_mask, segmented
from yolopv2.media import Frame


def decoded(text: str) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_UNCHANGED)


def test_the_outputs_are_those_of_the_model(perceive, nano_graph, pictures):
    wf, algo = perceive()
    wf.run_on(array=pictures[3])
    scene = YOLOPv2(nano_graph, size=160)(pictures[3], conf=0.1)
    assert len(scene.vehicles) > 1
    found = json.loads(algo.get_output(1).to_json())
    assert set(found) == {"detections", "referenceImageIndex"}
    boxes = np.array([[d["box"][side] for side in ("x", "y", "width", "height")] for d in found["detections"]])
    xyxy = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    np.testing.assert_allclose(xyxy, scene.vehicles.xyxy, atol=1e-3)
    assert [d["label"] for d in found["detections"]] == [scene.names[i] for i in scene.vehicles.class_id]
    assert all(set(d) == {"id", "label", "confidence", "box", "color"} for d in found["detections"])
    assert all(set(d["color"]) == {"r", "g", "b"} for d in found["detections"])
    mask = algo.get_output(0).get_overlay_mask()
    np.testing.assert_array_equal(mask == 2, scene.lanes)
    np.testing.assert_array_equal(mask == 1, scene.drivable & ~scene.lanes)
    lanes = json.loads(algo.get_output(3).to_json())["lanes"]
    assert [lane["id"] for lane in lanes] == list(range(len(scene.lane_lines)))
    for lane, line in zip(lanes, scene.lane_lines, strict=True):
        np.testing.assert_allclose(lane["points"], line, atol=1e-3)


def test_segmentation_json_has_the_background_first(perceive, pictures):
    wf, algo = perceive()
    wf.run_on(array=pictures[3])
    found = json.loads(algo.get_output(2).to_json())
    assert set(found) == {"mask", "classes", "colors", "referenceImageIndex", "polygons"}
    assert found["classes"] == ["background", "road", "lane"]
    assert [tuple(colour[c] for c in "rgb") for colour in found["colors"]] == list(COLOURS)
    np.testing.assert_array_equal(decoded(found["mask"]), algo.get_output(2).get_mask())
    assert {polygon["category"] for polygon in found["polygons"]} <= {"road", "lane"}


@given(st.data(), st.tuples(st.integers(1, 6), st.integers(1, 6)))
def test_the_merged_mask_is_an_index_into_the_classes_and_lane_wins(data, shape):
    road, lane = (data.draw(arrays(bool, shape)) for _ in range(2))
    mask = merged_mask(segmented(Frame(np.zeros((*shape, 3), np.uint8), ""), road, lane))
    names = np.array(CLASSES)[mask]
    expected = np.where(lane, "lane", np.where(road, "road", "background"))
    assert (names == expected).all()


@pytest.mark.parametrize("size", ["96", "160"])
def test_every_output_has_the_size_of_its_image_whatever_the_input_size(perceive, pictures, size):
    """Not forced to 1280x720, and right at other input sizes than 640."""
    wf, algo = perceive(input_size=size)
    for picture in (pictures[1], pictures[4]):
        wf.run_on(array=picture)
        assert algo.get_output(0).get_image().shape == picture.shape
        assert algo.get_output(0).get_overlay_mask().shape == picture.shape[:2]
        height, width = picture.shape[:2]
        for found in algo.get_output(1).get_objects():
            box = found["box"]
            assert 0 <= box["x"] <= box["x"] + box["width"] <= width + 1e-3
            assert 0 <= box["y"] <= box["y"] + box["height"] <= height + 1e-3


def test_every_object_of_a_frame_has_an_id_of_its_own(perceive, pictures):
    wf, algo = perceive()
    wf.run_on(array=pictures[3])
    ids = [found["id"] for found in algo.get_output(1).get_objects()]
    assert len(ids) > 1
    assert len(set(ids)) == len(ids)


def test_channels_are_taken_as_rgb(perceive, nano_graph, folder):
    """A red picture is red for the network whether it comes as an array or from a file."""
    from yolopv2.media import write_image

    red = np.zeros((90, 160, 3), np.uint8)
    red[..., 0] = np.random.default_rng(0).integers(0, 256, (90, 160))
    write_image(folder / "red.png", red)
    wf, algo = perceive()
    wf.run_on(array=red)
    from_array = algo.get_output(1).to_json(), algo.get_output(0).get_image().copy()
    wf.run_on(path=folder / "red.png")
    assert algo.get_output(1).to_json() == from_array[0]
    np.testing.assert_array_equal(algo.get_output(0).get_image(), red)
    np.testing.assert_array_equal(from_array[1], red)
    model = YOLOPv2(nano_graph, size=160)
    seen, reversed_seen = (model(image, conf=0.1).vehicles.xyxy for image in (red, red[..., ::-1].copy()))
    np.testing.assert_array_equal(seen, algo.get_output(1).scene.vehicles.xyxy)
    assert not np.array_equal(seen, reversed_seen)


def test_what_is_not_wanted_is_not_there(perceive, pictures):
    wf, algo = perceive(object="False")
    wf.run_on(array=pictures[3])
    assert json.loads(algo.get_output(1).to_json())["detections"] == []
    assert algo.get_output(0).get_overlay_mask() is not None
    wf, algo = perceive(road_lane=False)
    wf.run_on(array=pictures[3])
    assert len(algo.get_output(1).get_objects()) > 1
    assert algo.get_output(0).get_overlay_mask() is None
    assert json.loads(algo.get_output(2).to_json())["mask"] is None
    assert json.loads(algo.get_output(3).to_json()) == {"lanes": []}


def test_pictures_with_results(perceive, pictures):
    wf, algo = perceive()
    with pytest.raises(YolopError, match="has not run yet"):
        algo.get_image_with_graphics()
    wf.run_on(array=pictures[3])
    scene = algo.get_output(1).scene
    np.testing.assert_array_equal(algo.get_image_with_graphics(), scene.draw(layers=("masks", "boxes", "labels")))
    np.testing.assert_array_equal(algo.get_image_with_mask(), scene.draw(layers=("drivable", "lanes")))
    np.testing.assert_array_equal(algo.get_image_with_mask_and_graphics(), scene.draw())
    output = algo.get_output(0)
    np.testing.assert_array_equal(output.get_image_with_mask(algo.get_output(2)), algo.get_image_with_mask())
    np.testing.assert_array_equal(output.get_image_with_graphics(algo.get_output(1)), algo.get_image_with_graphics())
    assert decoded(json.loads(output.to_json())["image"]).shape == pictures[3].shape
    assert "\n" in output.to_json(["json_format", "indented"])
    with pytest.raises(YolopError, match="json_format"):
        output.to_json(["yaml"])


def test_parameters_are_strings_or_what_they_mean(perceive):
    _, algo = perceive()
    algo.set_parameters({"conf_thres": "0.25", "object": "False", "input_size": 320, "road_lane": True})
    assert (algo.params.conf_thres, algo.params.object, algo.params.input_size) == (0.25, False, 320)
    assert all(isinstance(value, str) for value in algo.get_parameters().values())
    again = Workflow().add_task(name="infer_yolop_v2", params=algo.get_parameters())
    assert again.get_parameters() == algo.get_parameters()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"conf_thresh": "0.2"}, "perhaps 'conf_thres' is meant"),
        ({"conf_thres": "1.5"}, "conf_thres.*less than or equal to 1"),
        ({"conf_thres": "nan"}, "conf_thres"),
        ({"conf_thres": "high"}, "conf_thres.*'high'"),
        ({"input_size": "650"}, "take 640 or 672"),
        ({"input_size": "-32"}, "input_size"),
        ({"object": "perhaps"}, "object.*'perhaps'"),
        ({"precision": "int1"}, "precision"),
        ({3: "x"}, "no parameter 3"),
    ],
)
def test_wrong_parameters_are_named_and_change_nothing(perceive, params, message):
    _, algo = perceive()
    before = algo.get_parameters()
    with pytest.raises(YolopError, match=message):
        algo.set_parameters(params)
    assert algo.get_parameters() == before


def test_weights_that_are_not_there_are_named(perceive, pictures):
    wf, _ = perceive(model_weight_file="", model_name="nanno")
    with pytest.raises(YolopError, match="nanno"):
        wf.run_on(array=pictures[0])


def test_the_model_is_loaded_once_and_anew_where_that_is_asked_for(perceive, pictures, monkeypatch):
    import yolopv2.ikomia.perceive as module

    loaded = []
    load = module.YOLOPv2
    monkeypatch.setattr(module, "YOLOPv2", lambda *given, **options: loaded.append(options) or load(*given, **options))
    wf, algo = perceive()
    for params in ({}, {"conf_thres": "0.3"}, {"update": "True"}, {}, {"cuda": "False"}, {"precision": "float32"}):
        algo.set_parameters(params)
        wf.run_on(array=pictures[0])
    assert [(options["device"], options["precision"]) for options in loaded] == [
        ("auto", "auto"),
        ("auto", "auto"),
        ("cpu", "auto"),
        ("cpu", "float32"),
    ]
    assert algo.get_parameters()["update"] == "False"


def test_half_precision_is_passed_on(perceive, pictures):
    wf, algo = perceive(precision="bfloat16")
    wf.run_on(array=pictures[0])
    assert "bfloat16" in algo.perceiver._model.predictor.runtime.description


def test_outputs_by_type(perceive, pictures):
    wf, algo = perceive()
    wf.run_on(array=pictures[0])
    kind = IODataType.OBJECT_DETECTION
    assert wf.get_task_output(algo, types=[kind], output_index=0) is algo.get_output(1)
    assert wf.get_task_output(task_name="infer_yolop_v2", types=[kind]) == [algo.get_output(1)]
    assert wf.get_task_output(task_name="infer_yolop_v2") == [algo.get_output(0)]
    with pytest.raises(YolopError, match="gave 1 outputs"):
        wf.get_task_output(algo, types=[kind], output_index=1)
    with pytest.raises(YolopError, match="no output 9"):
        algo.get_output(9)

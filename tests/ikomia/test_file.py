"""Workflows are what they were after saving and loading, and bad files are refused in plain words."""

import json

import pytest

from yolopv2.errors import YolopError
from yolopv2.ikomia import Workflow


@pytest.fixture
def wf():
    wf = Workflow("streets")
    algo = wf.add_task(name="infer_yolop_v2", params={"conf_thres": "0.35"}, auto_connect=True)
    kept = wf.add_task(name="filter", params={"categories": "vehicle"}, auto_connect=True)
    wf.add_task(name="write", auto_connect=True)
    wf.connect_tasks(algo, wf.add_task(name="draw"), [(0, 0), (2, 2)])
    wf.save(
        "wf.json",
        exposed_params={
            "infer_yolop_v2": {"conf_thres": {"name": "confidence", "description": "how sure"}},
            1: {"region": {}},
        },
        exposed_outputs={kept: [{"index": 1, "description": "vehicles"}]},
    )
    return wf


@pytest.fixture
def content(wf, folder):
    return json.loads((folder / "wf.json").read_text())


def test_a_workflow_comes_back(wf, folder):
    again = Workflow()
    again.load("wf.json")
    assert repr(again) == repr(wf)
    assert [task.get_parameters() for task in again.get_tasks()] == [task.get_parameters() for task in wf.get_tasks()]
    places = [{task: number for number, task in enumerate(each.get_tasks())} for each in (wf, again)]
    edges = [
        [(place[edge.source], edge.output, place[edge.target], edge.input) for edge in each.graph.edges]
        for place, each in zip(places, (wf, again), strict=True)
    ]
    assert edges[0] == edges[1]
    again.save("again.json")
    assert (folder / "again.json").read_text() == (folder / "wf.json").read_text()


def test_what_is_exposed_can_be_set_by_its_name(wf):
    again = Workflow()
    again.load("wf.json")
    assert again.get_workflow_parameters() == {"confidence": "0.35", "region": ""}
    again.set_workflow_parameters({"confidence": "0.5"})
    assert again.find_task("infer_yolop_v2", 0).params.conf_thres == 0.5
    with pytest.raises(YolopError, match="perhaps 'confidence' is meant"):
        again.set_workflow_parameters({"confidense": "0.5"})
    with pytest.raises(YolopError, match="filter has not run yet"):
        again.get_outputs()
    again.remove_task(name="filter")
    assert list(again.get_workflow_parameters()) == ["confidence"]
    assert again.get_outputs() == []


@pytest.mark.parametrize(
    ("exposed", "message"),
    [
        ({"exposed_params": {"filter": {"reegion": {}}}}, "perhaps 'region' is meant"),
        ({"exposed_params": {"filtre": {}}}, "no task 'filtre'"),
        ({"exposed_params": {9: {}}}, "no task with the id 9"),
        ({"exposed_params": {0: {"object": {"name": "x"}, "cuda": {"name": "x"}}}}, "two parameters.*'x'"),
        ({"exposed_outputs": {"filter": [{"index": 9}]}}, "no output 9"),
        ({"exposed_outputs": {"filter": [{}]}}, "no output None"),
    ],
)
def test_only_what_exists_can_be_exposed(wf, folder, exposed, message):
    with pytest.raises(YolopError, match=message):
        wf.save("bad.json", **exposed)
    assert not (folder / "bad.json").exists()
    assert "confidence" in wf.get_workflow_parameters()


def change(content, *path_and_value):
    *path, last, value = path_and_value
    for key in path:
        content = content[key]
    content[last] = value


@pytest.mark.parametrize(
    ("path_and_value", "message"),
    [
        (("tasks", 0, "task_data", "name", "os.system"), "no task is called 'os.system'"),
        (("tasks", 0, "task_data", "parameters", 0, "name", "nope"), "no parameter 'nope'"),
        (("tasks", 0, "task_data", "parameters", 1, "value", "many"), "'many'"),
        (("tasks", 0, "task_data", "parameters", 1, "value", None), r"parameters\.1\.value"),
        (("tasks", 1, "task_id", 0), "two tasks have the id 0"),
        (("tasks", 1, "task_id", -1), "tasks.1.task_id"),
        (("connections", 0, "source_id", 77), "no task with the id 77"),
        (("connections", 0, "target_index", 5), "no input 5"),
        (("connections", 0, "source_id", 1), "round in a circle|they do not fit"),
        (("connections", 0, "source_index", "x"), "connections.0.source_index"),
        (("exposed_parameters", 0, "task_param_name", "nope"), "no parameter 'nope'"),
        (("exposed_outputs", 0, "task_output_index", -1), "no output -1"),
        (("tasks", {"a": 1}), "tasks"),
    ],
)
def test_unsound_files_are_refused_and_change_nothing(wf, content, folder, path_and_value, message):
    change(content, *path_and_value)
    (folder / "bad.json").write_text(json.dumps(content))
    before = repr(wf)
    with pytest.raises(YolopError, match=message):
        wf.load("bad.json")
    assert repr(wf) == before


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"tasks": ' + "[" * 5000, "\x00\xff"])
def test_what_is_no_workflow_is_refused(folder, text):
    (folder / "bad.json").write_text(text, encoding="latin-1")
    with pytest.raises(YolopError, match=r"bad\.json is no workflow"):
        Workflow().load("bad.json")


def test_missing_and_huge_files_are_refused(folder):
    with pytest.raises(YolopError, match="cannot be read"):
        Workflow().load("missing.json")
    (folder / "huge.json").write_bytes(b" " * (5 << 20))
    with pytest.raises(YolopError, match="too large"):
        Workflow().load("huge.json")
    with pytest.raises(YolopError):
        Workflow().save(folder)

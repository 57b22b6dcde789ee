"""The verbs of a workflow. Most need no model: draw and write do with a picture alone."""

import json
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolopv2.errors import YolopError
from yolopv2.ikomia import IODataType, Workflow
from yolopv2.ikomia.steps import Draw
from yolopv2.media import VideoWriter, write_image


@pytest.fixture
def drawn():
    """A workflow that needs no model, and its one task."""
    wf = Workflow("drawn")
    return wf, wf.add_task(name="draw", auto_connect=True)


@pytest.fixture
def video(folder, pictures):
    path = folder / "drive.mp4"
    with VideoWriter(path, 10, 160, 90) as writer:
        for shift in range(3):
            writer.write(np.roll(pictures[0], 20 * shift, axis=1))
    return path


def test_tasks_are_added_found_and_removed(drawn):
    wf, draw = drawn
    other = wf.add_task(Draw())
    assert wf.get_tasks() == [wf.root(), draw, other]
    assert wf.find_task("draw") == [draw, other]
    assert wf.find_task("draw", 1) is other
    assert wf.find_task("filter") == []
    wf.remove_task(name="draw", index=1)
    wf.remove_task(draw)
    assert wf.get_tasks() == [wf.root()]
    assert wf.graph.edges == []


def test_auto_connect_follows_the_task_before():
    wf = Workflow()
    tasks = [wf.add_task(name=name, auto_connect=True) for name in ("infer_yolop_v2", "filter", "draw", "write")]
    chain = [wf.root(), *tasks]
    assert [wf.graph.parents(task)[0] for task in tasks] == chain[:-1]
    assert repr(wf) == "Workflow('Untitled': root -> infer_yolop_v2 -> filter -> draw -> write)"


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda wf, a, b: wf.add_task(name="infer_yolop_v3"), "no task is called.*infer_yolop_v2"),
        (lambda wf, a, b: wf.add_task(a), "already part"),
        (lambda wf, a, b: wf.add_task(name="draw", params={"layer": "boxes"}), "perhaps 'layers' is meant"),
        (lambda wf, a, b: wf.connect_tasks(b, a, [(1, 1)]), "round in a circle"),
        (lambda wf, a, b: wf.connect_tasks(a, a, [(1, 1)]), "round in a circle"),
        (lambda wf, a, b: wf.connect_tasks(wf.root(), b), "no output fits a free input"),
        (lambda wf, a, b: wf.connect_tasks(wf.root(), b, [(0, 0)]), "already fed"),
        (lambda wf, a, b: wf.connect_tasks(wf.root(), a, [(0, 1)]), "is IMAGE but.*OBJECT_DETECTION"),
        (lambda wf, a, b: wf.connect_tasks(wf.root(), a, [(1, 0)]), "root has no output 1"),
        (lambda wf, a, b: wf.connect_tasks(wf.root(), a, [(0, 9)]), "draw has no input 9"),
        (lambda wf, a, b: wf.connect_tasks(wf.root(), a, ["00"]), "is no edge"),
        (lambda wf, a, b: wf.connect_tasks(Draw(), a), "not part of this workflow"),
        (lambda wf, a, b: wf.remove_task(wf.root()), "root cannot be removed"),
        (lambda wf, a, b: wf.remove_task(name="drow"), "perhaps 'draw' is meant"),
        (lambda wf, a, b: wf.find_task("draw", 7), "none at index 7"),
        (lambda wf, a, b: wf.set_parameters({"layers": "boxes"}, task_name="none"), "no task 'none'"),
        (lambda wf, a, b: wf.set_image_input(path="a.jpg", url="http://b/c.jpg"), "path and url together"),
        (lambda wf, a, b: wf.set_image_input(), "none was given"),
        (lambda wf, a, b: wf.set_image_input(path="a.jpg", index=1), "no input 1"),
        (lambda wf, a, b: wf.set_directory_input("nowhere"), "no folder"),
        (lambda wf, a, b: wf.run(), "has no input"),
        (lambda wf, a, b: wf.run_on(path="nowhere.jpg"), "nowhere.jpg"),
        (lambda wf, a, b: Workflow().run_on(array=np.zeros((9, 9, 3), np.uint8)), "has no task"),
        (lambda wf, a, b: wf.get_task_output(a, output_index=3), "gave 0 outputs"),
        (lambda wf, a, b: a.get_output(0), "has not run yet"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(act, message):
    wf = Workflow()
    first = wf.add_task(name="draw", auto_connect=True)
    second = wf.add_task(name="draw", auto_connect=True)
    wf.graph.edges = [edge for edge in wf.graph.edges if edge.input != 1 or edge.target is not second]
    before = list(wf.get_tasks()), list(wf.graph.edges)
    wf.connect_tasks(first, second, [(1, 1)])
    before[1].append(wf.graph.edges[-1])
    with pytest.raises(YolopError, match=message):
        act(wf, first, second)
    assert (wf.get_tasks(), wf.graph.edges) == before


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=20))
def test_whatever_is_connected_never_goes_round(pairs):
    wf = Workflow()
    tasks = [wf.add_task(name="draw") for _ in range(6)]
    for source, target in pairs:
        try:
            wf.connect_tasks(tasks[source], tasks[target], [(0, 0)])
        except YolopError:
            continue
    order = wf.graph.order()
    assert sorted(map(id, order)) == sorted(map(id, tasks))
    for edge in wf.graph.edges:
        assert order.index(edge.source) < order.index(edge.target)


def test_a_task_without_what_it_needs_is_named():
    wf = Workflow()
    wf.add_task(name="filter", auto_connect=True)
    with pytest.raises(YolopError, match=r"input 1 of filter \(OBJECT_DETECTION\) is not connected"):
        wf.run_on(array=np.zeros((9, 9, 3), np.uint8))


def test_an_array_a_file_and_an_address_are_one(drawn, folder, pictures):
    wf, draw = drawn
    write_image(folder / "a.png", pictures[4])
    server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/a.png"
    try:
        for given_as in ({"array": pictures[4]}, {"path": folder / "a.png"}, {"path": "a.png"}, {"url": address}):
            wf.run_on(**given_as)
            np.testing.assert_array_equal(wf.root().get_output(0).get_image(), pictures[4])
            np.testing.assert_array_equal(draw.get_output(0).get_image(), pictures[4])
            wf.set_image_input(**given_as)
            wf.run()
            np.testing.assert_array_equal(draw.get_output(0).get_image(), pictures[4])
    finally:
        server.shutdown()
        server.server_close()


def test_of_a_video_the_last_frame_stays(drawn, video):
    wf, draw = drawn
    wf.set_video_input(path=video)
    wf.run()
    assert wf.last_run.frames == 3
    assert draw.get_output(0).frame.index == 2


def test_a_folder_is_walked_saved_and_what_is_broken_is_left_out(drawn, folder, pictures, video):
    wf, _ = drawn
    (folder / "in" / "below").mkdir(parents=True)
    write_image(folder / "in" / "a.png", pictures[0])
    write_image(folder / "in" / "below" / "b.png", pictures[1])
    (folder / "in" / "broken.jpg").write_bytes(b"no picture")
    wf.output_folder = str(folder / "out")
    wf.run_on(folder=folder / "in")
    assert wf.last_run.frames == 2
    assert ["broken.jpg" in str(problem) for problem in wf.last_run.problems] == [True]
    assert sorted(path.name for path in (folder / "out" / "draw").iterdir()) == ["a.jpg", "b.jpg"]
    with pytest.raises(YolopError, match=r"broken\.jpg"):
        wf.run_on(path=folder / "in" / "broken.jpg")
    wf.output_folder = str(folder / "in")
    with pytest.raises(YolopError):
        wf.run_on(folder=folder / "in")


def test_automatic_saving_writes_every_output(perceive, folder, pictures):
    wf, algo = perceive()
    wf.set_auto_save(True)
    wf.run_on(array=pictures[0])
    saved = {path.name: path for path in (folder / "runs/workflow/Untitled/infer_yolop_v2").iterdir()}
    assert sorted(saved) == [
        "array-0.jpg",
        "array-0_data_dict.json",
        "array-0_object_detection.json",
        "array-0_semantic_segmentation.json",
    ]
    assert saved["array-0_object_detection.json"].read_text() == algo.get_output(1).to_json() + "\n"


def test_time_metrics_add_up(drawn, pictures):
    wf, _ = drawn
    wf.add_task(name="draw", auto_connect=True)
    wf.run_on(array=pictures[0])
    metrics = wf.get_time_metrics()
    assert list(metrics) == ["total_time", "root", "draw", "draw-2"]
    assert metrics["draw-2"]["time_from_start"] == metrics["draw"]["task_time"] + metrics["draw-2"]["task_time"]
    assert 0 < metrics["draw-2"]["time_from_start"] <= metrics["total_time"]


def test_perceive_filter_draw_write(perceive, folder, pictures, video):
    wf, algo = perceive()
    kept = wf.add_task(name="filter", params={"categories": "car"}, auto_connect=True)
    draw = wf.add_task(name="draw", params={"layers": "boxes"}, auto_connect=True)
    wf.add_task(name="write", params={"folder": "out", "save": "image,json,coco"}, auto_connect=True)
    wf.run_on(path=video)
    labels = {found["label"] for found in algo.get_output(1).get_objects()}
    assert labels == {"car", "truck"}, "the untrained network sees both"
    cars = kept.get_output(1)
    assert {found["label"] for found in cars.get_objects()} == {"car"}
    expected = cars.scene.draw(algo.get_output(0).get_image(), layers=["boxes"])
    np.testing.assert_array_equal(draw.get_output(0).get_image(), expected)
    np.testing.assert_array_equal(draw.get_image_with_graphics(), expected)
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["drive.mp4", "results.json", "scenes.jsonl"]
    lines = [json.loads(line) for line in (folder / "out" / "scenes.jsonl").read_text().splitlines()]
    assert len(lines) == 3
    assert len(lines[-1]["vehicles"]) == len(cars.get_objects())
    assert wf.get_task_output(kept, types=[IODataType.OBJECT_DETECTION]) == [cars]

import json

import cv2
import numpy as np
import pytest

import yolopv2.model
from yolopv2 import YOLOPv2
from yolopv2.media import open_source, write_image
from yolopv2.scene import Scene


@pytest.fixture
def predict(cli, nano_graph, nano_runtime, tmp_path, monkeypatch):
    """Runs predict in a folder of its own, with a runtime that need not be compiled each time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(yolopv2.model, "choose_runtime", lambda *_: nano_runtime)
    return lambda *arguments: cli("predict", *arguments, "--weights", nano_graph, "--size", 160)


@pytest.fixture
def street(tmp_path, pictures):
    path = tmp_path / "input" / "street.jpg"
    write_image(path, pictures[0])
    return path


def lines(folder):
    return [Scene.from_dict(json.loads(line)) for line in (folder / "scenes.jsonl").read_text().splitlines()]


def test_a_picture(predict, street, tmp_path, nano_graph):
    ran = predict(street)
    assert ran.code == 0, ran.err
    folder = tmp_path / "runs" / "predict"
    assert sorted(path.name for path in folder.iterdir()) == ["scenes.jsonl", "street.jpg"]
    [scene] = lines(folder)
    expected = YOLOPv2(nano_graph, size=160)(street)
    assert scene.to_json() == expected.to_json()
    [drawn] = expected.save(tmp_path / "expected", ["image"])
    assert (folder / "street.jpg").read_bytes() == drawn.read_bytes()
    assert "frames: 1 in" in ran.out
    assert str(folder.relative_to(tmp_path)) in ran.out
    assert f"vehicles: {len(expected.vehicles)}" in ran.out


def test_earlier_results_are_kept(predict, street, tmp_path):
    for _ in range(3):
        predict(street)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["predict", "predict-2", "predict-3"]
    assert all(len(lines(folder)) == 1 for folder in (tmp_path / "runs").iterdir())


@pytest.mark.parametrize("options", [("--every", 4), ("--max-fps", 3)])
def test_a_thinned_video_keeps_its_duration(predict, drive, tmp_path, options):
    ran = predict(drive, "--output", "out", *options)
    assert ran.code == 0, ran.err
    assert [scene.index for scene in lines(tmp_path / "out")] == [0, 4, 8, 12, 16, 20]
    with open_source(tmp_path / "out" / "drive.mp4") as video:
        assert video.fps == pytest.approx(3)
        assert [frame.time for frame in video] == pytest.approx([0, 1 / 3, 2 / 3, 1, 4 / 3, 5 / 3], abs=0.01)


@pytest.mark.parametrize("options", [("--every", 0), ("--max-fps", -1)])
def test_a_pace_that_cannot_be_is_wrong_usage(predict, drive, options):
    ran = predict(drive, *options)
    assert ran.code == 2
    assert options[0].strip("-").replace("-", "_") in ran.err


@pytest.mark.parametrize("batch", [1, 5])
def test_a_video(predict, drive, tmp_path, batch):
    ran = predict(drive, "--output", "out", "--batch", batch)
    assert ran.code == 0, ran.err
    scenes = lines(tmp_path / "out")
    assert [scene.index for scene in scenes] == list(range(24))
    assert scenes[12].time == pytest.approx(1.0)
    with open_source(tmp_path / "out" / "drive.mp4") as annotated, open_source(drive) as original:
        assert len(list(annotated)) == 24
        assert annotated.fps == original.fps == 12
        assert annotated.size == original.size


def test_every_format(predict, street, drive, tmp_path):
    formats = "image,json,coco,yolo,masks,panoptic"
    assert predict(street, drive, "--output", "out", "--save", formats, "--conf", 0.1).code == 0
    out = tmp_path / "out"
    scenes = lines(out)
    results = json.loads((out / "results.json").read_text())
    assert len(results) == sum(len(scene.vehicles) for scene in scenes) > 0
    assert {result["image_id"] for result in results} >= {"street", "drive_000003"}
    assert len((out / "labels" / "street.txt").read_text().splitlines()) == len(scenes[0].vehicles)
    mask = cv2.imread(str(out / "masks" / "street_drivable.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(mask > 0, scenes[0].drivable)
    assert (out / "panoptic" / "drive_000023_panoptic.png").exists()
    assert not list(out.rglob(".*.part"))


def test_only_the_lines_when_nothing_else_is_wanted(predict, street, tmp_path):
    assert predict(street, "--output", "out", "--save", "json").code == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["scenes.jsonl"]


def test_sources_of_the_same_name_do_not_collide(predict, pictures, drive, tmp_path):
    sources = [tmp_path / name for name in ("a/1.jpg", "b/1.jpg", "b/1.png", "c/1.mp4", "d/1.mp4")]
    for source, picture in zip(sources[:3], pictures, strict=False):
        write_image(source, picture)
    for source in sources[3:]:
        source.parent.mkdir()
        source.write_bytes(drive.read_bytes())
    assert predict(*sources, "--output", "out").code == 0
    found = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert found == ["1-2.jpg", "1-3.jpg", "1-4.mp4", "1-5.mp4", "1.jpg", "scenes.jsonl"]


def test_the_same_video_twice_is_written_once(predict, drive, tmp_path):
    assert predict(drive, drive, "--output", "out").code == 0
    assert len(lines(tmp_path / "out")) == 48
    with open_source(tmp_path / "out" / "drive.mp4") as annotated:
        assert len(list(annotated)) == 24


def test_options_reach_the_model(predict, street, tmp_path):
    predict(street, "--output", "all", "--conf", 0.1, "--iou", 0.9)
    [everything] = lines(tmp_path / "all")
    for options, holds in (
        (["--classes", "truck"], lambda v: set(v.class_id) == {1}),
        (["--classes", "0, truck"], lambda v: set(v.class_id) == {0, 1}),
        (["--max-det", 2], lambda v: len(v) == 2),
        (["--iou", 0.1], lambda v: len(v) < len(everything.vehicles)),
    ):
        assert predict(street, "--output", "some", "--conf", 0.1, "--iou", 0.9, *options).code == 0
        assert holds(lines(tmp_path / "some")[0].vehicles)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.jpg"], "nowhere.jpg: it does not exist"),
        (["STREET", "--conf", "1.5"], "conf"),
        (["STREET", "--size", "100"], "multiple of 32"),
        (["STREET", "--save", "image,gif"], "'gif'"),
        (["STREET", "--classes", "tram"], "no class is called 'tram'; there are: 0 car, 1 truck"),
        (["STREET", "--weights", "bogus"], "bogus"),
        (["STREET", "--device", "cuda:5"], "cuda:5"),
        (["STREET", "--batch", "0"], "batch"),
        (["STREET", "--sise", "640"], "sise"),
        ([], "SOURCE"),
    ],
)
def test_wrong_usage_is_a_sentence_and_leaves_nothing(
    cli, nano_graph, street, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    arguments = [street if argument == "STREET" else argument for argument in arguments]
    ran = cli("predict", "--weights", nano_graph, *arguments)
    assert ran.code == 2
    assert message in ran.err
    assert "Traceback" not in ran.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("source", ["input/street.jpg", "input", "inp*/*.jpg"])
def test_results_are_kept_apart_from_inputs(predict, street, source):
    before = street.read_bytes()
    ran = predict(source, "--output", street.parent)
    assert ran.code == 2
    assert "among the inputs" in ran.err
    assert [path.name for path in street.parent.iterdir()] == ["street.jpg"]
    assert street.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_named(predict, street, tmp_path):
    (tmp_path / "taken").write_text("a file")
    ran = predict(street, "--output", tmp_path / "taken")
    assert ran.code == 2
    assert "taken" in ran.err
    assert "Traceback" not in ran.err


def test_help_says_what_matters(cli):
    ran = cli("predict", "--help")
    assert ran.code == 0
    for word in ("--weights", "--conf", "no sound", "scenes.jsonl", "Exit codes"):
        assert word in ran.out

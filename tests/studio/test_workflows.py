"""Workflows that a page sends: what they give is what the library gives, and they reach no file but the studio's."""

import io
import json
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from yolopv2.data.synthetic import Drive, render_scene
from yolopv2.files import encode_image
from yolopv2.ikomia import Workflow, load_tasks
from yolopv2.ikomia.registry import TASKS
from yolopv2.media import VideoWriter, decode_image
from yolopv2.scene.save import _owners
from yolopv2.studio.tasks import describe_tasks

FRAMES = 3
PARAMS = {"input_size": "320", "conf_thres": "0.3"}


@pytest.fixture
def make(tmp_path: Path) -> Any:
    """Makes the file of a workflow, as the library writes it."""

    def make(*tasks: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        wf = Workflow("near")
        for name, params in tasks:
            wf.add_task(name=name, params=params, auto_connect=True)
        wf.save(tmp_path / "near.json")
        return json.loads((tmp_path / "near.json").read_text())

    return make


@pytest.fixture
def whole(make: Any, tmp_path: Path) -> dict[str, Any]:
    return make(
        ("infer_yolop_v2", PARAMS),
        ("filter", {"confidence": "0.5"}),
        ("draw", {"layers": "boxes"}),
        ("write", {"folder": str(tmp_path / "elsewhere"), "save": "image,json,yolo"}),
    )


@pytest.fixture
def picture(studio: Any, street: bytes, read_parts: Any) -> str:
    return read_parts(studio.open(street))["facts"]["id"]


def ended(studio: Any, run: dict[str, Any]) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while run["state"] not in ("done", "failed", "cancelled") and time.monotonic() < deadline:
        time.sleep(0.02)
        run = studio.ask("GET", f"/api/workflow/runs/{run['id']}").json()
    return run


def run_on(studio: Any, workflow: dict[str, Any], **source: Any) -> dict[str, Any]:
    answer = studio.ask("POST", "/api/workflow/runs", json={"workflow": workflow, **source})
    assert answer.status_code == 200, answer.text
    return ended(studio, answer.json())


def test_what_tasks_give_is_what_the_library_gives(studio, whole, picture, street, tmp_path):
    run = run_on(studio, whole, picture=picture)
    assert (run["state"], run["error"], run["done"]) == ("done", "", 1)
    assert [task["name"] for task in run["tasks"]] == ["infer_yolop_v2", "filter", "draw", "write"]

    wf = Workflow()
    wf.load(tmp_path / "near.json")
    wf.run_on(array=decode_image(street).image)
    looked, kept, drawn = (wf.find_task(name, 0) for name in ("infer_yolop_v2", "filter", "draw"))
    for task, described in zip((looked, kept), run["tasks"], strict=False):
        objects = next(output["objects"] for output in described["outputs"] if "objects" in output)
        assert objects == task.get_output(1).get_objects()
    assert len(looked.get_output(1).get_objects()) > len(kept.get_output(1).get_objects()) > 0
    shares = run["tasks"][0]["outputs"][2]["shares"]
    assert shares["road"] == pytest.approx((looked.get_output(2).get_mask() == 1).mean())
    assert run["tasks"][0]["outputs"][3]["data"] == json.loads(looked.get_output(3).to_json())
    shown = decode_image(studio.ask("GET", f"/api/workflow/runs/{run['id']}/tasks/2.jpg").content).image
    assert np.abs(shown.astype(int) - drawn.get_image_with_mask_and_graphics()).mean() < 5  # JPEG loses a little
    assert studio.ask("GET", f"/api/workflow/runs/{run['id']}/tasks/3.jpg").status_code == 404  # 'write' gives none


def written(studio: Any, run: dict[str, Any], number: int) -> zipfile.ZipFile:
    address = studio.ask("POST", f"/api/workflow/runs/{run['id']}/tasks/{number}/files").json()["address"]
    return zipfile.ZipFile(io.BytesIO(studio.client.get(address).content))


def test_files_are_offered_and_never_written_where_the_page_says(studio, whole, picture, tmp_path):
    for folder in (str(tmp_path / "elsewhere"), "../../escaped", "/tmp/yolopv2-escaped", "~", ""):
        whole["tasks"][3]["task_data"]["parameters"][0]["value"] = folder
        run = run_on(studio, whole, picture=picture)
        assert run["state"] == "done"
    assert not (tmp_path / "elsewhere").exists()
    assert not Path("../../escaped").exists()
    assert not Path("/tmp/yolopv2-escaped").exists()
    assert run["tasks"][3]["files"] == 3
    with written(studio, run, 3) as files:
        assert sorted(files.namelist()) == ["labels/street.txt", "scenes.jsonl", "street.jpg"]
        scene = json.loads(files.read("scenes.jsonl"))
    objects = next(output["objects"] for output in run["tasks"][1]["outputs"] if "objects" in output)
    assert len(scene["vehicles"]) == len(objects)
    assert studio.ask("POST", f"/api/workflow/runs/{run['id']}/tasks/2/files").status_code == 404


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"model_weight_file": "/etc/passwd"}, "opens no files by name"),
        ({"model_name": "/etc/passwd"}, "No model is called"),
        ({"model_name": "https://evil.example/x.pt"}, "No model is called"),
        ({"model_name": "small"}, "No model is called"),
        ({"input_size": "32000"}, "less than or equal to 1920"),
    ],
)
def test_only_models_that_the_studio_offers(studio, make, picture, params, told, monkeypatch):
    monkeypatch.setattr("yolopv2.ikomia.perceive.YOLOPv2", None)
    workflow = make(("infer_yolop_v2", {**PARAMS, **params}))
    run = run_on(studio, workflow, picture=picture)
    assert run["state"] == "failed"
    assert told in run["error"]


def test_the_studios_models_are_shared(studio, make, picture, client):
    run_on(studio, make(("infer_yolop_v2", PARAMS)), picture=picture)
    models = client.app.state.models
    before = dict(models._open)
    run_on(studio, make(("infer_yolop_v2", PARAMS)), picture=picture)
    assert dict(models._open) == before


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        (lambda wf: wf.update(tasks=[], connections=[]), 200, "no task"),
        (lambda wf: wf["connections"].clear(), 200, "not connected"),
        (lambda wf: wf["tasks"][0]["task_data"].update(name="os.system"), 422, "no task is called"),
        (lambda wf: wf["tasks"].extend({**wf["tasks"][2], "task_id": 9 + n} for n in range(20)), 413, "up to 16"),
        (lambda wf: wf["tasks"][2]["task_data"]["parameters"][0].update(value="boxes," * 999), 413, "letters"),
        (lambda wf: wf.update(tasks="many"), 422, "no workflow"),
    ],
)
def test_bad_workflows_are_refused_in_plain_words(studio, whole, picture, change, status, told):
    change(whole)
    answer = studio.ask("POST", "/api/workflow/runs", json={"workflow": whole, "picture": picture})
    assert answer.status_code == status
    error = answer.json()["error"] if status != 200 else ended(studio, answer.json())["error"]
    assert told in error


def test_a_workflow_is_bounded_in_bytes_and_needs_something_to_work_on(studio, whole, client):
    huge = {"workflow": {"tasks": [], "padding": "x" * (1 << 20)}, "picture": "a"}
    assert studio.ask("POST", "/api/workflow/runs", json=huge).status_code == 413
    for source in ({}, {"picture": "gone"}, {"video": "gone"}, {"batch": "gone"}):
        assert studio.ask("POST", "/api/workflow/runs", json={"workflow": whole, **source}).status_code == 404
    assert studio.ask("POST", "/api/workflow/runs", json={"picture": "a"}).status_code == 422
    assert client.get("/api/workflow/tasks").status_code == 403


def test_a_file_is_checked_and_comes_back_as_the_library_writes_it(studio, whole, tmp_path):
    answer = studio.ask("POST", "/api/workflow/check", content=(tmp_path / "near.json").read_bytes())
    assert answer.json() == whole
    for bad in (b"", b"{", b"[]", b"[" * 100_000, b"\x00" * 100, json.dumps({"tasks": [{"task_id": -1}]}).encode()):
        answer = studio.ask("POST", "/api/workflow/check", content=bad)
        assert answer.status_code == 422
        assert "is no workflow" in answer.json()["error"]
    crowd = {"tasks": [{"task_id": n, "task_data": {"name": "draw"}} for n in range(9000)]}
    assert studio.ask("POST", "/api/workflow/check", json=crowd).status_code == 413
    whole["connections"].append({"source_id": 2, "source_index": 0, "target_id": 1, "target_index": 0})
    answer = studio.ask("POST", "/api/workflow/check", json=whole)
    assert "already fed" in answer.json()["error"]


@pytest.fixture
def drive(tmp_path: Path) -> bytes:
    path = tmp_path / "drive.mp4"
    with VideoWriter(path, 10, 160, 96) as video:
        for sample in Drive(119, 10, 96, 160).frames(FRAMES):
            video.write(sample.image)
    return path.read_bytes()


def test_a_whole_video_one_frame_of_it_and_a_batch(studio, whole, drive, street, read_parts):
    video = read_parts(studio.open(drive, "drive.mp4"))["facts"]["id"]
    while studio.ask("GET", f"/api/videos/{video}").json()["state"] not in ("done", "failed"):
        time.sleep(0.02)
    run = run_on(studio, whole, video=video)
    assert (run["state"], run["done"], run["total"]) == ("done", FRAMES, FRAMES)
    with written(studio, run, 3) as files:
        assert "drive.mp4" in files.namelist()
        assert [json.loads(line)["index"] for line in files.read("scenes.jsonl").splitlines()] == [0, 1, 2]
    assert run_on(studio, whole, video=video, frame=1)["done"] == 1
    answer = studio.ask("POST", "/api/workflow/runs", json={"workflow": whole, "video": video, "frame": 99})
    assert answer.status_code == 404

    batch = studio.ask("POST", "/api/batches", json={}).json()["id"]
    octets = {"Content-Type": "application/octet-stream"}
    given = [("a/street.png", street), ("a/bad.jpg", b"text"), ("a/drive.mp4", drive), ("b/street.png", street)]
    for number, (name, data) in enumerate(given):
        path = f"/api/batches/{batch}/files/{number}"
        row = studio.ask("POST", path, params={"name": name}, content=data, headers=octets).json()
        while row["state"] not in ("done", "failed"):
            row = studio.ask("GET", path).json()
    run = run_on(studio, whole, batch=batch)
    assert (run["state"], run["error"], run["done"], run["total"]) == ("done", "", FRAMES + 2, FRAMES + 2)
    with written(studio, run, 3) as files:
        assert {"street.jpg", "street-2.jpg", "drive.mp4", "scenes.jsonl"} <= set(files.namelist())


def test_it_is_cancelled_and_leaves_nothing_behind(studio, whole, picture, client, monkeypatch):
    reached, go_on = threading.Event(), threading.Event()

    def slow_process(self: Any, given: Any) -> Any:
        reached.set()
        go_on.wait(20)
        return [*given]

    monkeypatch.setattr("yolopv2.ikomia.steps.Filter.process", slow_process)
    image = encode_image(render_scene(7, height=96, width=160).image, ".png")
    batch = studio.ask("POST", "/api/batches", json={}).json()["id"]
    for number in range(2):
        path, octets = f"/api/batches/{batch}/files/{number}", {"Content-Type": "application/octet-stream"}
        studio.ask("POST", path, params={"name": f"{number}.png"}, content=image, headers=octets)
    answer = studio.ask("POST", "/api/workflow/runs", json={"workflow": whole, "batch": batch}).json()
    assert reached.wait(20)
    studio.ask("POST", f"/api/workflow/runs/{answer['id']}/cancel")
    go_on.set()
    assert ended(studio, answer)["state"] == "cancelled"
    monkeypatch.undo()
    for _ in range(3):  # old runs make room
        run_on(studio, whole, picture=picture)
    assert studio.ask("GET", f"/api/workflow/runs/{answer['id']}").status_code == 404
    folder = Path(client.app.state.sessions._folder)
    before = len([*folder.rglob("written-4")])
    studio.ask("DELETE", "/api/session")
    assert before - len([*folder.rglob("written-4")]) == 2
    assert not [place for place, _ in _owners if place.is_relative_to(folder) and not place.exists()]


def test_a_full_disk_ends_it(open_studio, whole, street, read_parts):
    from fastapi.testclient import TestClient

    from yolopv2.studio import Limits, Settings, create_app

    settings = Settings(size=320, limits=Limits(disk_bytes=len(street) + 20_000))
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        page = open_studio(client)
        picture = read_parts(page.open(street))["facts"]["id"]
        run = run_on(page, whole, picture=picture)
        assert run["state"] == "failed"
        assert "as much as it may" in run["error"]
        page.ask("DELETE", "/api/session")
        assert client.app.state.sessions._disk._used == 0


def test_tasks_are_described_as_they_are():
    described = {task["name"]: task for task in describe_tasks()}
    assert list(described) == list(TASKS)
    for name, kind in TASKS.items():
        defaults = {parameter["name"]: parameter["default"] for parameter in described[name]["parameters"]}
        assert defaults == kind().get_parameters()
        assert described[name]["title"].endswith(".")
        for parameter in described[name]["parameters"]:
            assert len(parameter["description"]) > 10, parameter
            assert "  " not in parameter["description"]
    confidence = next(each for each in described["infer_yolop_v2"]["parameters"] if each["name"] == "conf_thres")
    assert (confidence["type"], confidence["min"], confidence["max"]) == ("number", 0, 1)
    layers = described["draw"]["parameters"][0]
    assert layers["several"]
    assert set(layers["default"].split(",")) < set(layers["choices"])


def test_tasks_of_ones_own_run_in_the_studio(studio, make, picture):
    before = dict(TASKS)
    try:
        load_tasks(Path(__file__).parents[2] / "examples" / "blur_task.py")
        described = studio.ask("GET", "/api/workflow/tasks").json()[-1]
        assert (described["name"], described["file"]) == ("blur", "blur_task.py")
        assert described["parameters"][0]["description"] == "Width of the blur, as a part of each vehicle's width."
        run = run_on(studio, make(("infer_yolop_v2", PARAMS), ("blur", {"strength": 0.5})), picture=picture)
        assert (run["state"], run["tasks"][1]["picture"]) == ("done", True)
    finally:
        TASKS.clear()
        TASKS.update(before)

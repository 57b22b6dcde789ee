"""The page does what it says: its programs run, in order, as they stand there."""

import json
import re
import shutil
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from yolopv2.data.synthetic import render_scene
from yolopv2.ikomia.parameters import InferParameters
from yolopv2.ikomia.registry import TASKS
from yolopv2.media import write_image

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ikomia.md").read_text(encoding="utf-8")
PROGRAMS = [
    program
    for program in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    if "yolopv2.serving" not in program  # run where there is a service: tests/serving/test_serve_docs.py
]


@pytest.fixture
def site(folder):
    """A web server with the folder's files, for the page's address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_programs_run_as_they_stand(folder, site, capsys, monkeypatch):
    monkeypatch.setitem(TASKS, "blur", TASKS["draw"])  # taken away again at the end
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    write_image(folder / "street.jpg", render_scene(119).image)
    shutil.copytree(ROOT / "examples", folder / "examples")
    names: dict[str, object] = {}
    told = []
    for program in PROGRAMS:
        exec(program.replace("https://example.org", site), names)
        told.append(capsys.readouterr().out)
    lines = [line for line in told[0].splitlines() if line.startswith("{")]
    image, detections, segmentation, lanes = map(json.loads, lines)
    assert set(image) == {"image"}
    assert "vehicle" in {found["label"] for found in detections["detections"]}
    assert segmentation["classes"] == ["background", "road", "lane"]
    assert lanes["lanes"]
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["scenes.jsonl", "street.jpg"]
    assert len(list((folder / "runs" / "display").iterdir())) == 4
    surer = json.loads(told[2])["detections"]
    assert surer
    assert all(found["confidence"] >= 0.5 for found in surer)


def test_the_table_has_every_parameter_and_its_default():
    rows = dict(re.findall(r"^\| `(\w+)` \|(?: `([^`]*)`)? \|", PAGE, re.MULTILINE))
    assert rows == InferParameters().strings()

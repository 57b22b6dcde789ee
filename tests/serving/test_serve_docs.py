"""What docs/serve.md and docs/ikomia.md show of the service runs against one, and gives what they say."""

import json
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from yolopv2.scene import Scene

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def blocks(url, jpeg, drive, tmp_path, monkeypatch):
    """blocks(language) -> the blocks of a page, for the service of these tests and in a folder with what they name."""
    (tmp_path / "street.jpg").write_bytes(jpeg)
    (tmp_path / "drive.mp4").write_bytes(drive.read_bytes())
    monkeypatch.chdir(tmp_path)

    def blocks(language, page="serve.md"):
        text = (DOCS / page).read_text().replace("127.0.0.1:8000", url.removeprefix("http://"))
        return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)

    return blocks


@pytest.mark.skipif(shutil.which("curl") is None or shutil.which("bash") is None, reason="needs curl and bash")
def test_curl(blocks, http):
    for block in blocks("bash"):
        subprocess.run(["bash", "-euo", "pipefail", "-c", block], check=True, timeout=60)
    answers = [
        json.loads(Path(name).read_text()) for name in ("scene.json", "two.json", "same.json", "from_base64.json")
    ]
    assert [len(answer["scenes"]) for answer in answers] == [1, 2, 1, 1]
    assert answers[0]["scenes"][0]["vehicles"] == answers[2]["scenes"][0]["vehicles"]
    assert answers[3]["scenes"][0] == answers[1]["scenes"][0]
    assert Path("seen.jpg").read_bytes().startswith(b"\xff\xd8")
    assert Path("seen.mp4").read_bytes()[4:8] == b"ftyp"
    assert len([Scene.from_dict(json.loads(line)) for line in Path("scenes.jsonl").read_text().splitlines()]) == 6
    assert http.get("/v1/jobs").json()["jobs"] == []
    assert json.loads(Path("models.json").read_text())["models"][0]["served"] is True


def test_python(blocks, http, capsys):
    for block in blocks("python"):
        code = compile(block, "docs/serve.md", "exec")
        with ThreadPoolExecutor(1) as thread:  # a browser driven by this process has a loop of its own in the main one
            thread.submit(exec, code, {}).result()
    printed = capsys.readouterr().out
    assert "6 of 6" in printed
    assert '"schema":"yolopv2.scene/1"' in printed
    assert Path("seen.mp4").read_bytes()[4:8] == b"ftyp"
    assert http.get("/v1/jobs").json()["jobs"] == []


def test_the_client_instead_of_ikomia_scale(blocks, capsys):
    (block,) = (block for block in blocks("python", "ikomia.md") if "serving" in block)
    exec(compile(block, "docs/ikomia.md", "exec"), {})
    *vehicles, last = capsys.readouterr().out.splitlines()
    assert vehicles
    assert all(re.fullmatch(r"vehicle \[.*\] 0\.\d\d", line) for line in vehicles)
    assert re.fullmatch(r"drivable: [1-9]\d*% of the picture; lane lines: \d+", last)
    assert len(list(Path("seen").rglob("*.*"))) >= 3

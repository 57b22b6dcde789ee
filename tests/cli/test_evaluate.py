import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from yolopv2.data.synthetic import write_dataset
from yolopv2.evaluation.result import Evaluation


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    write_dataset(folder, {"train": 1, "val": 3}, seed=4, height=180, width=320)
    return folder


def test_prints_tables_and_writes_json(cli, scenes, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "150")
    path = tmp_path / "e.json"
    ran = cli("evaluate", "nano", scenes, "--size", "96", "--slices", "--json", path)
    assert ran.code == 0
    assert ran.err == ""
    measured = Evaluation.load(path)
    for said in (
        "dataset: one count",
        "input size",
        "lane labels",
        "drivable_iou",
        "box_pq",
        "distance",
        "postprocess",
    ):
        assert said in ran.out
    assert f"{measured.metrics['drivable_iou']:.4f}" in ran.out
    assert "pq_vehicle" in ran.out, "the nano has instance masks, and so have generated scenes"
    assert measured.model["weights"] == "nano"
    assert measured.model["variant"] == "nano"
    assert measured.model["size"] == 96
    assert len(measured.model["sha256"]) == 64
    assert measured.data["split"] == "val"
    assert measured.data["frames"] == 3
    assert measured.command == f"yolopv2 evaluate nano {scenes} --size 96 --slices --json {path}"
    assert measured.speed["latency_ms"]["whole"]["p50"] > 0
    assert "accuracy" not in json.loads(path.read_text())["metrics"]


def test_markdown_for_a_page(cli, scenes):
    ran = cli("evaluate", "nano", scenes, "--size", "96", "--protocol", "yolop", "--split", "train", "--markdown")
    assert ran.code == 0
    assert "| vehicles | yolop | 95 % |\n| --- | --- | --- |\n| ap50 |" in ran.out
    assert "- the protocol is defined at size 640, this was measured at 96" in ran.out


def test_unreadable_frames_are_named_and_the_exit_code_says_so(cli, tmp_path):
    write_dataset(tmp_path, {"val": 3}, seed=4, height=96, width=160)
    (tmp_path / "images" / "val" / "000001.jpg").write_bytes(b"damaged")
    ran = cli("evaluate", "nano", tmp_path, "--size", "96")
    assert ran.code == 1
    assert "not scored: " in ran.err
    assert "000001" in ran.err
    assert "2 frames" in ran.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--protocol", "yolpv2"], "perhaps 'yolopv2' is meant"),
        (["--split", "vall"], "perhaps 'val' is meant"),
        (["--size", "100"], "not a positive multiple of 32"),
    ],
)
def test_wrong_usage_is_a_sentence(cli, scenes, arguments, said):
    ran = cli("evaluate", "nano", scenes, *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_ctrl_c_leaves_no_file(cli, scenes, tmp_path, monkeypatch):
    from yolopv2.model import YOLOPv2

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(YOLOPv2, "evaluate", interrupted)
    ran = cli("evaluate", "nano", scenes, "--json", tmp_path / "e.json")
    assert ran.code == 130
    assert "Ctrl-C" in ran.err
    assert not list(tmp_path.iterdir())


def test_runs_without_torch(scenes):
    code = "import sys; sys.modules['torch'] = None; from yolopv2.cli.main import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", code, "evaluate", "nano", str(scenes), "--size", "96"], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert "drivable_iou" in ran.stdout


def start(*arguments):
    code = "from yolopv2.cli.main import main\nif __name__ == '__main__': main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def children(pid):
    """Processes that a process has started, by what the system says."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes as Linux lists them")
@pytest.mark.parametrize(("ending", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_an_ended_command_leaves_no_process_and_no_file(tmp_path, ending, code):
    write_dataset(tmp_path / "scenes", {"val": 4}, seed=4, height=96, width=160)
    images = tmp_path / "scenes" / "images" / "val"
    for path in sorted(images.parent.parent.rglob("000000.*")):  # many frames, quickly
        for number in range(4, 400):
            (path.parent / f"{number:06}{path.suffix}").write_bytes(path.read_bytes())
    options = ("--size", 320, "--workers", 2, "--json", tmp_path / "e.json")
    process = start("evaluate", "nano", tmp_path / "scenes", *options)
    assert wait_for(lambda: len(children(process.pid)) >= 3)  # two workers, and Python's own tracker
    started = children(process.pid)
    time.sleep(1)
    process.send_signal(ending)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in err
    assert wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started))
    assert not (tmp_path / "e.json").exists()

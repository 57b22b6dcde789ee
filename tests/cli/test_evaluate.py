import json

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
    ran = cli("evaluate", "nano", scenes, "--size", "320", "--slices", "--json", path)
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
    assert "not available: pq: it needs instance masks" in ran.out
    assert measured.model["weights"] == "nano"
    assert measured.model["variant"] == "nano"
    assert measured.model["size"] == 320
    assert len(measured.model["sha256"]) == 64
    assert measured.data["split"] == "val"
    assert measured.data["frames"] == 3
    assert measured.command == f"yolopv2 evaluate nano {scenes} --size 320 --slices --json {path}"
    assert measured.speed["latency_ms"]["whole"]["p50"] > 0
    assert "accuracy" not in json.loads(path.read_text())["metrics"]


def test_markdown_for_a_page(cli, scenes):
    ran = cli("evaluate", "nano", scenes, "--size", "320", "--protocol", "yolop", "--split", "train", "--markdown")
    assert ran.code == 0
    assert "| vehicles | yolop | 95 % |\n| --- | --- | --- |\n| ap50 |" in ran.out
    assert "- the protocol is defined at size 640, this was measured at 320" in ran.out


def test_unreadable_frames_are_named_and_the_exit_code_says_so(cli, tmp_path):
    write_dataset(tmp_path, {"val": 3}, seed=4, height=96, width=160)
    (tmp_path / "images" / "val" / "000001.jpg").write_bytes(b"damaged")
    ran = cli("evaluate", "nano", tmp_path, "--size", "320")
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

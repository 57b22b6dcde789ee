import json
from pathlib import Path

import numpy as np
import pytest

from yolopv2.benchmark import measure as room


@pytest.fixture
def quick(monkeypatch):
    """Small frames and short turns: what is tested is the command."""
    monkeypatch.setattr(room, "_BURST", 0.005)
    monkeypatch.setattr(room, "street_frames", lambda width, height: [np.zeros((90, 160, 3), np.uint8)])


def test_a_run_and_the_check_against_it(cli, nano_graph, tmp_path, quick):
    file, plot = tmp_path / "bench.json", tmp_path / "bench.png"
    options = ("--runtime", "openvino", "--precision", "float32,int2", "--size", "64,160", "--rounds", "3")
    ran = cli("bench", nano_graph, *options, "--json", file, "--plot", plot)
    assert ran.code == 1, "int2 is no precision"
    assert "frames/s" in ran.out
    assert ran.out.count("not measured") == 2
    assert plot.stat().st_size > 1000
    report = json.loads(file.read_text())
    assert [row["setup"]["size"] for row in report["rows"]] == [64, 160]

    report["rows"][1]["ratio"] *= 1000  # as if the larger one had once been as quick as that
    file.write_text(json.dumps(report))
    ran = cli("bench", "--against", file, "--rounds", "3")
    assert ran.code == 1
    assert ran.out.count("SLOWER") == ran.out.count("ok  ") == 1
    assert "failed" in ran.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "large"], "--size takes whole numbers"),
        (["--threads", "0"], "--threads takes whole numbers"),
        (["nobody"], "No weights called 'nobody'"),
        (["--against", "gone.json"], "cannot read gone.json"),
        (["--precision", "int2"], "nothing could be measured"),
        (["--rounds", "1"], "rounds"),
    ],
)
def test_wrong_usage_is_a_sentence(cli, arguments, message, quick):
    ran = cli("bench", *arguments)
    assert ran.code == 2
    assert message in ran.err


def test_a_check_takes_its_rows_from_the_file(cli, tmp_path):
    from yolopv2.benchmark.report import Report

    file = tmp_path / "bench.json"
    Report(machine={}, versions={}, frame=(160, 90), date="", rows=()).save(file)
    ran = cli("bench", "nano", "--against", file)
    assert ran.code == 2
    assert "rows of its file" in ran.err


def test_a_plot_without_its_extra_is_one_sentence(cli, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    monkeypatch.delitem(sys.modules, "yolopv2.benchmark.plot", raising=False)
    ran = cli("bench", "--plot", Path("x.png"))
    assert ran.code == 2
    assert "yolopv2[bench]" in ran.err

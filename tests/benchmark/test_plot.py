import cv2
import numpy as np
import pytest

from yolopv2.benchmark.report import Report, Row, Setup

pytest.importorskip("matplotlib")

from yolopv2.benchmark.plot import draw_report


def row(precision, size, ms):
    setup = Setup(weights="nano", runtime="openvino", precision=precision, size=size, threads=2)
    more = {"ratio": 1, "ratio_low": 1, "ratio_high": 1, "memory": 1.0, "first_frame": 1.0}
    return Row(setup=setup, engine="e", ms=(ms,), p50=ms, p90=ms, **more)


def draw(rows, path):
    report = Report(machine={"processor": "P"}, versions={}, frame=(1280, 720), date="", rows=tuple(rows))
    draw_report(report, path)
    return cv2.imread(str(path))


def test_a_plot_shows_every_row_and_sizes_where_they_differ(tmp_path):
    rows = [row("float32", 640, 20.0), row("bfloat16", 640, 12.0), row("bfloat16", 320, 4.0)]
    one, both = draw(rows[:2], tmp_path / "one.png"), draw(rows, tmp_path / "both.png")
    assert both.shape[1] > 1.8 * one.shape[1], "a second panel"
    blue, orange = np.array([180, 119, 31]), np.array([14, 127, 255])  # BGR of the precisions' colours
    for colour in (blue, orange):
        assert (np.abs(one.astype(int) - colour).sum(-1) < 30).sum() > 500

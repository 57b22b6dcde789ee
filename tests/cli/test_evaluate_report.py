"""yolopv2 evaluate: its page, and what it tells of corrupted frames."""

import sys

import pytest

from yolopv2.data.synthetic import write_dataset
from yolopv2.evaluation.result import Evaluation


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    write_dataset(folder, {"val": 2}, seed=4, height=180, width=320)
    return folder


def test_a_page_and_corruptions(cli, scenes, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    page, numbers = tmp_path / "page.html", tmp_path / "e.json"
    options = ("--corrupt", "fog,jpeg", "--corrupt-frames", "1", "--report", page, "--json", numbers)
    ran = cli("evaluate", "nano", scenes, "--size", "160", *options)
    assert ran.code == 0
    measured = Evaluation.load(numbers)
    assert list(measured.robustness["corrupted"]) == ["fog", "jpeg"]
    assert [len(scores) for scores in measured.robustness["corrupted"].values()] == [5, 5]
    assert measured.robustness["frames"] == 1
    for said in ("corrupted, dataset", "fog", "mean of all", "corrupted: 1 frames, mean over severities 1 to 5"):
        assert said in ran.out
    html = page.read_text(encoding="utf-8")
    assert 'id="robustness"' in html
    assert "data:image/jpeg;base64," in html
    assert f"yolopv2 evaluate nano {scenes} --size 160 --corrupt fog,jpeg" in html


def test_mistakes_are_told_before_anything_is_measured(cli, scenes, tmp_path, monkeypatch):
    ran = cli("evaluate", "nano", scenes, "--corrupt", "mud")
    assert ran.code == 2
    assert "no corruption is called 'mud'" in ran.err
    ran = cli("evaluate", "nano", scenes, "--corrupt-frames", "3")
    assert ran.code == 2
    assert "--corrupt-frames needs --corrupt" in ran.err
    monkeypatch.setitem(sys.modules, "jinja2", None)
    ran = cli("evaluate", "nano", scenes, "--report", tmp_path / "page.html")
    assert ran.code == 2
    assert 'pip install "yolopv2[evaluate]"' in ran.err
    assert not (tmp_path / "page.html").exists()

import pytest

from yolopv2.data.synthetic import write_dataset


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    write_dataset(folder, {"val": 4}, seed=4, height=180, width=320)
    return folder


@pytest.fixture
def evaluations(cli, scenes, tmp_path):
    """The bundled network at two sizes."""
    for size in (320, 160):
        assert cli("evaluate", "nano", scenes, "--size", size, "--json", tmp_path / f"{size}.json").code == 0
    return tmp_path / "320.json", tmp_path / "160.json"


def test_differences_are_printed_and_written(cli, evaluations, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    ran = cli("compare", *evaluations, "--draws", "1000", "--report", tmp_path / "page.html")
    assert ran.code == 0
    assert ran.err == ""
    for said in ("drivable_iou", "change", "4 frames, drawn again 1000 times", "with 4 frames only"):
        assert said in ran.out
    assert "Two evaluations compared" in (tmp_path / "page.html").read_text()
    same = cli("compare", evaluations[0], evaluations[0], "--draws", "1000")
    assert "real" not in same.out
    assert "+0.000 +0.000" in same.out
    assert "within noise" in same.out


def test_what_cannot_be_compared_is_told(cli, evaluations, scenes, tmp_path):
    other = tmp_path / "yolop.json"
    assert cli("evaluate", "nano", scenes, "--size", 320, "--protocol", "yolop", "--json", other).code == 0
    for first, second, said in (
        (evaluations[0], other, "protocols differ: dataset and yolop"),
        (evaluations[0], tmp_path / "absent.json", "absent.json cannot be read"),
        (evaluations[0], scenes / "recipe.json", "no evaluation"),
    ):
        ran = cli("compare", first, second)
        assert ran.code == 2
        assert said in ran.err
    assert cli("compare", *evaluations, "--draws", "10").code == 2

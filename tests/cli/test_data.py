import pytest

from yolopv2.data.synthetic import SyntheticDataset
from yolopv2.media import open_source


def test_renders_a_data_set(cli, tmp_path):
    ran = cli("data", "render", tmp_path / "set", "--frames", 5, "--size", "96x64")
    assert ran == (0, f"5 frames in {tmp_path / 'set'}\n", "")
    assert len(SyntheticDataset(tmp_path / "set", "train")) == 4
    assert len(SyntheticDataset(tmp_path / "set", "val")) == 1


def test_renders_a_drive(cli, tmp_path):
    path = tmp_path / "drive.mp4"
    ran = cli("data", "render", path, "--frames", 4, "--size", "160x96", "--weather", "rain", "--time", "night")
    assert ran.code == 0
    with open_source(str(path)) as source:
        assert [frame.image.shape for frame in source] == [(96, 160, 3)] * 4


@pytest.mark.parametrize(
    ("output", "option", "value", "named"),
    [
        ("x", "--size", "big", "WIDTHxHEIGHT"),
        ("x", "--size", "0x0", "0x0"),
        ("x", "--size", "9x9", "9x9"),
        ("x", "--weather", "hail", "hail"),
        ("x", "--frames", "0", "frames"),
        ("x.mp4", "--time", "noon", "noon"),
        ("x.avi", "--frames", "1", ".mp4"),
    ],
)
def test_wrong_usage_is_a_sentence_and_leaves_nothing(cli, tmp_path, output, option, value, named):
    ran = cli("data", "render", tmp_path / output, option, value)
    assert ran.code == 2
    assert named in ran.err
    assert "Traceback" not in ran.err
    assert not list(tmp_path.iterdir())

"""yolopv2 models and yolopv2 info."""

import json

import pytest
import torch
import typer
from typer.testing import CliRunner

from yolopv2.checkpoints import CheckpointMeta
from yolopv2.checkpoints.weights import load_checkpoint, save_checkpoint
from yolopv2.cli import models
from yolopv2.cli.info import info
from yolopv2.errors import YolopError
from yolopv2.network import Network
from yolopv2.network.network import calibrate

info_app = typer.Typer()
info_app.command()(info)


def run(app, *arguments: str) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def checkpoint(tmp_path):
    network = Network("nano", 1, ["lanes"])
    path = tmp_path / "mine.safetensors"
    save_checkpoint(network, path, CheckpointMeta.of(network, metrics={"val": {"lane IoU": 0.25}}))
    return path


def test_list():
    listed = {entry["name"]: entry for entry in json.loads(run(models.app, "list", "--json"))}
    assert listed["official"]["url"].endswith("/V0.0.1/yolopv2.pt")
    assert {"variant", "source", "size", "licence", "sha256", "metrics"} <= listed["nano"].keys()
    assert "official" in run(models.app, "list")


def test_info_of_a_checkpoint(checkpoint):
    known = json.loads(run(models.app, "info", checkpoint, "--json"))
    assert known["heads"] == ["lanes"]
    assert known["size"] == checkpoint.stat().st_size
    assert "lane IoU: 0.25" in run(models.app, "info", checkpoint)


def test_info_and_path_of_the_release(tmp_path, monkeypatch):
    monkeypatch.setenv("YOLOPV2_CACHE", str(tmp_path))
    assert "156.4 MB" in run(models.app, "info", "official")
    assert run(models.app, "path", "official").strip() == str(tmp_path / "yolopv2.pt")
    with pytest.raises(YolopError, match="there are: nano, official"):
        run(models.app, "pull", "nobody")
    with pytest.raises(YolopError, match="neither a name"):
        run(models.app, "info", "nobody")


class Traced(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        out = self.network(x)
        return tuple(out.detections), out.drivable.sigmoid(), out.lanes.sigmoid()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_import(tmp_path):
    network = Network("nano", 1)
    calibrate(network)
    torch.jit.trace(Traced(network.eval()), torch.zeros(1, 3, 64, 64)).save(tmp_path / "theirs.pt")
    told = run(models.app, "import", tmp_path / "theirs.pt")
    assert "137 layers placed" in told
    loaded, meta = load_checkpoint(tmp_path / "theirs.safetensors")
    assert meta.provenance["imported from"] == "theirs.pt"
    assert torch.equal(loaded.encoder.stem[0].conv.weight, network.encoder.stem[0].conv.weight)


def test_import_wants_torchscript(checkpoint):
    with pytest.raises(YolopError, match="no TorchScript"):
        run(models.app, "import", checkpoint)


def test_info_of_variants(checkpoint):
    text = run(info_app, "base", "--classes", "1")
    assert "38,528,535 deployed" in text
    assert "F4 512 /16" in text
    assert "detection (1 class), drivable, lanes" in text
    known = json.loads(run(info_app, "nano", "--encoder", "e-elan", "--size", "64x32", "--json"))
    assert (known["encoder"], known["width"], known["height"]) == ("e-elan", 64, 32)
    assert json.loads(run(info_app, checkpoint, "--json"))["heads"] == ["lanes"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["huge"], "neither a variant"),
        (["nano", "--size", "640"], "WIDTHxHEIGHT"),
        (["nano", "--size", "640x360"], "multiples of 32"),
    ],
)
def test_info_told_wrong(arguments, message):
    with pytest.raises(YolopError, match=message):
        run(info_app, *arguments)

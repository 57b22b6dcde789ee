import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from yolopv2.errors import YolopError
from yolopv2.export.onnx import export_onnx
from yolopv2.export.parity import BOUNDS, Differences, compare, require
from yolopv2.network import Network
from yolopv2.network.deployed import DeployedNetwork
from yolopv2.network.network import calibrate


def network(seed: int = 0) -> Network:
    torch.manual_seed(seed)
    net = Network("nano", classes=2)
    calibrate(net)
    return net.eval()


def test_a_right_export_is_far_within_the_bounds(tmp_path: Path) -> None:
    net = network()
    export_onnx(net, tmp_path / "nano.onnx", {})
    found = compare((tmp_path / "nano.onnx").read_bytes(), DeployedNetwork(net))
    for name, bound in vars(BOUNDS).items():
        assert getattr(found, name) < bound / 10, name


def test_another_networks_graph_is_refused(tmp_path: Path) -> None:
    export_onnx(network(1), tmp_path / "nano.onnx", {})
    with pytest.raises(YolopError, match="does not see"):
        require(compare((tmp_path / "nano.onnx").read_bytes(), DeployedNetwork(network(2))))


def test_weights_too_large_for_float16_leave_no_file(tmp_path: Path) -> None:
    net = network()
    with torch.no_grad():
        net.lanes.layers[-1].conv.weight[:] = 1e6  # type: ignore[union-attr, index]
    with pytest.raises(YolopError, match="nothing was written"):
        export_onnx(net, tmp_path / "nano.onnx", {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["score", "box", "drivable", "lanes"])
def test_each_bound_holds_alone(name: str) -> None:
    require(Differences(**{name: getattr(BOUNDS, name)}))
    for value in (getattr(BOUNDS, name) * 1.01, np.nan):
        with pytest.raises(YolopError, match=name):
            require(Differences(**{name: value}))


def test_without_pytorch_export_says_what_to_install() -> None:
    code = "import sys; sys.modules['torch'] = None\nimport yolopv2.export.onnx"
    failed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "MissingExtra: ONNX export needs the extra 'export'" in failed.stderr

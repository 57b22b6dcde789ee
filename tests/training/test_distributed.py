import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from yolopv2.network.blocks import Conv
from yolopv2.training.distributed import SyncBatchNorm2d, sum_over_processes, synchronise_norms, world_size

PROGRAM = """
import json, os, sys
from dataclasses import replace
import torch
sys.path.insert(0, sys.argv[1])
from lightning_fabric import Fabric
from conftest import draw_squares
from yolopv2.network import Network
from yolopv2.network.network import calibrate
from yolopv2.training.config import make_config
from yolopv2.training.loader import Source
from yolopv2.training.trainer import Trainer

class Listener:
    def __init__(self): self.losses = []
    def step(self, progress, losses): self.losses.append(losses)
    def remark(self, progress, text): print(text)
    def save(self, progress, state): pass
    def epoch(self, progress, network, scores): pass

config = make_config(json.loads(sys.argv[2]))
count = int(os.environ.get("WORLD_SIZE", 1))
# In float64, for rounding grows from step to step in a network whose normalisations see few pixels.
fabric = Fabric(accelerator="cpu", devices=count, strategy="ddp" if count > 1 else "auto", precision="64-true")
fabric.launch()
torch.manual_seed(1)
listener = Listener()
network = Network("nano", classes=1)
calibrate(network)  # the outputs of fresh weights vanish, and rounding would be all there is to compare
run = Trainer(network, [Source(draw_squares(8), 1.0)], config, fabric, listener)
run.run()
weights = torch.cat([p.detach().flatten() for p in run.network.parameters()])
torch.save({"losses": listener.losses, "weights": weights}, f"{sys.argv[3]}.{fabric.global_rank}")
"""


def train(tmp_path: Path, processes: int, settings: dict) -> list[dict]:  # type: ignore[type-arg]
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    result = tmp_path / f"result-{processes}"
    words = [str(program), str(Path(__file__).resolve().parent), json.dumps(settings), str(result)]
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    done = subprocess.run(
        [sys.executable, *(launcher if processes > 1 else []), *words],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return [torch.load(f"{result}.{rank}", weights_only=True) for rank in range(processes)]


@pytest.mark.skipif(sys.platform == "win32", reason="torchrun with gloo is tested on POSIX")
def test_two_processes_train_as_one_does_with_their_batches_together(tmp_path: Path, quick) -> None:  # type: ignore[no-untyped-def]
    """Losses to 1 in 10,000 and the same weights in both processes, normalisation statistics shared."""
    settings = quick.to_dict() | {"sync_norm": True, "epochs": 2, "optimizer": "sgd", "learning_rate": 0.01}
    settings["loss"] |= {"assigner": "anchors", "uncertainty": True}  # simota's choices jump at a rounding
    one = train(tmp_path, 1, settings)[0]
    two = train(tmp_path, 2, settings)
    assert two[0]["losses"] == two[1]["losses"]
    assert torch.equal(two[0]["weights"], two[1]["weights"])
    assert len(one["losses"]) == 4
    for alone, together in zip(one["losses"], two[0]["losses"], strict=True):
        assert together == pytest.approx(alone, rel=1e-4)
    moved = (one["weights"] - two[0]["weights"]).abs().mean() / one["weights"].abs().mean()
    assert moved < 1e-4


def test_alone_there_is_nothing_to_do() -> None:
    assert world_size() == 1
    sums = {"a": torch.tensor(1.0)}
    assert sum_over_processes(sums) is sums


def test_synchronised_norms_keep_weights_and_function() -> None:
    block = torch.nn.Sequential(Conv(3, 8, 3))
    block[0].bn.running_mean.uniform_()
    x, before = torch.rand(2, 3, 8, 8), {k: v.clone() for k, v in block.state_dict().items()}
    expected = block.eval()(x)
    synchronise_norms(block)
    assert isinstance(block[0].bn, SyncBatchNorm2d)
    assert all(torch.equal(value, before[name]) for name, value in block.state_dict().items())
    torch.testing.assert_close(block.eval()(x), expected)

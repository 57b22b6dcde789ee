import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from yolopv2.training.distributed import average_gradients, join, rank, world_size

PROGRAM = """
import sys, torch
from torch import nn
from yolopv2.training.distributed import average_gradients, join, rank, world_size
join()
assert world_size() == 2
torch.manual_seed(0)
network = nn.Sequential(nn.Linear(3, 4), nn.SiLU(), nn.Linear(4, 1))
data = torch.randn(6, 3)
network(data[3 * rank() : 3 * rank() + 3]).mean().backward()
average_gradients(network)
mine = [p.grad.clone() for p in network.parameters()]
network.zero_grad()
network(data).mean().backward()
for got, expected in zip(mine, (p.grad for p in network.parameters())):
    torch.testing.assert_close(got, expected)
print("equal", rank())
"""


def test_alone_there_is_nothing_to_do() -> None:
    join()
    assert (rank(), world_size()) == (0, 1)
    network = torch.nn.Linear(2, 1)
    network(torch.ones(1, 2)).sum().backward()
    average_gradients(network)
    assert network.weight.grad is not None
    assert network.weight.grad.tolist() == [[1, 1]]


@pytest.mark.skipif(sys.platform == "win32", reason="torchrun with gloo is tested on POSIX")
def test_two_processes_have_the_gradient_of_the_doubled_batch(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(program)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    assert {"equal 0", "equal 1"} <= set(done.stdout.splitlines())

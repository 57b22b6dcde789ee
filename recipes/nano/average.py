"""Averages the weights of two networks, one of which was trained on from the other or both from a third.

    python recipes/nano/average.py FIRST SECOND SHARE OUT

OUT gets ``1 - SHARE`` of FIRST and SHARE of SECOND: weights trained on from the same ones average well (arXiv
2203.05482). Heads that SECOND lacks stay as FIRST has them, as does all that FIRST says of itself.
"""

import sys
from pathlib import Path

import torch

from yolopv2.checkpoints.weights import load_checkpoint, save_checkpoint


def main(first: Path, second: Path, share: float, out: Path) -> None:
    """Writes the average."""
    network, meta = load_checkpoint(first)
    other = load_checkpoint(second)[0].state_dict()
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name in other and tensor.is_floating_point():
                tensor.lerp_(other[name], share)
    save_checkpoint(network, out, meta)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4]))

"""Ships trained weights: scores them as a user would run them, and writes them into the package.

python recipes/nano/ship.py RUN/last.pt BDD100K
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch

import yolopv2
from yolopv2 import YOLOPv2
from yolopv2.checkpoints import CheckpointMeta
from yolopv2.checkpoints.weights import save_checkpoint
from yolopv2.data.formats.bdd100k import BDD100K
from yolopv2.evaluation.evaluate import evaluate
from yolopv2.export.onnx import export_onnx
from yolopv2.network import Network

BUNDLED = Path(yolopv2.__file__).parent / "checkpoints" / "bundled"
PROVENANCE = {
    "data": "BDD100K frames (838 labelled train frames and 772 more with teachers' masks) and generated scenes",
    "recipe": "recipes/nano",
    "licence": "weights trained on BDD100K: education, research and not-for-profit use; see docs/model_card.md",
}


def write(network: Network, folder: Path, **described: Any) -> None:
    """Writes ``nano.safetensors`` and ``nano.onnx``."""
    meta = CheckpointMeta.of(network, ["vehicle"], PROVENANCE, **described)
    folder.mkdir(parents=True, exist_ok=True)
    save_checkpoint(network, folder / "nano.safetensors", meta, storage="float16")
    export_onnx(network, folder / "nano.onnx", meta.to_dict())


def main(checkpoint: Path, bdd100k: Path) -> None:
    """Ships the averaged weights of a run's checkpoint."""
    state = torch.load(checkpoint, weights_only=True)
    network = Network("nano", classes=1)
    network.load_state_dict(state["ema"])
    trial = checkpoint.parent / "trial"
    write(network, trial)
    measured = evaluate(YOLOPv2(trial / "nano.onnx").predictor, BDD100K(bdd100k, "val"))
    metrics = {"frames": measured.data["frames"], **measured.metrics}
    print(json.dumps(metrics, indent=2))
    write(network, BUNDLED, training=state["config"], metrics={"bdd100k val, dataset protocol": metrics})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

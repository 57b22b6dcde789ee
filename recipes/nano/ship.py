"""Ships trained weights: scores them as a user would run them, and writes them into the package.

python recipes/nano/ship.py RUN/best.safetensors bdd100k.yaml
"""

import json
import sys
import tempfile
from pathlib import Path

import yolopv2
from yolopv2 import YOLOPv2
from yolopv2.checkpoints import CheckpointMeta
from yolopv2.checkpoints.weights import load_checkpoint, save_checkpoint
from yolopv2.export.onnx import export_onnx
from yolopv2.network import Network

BUNDLED = Path(yolopv2.__file__).parent / "checkpoints" / "bundled"
PROVENANCE = {
    "data": "BDD100K frames (838 labelled train frames, and 772 more with teachers' masks), CamVid and road clips with "
    "teachers' masks, generated scenes",
    "recipe": "recipes/nano",
    "licence": "weights trained on BDD100K: education, research and not-for-profit use; see docs/model_card.md",
}


def write(network: Network, meta: CheckpointMeta, folder: Path) -> None:
    """Writes ``nano.safetensors`` and ``nano.onnx``."""
    save_checkpoint(network, folder / "nano.safetensors", meta, storage="float16")
    export_onnx(network, folder / "nano.onnx", meta.to_dict())


def main(checkpoint: Path, data: Path) -> None:
    """Ships the weights of a checkpoint."""
    network, meta = load_checkpoint(checkpoint)
    meta = meta.model_copy(update={"provenance": PROVENANCE, "metrics": {}})
    with tempfile.TemporaryDirectory() as folder:
        write(network, meta, Path(folder))
        measured = YOLOPv2(Path(folder) / "nano.onnx", precision="float32").evaluate(data)
    metrics = {"frames": measured.data["frames"], **measured.metrics}
    print(json.dumps(metrics, indent=2))
    write(network, meta.model_copy(update={"metrics": {"bdd100k val, dataset protocol": metrics}}), BUNDLED)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""Trains the bundled nano on packed frames and generated scenes; a killed run goes on where it stopped.

python recipes/nano/train.py PACKED BDD100K RUN [steps=20000] [height=256] [width=448] [start=OTHER/last.pt] ...
"""

import sys
from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np
import torch
import yaml

from yolopv2.checkpoints import load_network, resolve
from yolopv2.data.augment import AugmentConfig
from yolopv2.data.formats.bdd100k import BDD100K
from yolopv2.data.packed import PackedFrames
from yolopv2.evaluation.evaluate import evaluate
from yolopv2.inference.predictor import Predictor
from yolopv2.inference.runtimes.torch_runtime import TorchRuntime
from yolopv2.network import Network
from yolopv2.training import distributed
from yolopv2.training.anchors import cluster_anchors
from yolopv2.training.loader import Source
from yolopv2.training.trainer import TrainConfig, Trainer

SHARES = {"bdd100k": 0.7, "restored": 0.15, "unlabelled": 0.05, "synthetic": 0.1}
"""How often a frame is drawn from each packed folder; one that is not there is left out."""


def validate(network: Network, frames: BDD100K) -> dict[str, float]:
    """Scores all frames by the `dataset` protocol."""
    predictor = Predictor(TorchRuntime(network, {0: "vehicle"}, precision="bfloat16"))
    return dict(evaluate(predictor, frames).metrics)


def main(packed: Path, bdd100k: Path, run: Path, start: str | None, config: TrainConfig) -> None:
    """Trains, validating on BDD100K's val split now and then."""
    cv2.setNumThreads(0)
    distributed.join()
    sources = [Source(PackedFrames(packed / n), s) for n, s in SHARES.items() if (packed / n / "boxes.npz").exists()]
    labels = np.concatenate([b for b in sources[0].frames.boxes.values() if len(b)])
    sizes = labels[:, 3:5] - labels[:, 1:3]
    anchors = cluster_anchors(sizes[sizes.min(1) >= 2])
    network = Network("nano", classes=1, anchors=anchors.tolist()) if start is None else read_network(start)
    val = BDD100K(bdd100k, "val")
    Trainer(network, sources, config, run, lambda trained: validate(trained, val)).run()


def read_network(start: str) -> Network:
    """The averaged weights of a run's ``last.pt``, or what a checkpoint or a name of the catalogue stands for."""
    if not start.endswith(".pt"):
        return load_network(resolve(start))[0]
    network = Network("nano", classes=1)
    network.load_state_dict(torch.load(start, weights_only=True)["ema"])
    return network


def read_config(settings: dict[str, str]) -> TrainConfig:
    """The run's configuration from ``name=value`` words; names of the augmentation's fields go there."""
    values = {name: yaml.safe_load(value) for name, value in settings.items()}
    augment = {f.name: values.pop(f.name) for f in fields(AugmentConfig) if f.name in values}
    return TrainConfig(**values, augment=AugmentConfig(**augment))


if __name__ == "__main__":
    positional = [Path(word) for word in sys.argv[1:] if "=" not in word]
    named = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
    main(*positional, named.pop("start", None), read_config(named))

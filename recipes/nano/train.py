"""Trains the bundled nano on packed frames and generated scenes; a killed run goes on where it stopped.

python recipes/nano/train.py PACKED BDD100K RUN [steps=20000] [height=256] [width=448] [start=weights.pt] ...
"""

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from yolopv2.data.bdd100k import BDD100K
from yolopv2.data.packed import PackedFrames
from yolopv2.evaluation.detection import BoxScore
from yolopv2.evaluation.segmentation import MaskScore
from yolopv2.geometry.boxes import nms
from yolopv2.geometry.letterbox import Letterbox
from yolopv2.network import Network
from yolopv2.network.deployed import DeployedNetwork
from yolopv2.training.anchors import cluster_anchors
from yolopv2.training.loader import Source
from yolopv2.training.trainer import TrainConfig, Trainer

SHARES = {"bdd100k": 0.7, "restored": 0.15, "unlabelled": 0.05, "synthetic": 0.1}
"""How often a frame is drawn from each packed folder; one that is not there is left out."""


def evaluate(network: Network, frames: BDD100K) -> dict[str, float]:
    """Drivable IoU, lane IoU and vehicle AP50 over all frames, at the labels' own resolution."""
    deployed = DeployedNetwork(network)
    drivable, lanes, boxes = MaskScore(), MaskScore(), BoxScore()
    for i in range(len(frames)):
        sample = frames[i]
        box = Letterbox.fit(*sample.image.shape[:2])
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            candidates, scores, road, marking = (
                y[0].numpy() for y in deployed(torch.from_numpy(box.apply(sample.image))[None])
            )
        if sample.drivable is not None:
            drivable.update(box.mask_to_frame(road), sample.drivable)
        if sample.lanes is not None:
            lanes.update(box.mask_to_frame(marking), sample.lanes)
        passed = scores[:, 0] > 0.005
        candidates, confidence = candidates[passed], scores[passed, 0]
        kept = nms(candidates, confidence, None, 0.6, 300)
        assert sample.boxes is not None
        boxes.update(box.boxes_to_frame(candidates[kept]), confidence[kept], sample.boxes)
    return {
        "drivable_iou": drivable.iou,
        "drivable_miou": drivable.miou,
        "lane_iou": lanes.iou,
        "lane_recall": lanes.recall,
        "vehicle_ap50": boxes.average_precision,
    }


def main(packed: Path, bdd100k: Path, run: Path, **settings: Any) -> None:
    """Trains, validating on BDD100K's val split now and then."""
    torch.set_num_threads(2)
    cv2.setNumThreads(0)
    start = settings.pop("start", None)
    sources = [Source(PackedFrames(packed / n), s) for n, s in SHARES.items() if (packed / n / "boxes.npz").exists()]
    labels = np.concatenate([b for b in sources[0].frames.boxes.values() if len(b)])
    sizes = labels[:, 3:5] - labels[:, 1:3]
    anchors = cluster_anchors(sizes[sizes.min(1) >= 2])
    network = Network("nano", classes=1, anchors=anchors.tolist())
    if start is not None:
        network.load_state_dict(torch.load(start, weights_only=True)["ema"])
    val = BDD100K(bdd100k, "val")
    Trainer(network, sources, TrainConfig(**settings), run, lambda trained: evaluate(trained, val)).run()


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


if __name__ == "__main__":
    positional = [Path(a) for a in sys.argv[1:] if "=" not in a]
    options = dict(a.split("=", 1) for a in sys.argv[1:] if "=" in a)
    main(*positional, **{k: _value(v) for k, v in options.items()})

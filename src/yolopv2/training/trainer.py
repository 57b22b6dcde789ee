"""The way of a sample: packed frame -> augment -> batch -> forward -> losses -> step."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from yolopv2.data.augment import AugmentConfig
from yolopv2.network import Network
from yolopv2.training.distributed import average_gradients, rank, world_size
from yolopv2.training.ema import EMA
from yolopv2.training.loader import AugmentedFrames, Batch, Source, make_loader
from yolopv2.training.losses import detection_losses, drivable_loss, focal_loss, overlap_losses
from yolopv2.training.precision import keep_strided_in_float32


@dataclass(frozen=True)
class LossWeights:
    """What each loss counts for in the sum.

    Attributes:
        box: CIoU of the positives.
        objectness: Cross-entropy over all anchors, per positive.
        classes: Cross-entropy of the positives.
        drivable: Cross-entropy per labelled pixel.
        lane_focal: Focal loss per labelled pixel; small numbers, hence the weight.
        lane_dice: Soft dice of the batch.
        lane_iou: Soft IoU of the batch.
    """

    box: float = 1.5
    objectness: float = 1.0
    classes: float = 0.3
    drivable: float = 1.0
    lane_focal: float = 4.0
    lane_dice: float = 0.5
    lane_iou: float = 0.5


@dataclass(frozen=True)
class TrainConfig:
    """One run.

    Attributes:
        steps: Optimiser steps.
        batch_size: Frames per step, over all processes.
        height, width: Size of the training canvas.
        learning_rate: Peak of AdamW.
        final_rate: Share of the peak that is left at the end of the cosine.
        weight_decay: On weights, not on biases and normalisations.
        warmup: Steps of linear rise.
        clip: Largest norm of the gradient.
        ema_decay: Of the averaged weights, which are what is validated and shipped.
        workers: Processes that augment, for each process that trains.
        save_every: Steps between checkpoints.
        evaluate_every: Steps between validations.
        seed: Of everything.
    """

    steps: int = 10_000
    batch_size: int = 16
    height: int = 256
    width: int = 448
    learning_rate: float = 1e-3
    final_rate: float = 0.02
    weight_decay: float = 0.03
    warmup: int = 300
    clip: float = 10.0
    ema_decay: float = 0.9995
    workers: int = 1
    save_every: int = 200
    evaluate_every: int = 1000
    seed: int = 0
    weights: LossWeights = field(default_factory=LossWeights)
    augment: AugmentConfig = field(default_factory=AugmentConfig)


class Trainer:
    """Trains a network on packed frames, in bfloat16, and resumes where it was stopped.

    Under torchrun every process trains on frames of its own and the gradients are averaged; normalisation statistics
    are each process's own, and the first one's are kept.

    Args:
        network: In training form.
        sources: Frames and their shares.
        config: The run.
        folder: Where the log and the checkpoints go; a checkpoint found there is resumed.
        evaluate: Scores the averaged network; its result goes to the log.
    """

    def __init__(
        self,
        network: Network,
        sources: list[Source],
        config: TrainConfig,
        folder: Path,
        evaluate: Callable[[Network], dict[str, float]],
    ) -> None:
        torch.manual_seed(config.seed)
        if next(network.parameters()).device.type == "cpu":
            keep_strided_in_float32(network)
        self.network = network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.config, self.folder, self.evaluate = config, folder, evaluate
        self.ema = EMA(self.network, config.ema_decay)
        self.optimizer = torch.optim.AdamW(_parameter_groups(network, config.weight_decay), lr=config.learning_rate)
        self.step = 0
        folder.mkdir(parents=True, exist_ok=True)
        self.checkpoint = folder / "last.pt"
        if self.checkpoint.exists():
            self._resume()
        frames = AugmentedFrames(sources, config.height, config.width, config.augment, config.seed)
        self.batches: Iterator[Batch] = make_loader(
            frames, config.batch_size // world_size(), config.workers, self.step, rank(), world_size()
        )

    def run(self) -> None:
        """Trains to the last step."""
        sums: dict[str, float] = {}
        since, started = 0, time.monotonic()
        while self.step < self.config.steps:
            for name, value in self._train_step(next(self.batches)).items():
                sums[name] = sums.get(name, 0.0) + value
            self.step, since = self.step + 1, since + 1
            if self.step % 50 == 0:
                rate = since * self.config.batch_size / (time.monotonic() - started)
                self._log({"step": self.step, "images/s": rate, **{k: v / since for k, v in sums.items()}})
                sums, since, started = {}, 0, time.monotonic()
            if self.step % self.config.save_every == 0 or self.step == self.config.steps:
                self._save()
            if self.step % self.config.evaluate_every == 0 or self.step == self.config.steps:
                if rank() == 0:
                    self._log({"step": self.step, "evaluation": self.evaluate(self.ema.network)})
                since, sums, started = 0, {}, time.monotonic()

    def _train_step(self, batch: Batch) -> dict[str, float]:
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        losses = self.losses(batch)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        average_gradients(self.network)
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        if not torch.isfinite(norm):  # the same in all processes, since the gradients are
            return {"skipped": 1.0}  # one bad batch must not end a long run
        self.optimizer.step()
        if rank() == 0:
            self.ema.update(self.network)
        return {name: float(value.detach()) for name, value in losses.items()}

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The weighted losses of a batch; their sum is what is minimised."""
        w = self.config.weights
        batch = batch.to(self.network.anchors.device)
        x = (batch.images.float() / 255).contiguous(memory_format=torch.channels_last)
        with torch.autocast(x.device.type, torch.bfloat16):
            out = self.network(x)
        maps = batch.maps.float() / 255
        drivable, drivable_weight, lanes, lanes_weight = maps.unbind(1)
        losses: dict[str, Tensor] = {}
        if out.detections is not None:
            found = detection_losses(out.detections, batch.targets, self.network.anchors, batch.labelled)
            losses |= {
                "box": w.box * found.box,
                "objectness": w.objectness * found.objectness,
                "classes": w.classes * found.classes,
            }
        if out.drivable is not None:
            losses["drivable"] = w.drivable * drivable_loss(out.drivable, drivable, drivable_weight)
        if out.lanes is not None:
            logits = out.lanes[:, 0].float()
            dice, iou = overlap_losses(logits, lanes, lanes_weight)
            losses |= {
                "lane_focal": w.lane_focal * focal_loss(logits, lanes, lanes_weight),
                "lane_dice": w.lane_dice * dice,
                "lane_iou": w.lane_iou * iou,
            }
        return losses

    def _learning_rate(self) -> float:
        c = self.config
        progress = self.step / c.steps
        cosine = c.final_rate + (1 - c.final_rate) * 0.5 * (1 + np.cos(np.pi * progress))
        return float(c.learning_rate * cosine * min(1.0, (self.step + 1) / c.warmup))

    def _log(self, entry: dict[str, Any]) -> None:
        if rank() != 0:
            return
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def _save(self) -> None:
        if rank() != 0:
            return
        state = {
            "step": self.step,
            "network": self.network.state_dict(),
            "ema": self.ema.network.state_dict(),
            "ema_steps": self.ema.steps,
            "optimizer": self.optimizer.state_dict(),
            "config": asdict(self.config),
        }
        part = self.checkpoint.with_suffix(".part")
        torch.save(state, part)
        part.replace(self.checkpoint)

    def _resume(self) -> None:
        state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.ema.network.load_state_dict(state["ema"])
        self.ema.steps, self.step = state["ema_steps"], state["step"]
        self.optimizer.load_state_dict(state["optimizer"])


def _parameter_groups(network: torch.nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    decayed = [p for p in network.parameters() if p.ndim > 1]
    rest = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0.0}]

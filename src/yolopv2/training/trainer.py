"""The way of a sample: frame -> augment -> batch -> forward -> losses -> step."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from yolopv2.errors import YolopError
from yolopv2.network import Network
from yolopv2.training.config import TrainConfig
from yolopv2.training.distributed import equalise, sum_over_processes, synchronise_norms
from yolopv2.training.ema import EMA
from yolopv2.training.freeze import freeze
from yolopv2.training.loader import AugmentedFrames, Batch, Source, make_loader
from yolopv2.training.losses import TaskUncertainty, loss_sums, losses_of
from yolopv2.training.precision import keep_strided_in_float32

MOST_SKIPPED = 50
"""Updates in a row whose gradients are not finite, after which a run has failed."""


class Listener(Protocol):
    """What is told of a run as it goes on; see `yolopv2.training.record.Record`."""

    def step(self, progress: "Progress", losses: dict[str, float]) -> None:
        """A step was taken; a skipped one has no losses."""

    def remark(self, progress: "Progress", text: str) -> None:
        """Something happened that a person should know."""

    def save(self, progress: "Progress", state: dict[str, Any]) -> None:
        """The state is to be kept."""

    def epoch(self, progress: "Progress", network: Network, scores: dict[str, float]) -> None:
        """A round is over; the network is the averaged one, and has no scores where it was not validated."""


@dataclass
class Progress:
    """How far a run is.

    Attributes:
        step: Steps taken.
        steps: Steps of the whole run.
        steps_per_epoch: Steps of a round.
        learning_rate: Of the last step.
    """

    step: int
    steps: int
    steps_per_epoch: int
    learning_rate: float = 0.0

    @property
    def epoch(self) -> int:
        """Rounds that are complete."""
        return self.step // self.steps_per_epoch


class Trainer:
    """Trains a network; the same arguments give the same run, resumed or not.

    Every step sees one batch. Its losses are those of the frames of all processes together, so that any number of
    processes trains alike (normalisation statistics are each process's own unless ``sync_norm``).

    Args:
        network: In training form; it is trained in place.
        sources: Frames and their shares.
        config: The run.
        fabric: Launched; says which devices and processes there are.
        listener: Is told of everything.
        validate: Scores a network after a number of rounds; None where there is nothing to score it on.
        state: What a listener was given to keep; the run goes on from there.
    """

    def __init__(
        self,
        network: Network,
        sources: Sequence[Source],
        config: TrainConfig,
        fabric: Fabric,
        listener: Listener,
        validate: Callable[[Network, int], dict[str, float]] | None = None,
        state: dict[str, Any] | None = None,
    ) -> None:
        torch.manual_seed(config.seed)
        self.config, self.fabric, self.listener, self.validate = config, fabric, listener, validate
        self.sources = sources
        samples = config.epoch_samples or sum(len(source.frames) for source in sources)
        per_epoch = -(-max(1, -(-samples // config.batch_size)) // config.accumulate) * config.accumulate
        self.progress = Progress(0, config.epochs * per_epoch, per_epoch)
        if fabric.device.type == "cpu":
            keep_strided_in_float32(network)
        if config.sync_norm:
            synchronise_norms(network)
        freeze(network, config.freeze)
        self.network = network.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.uncertainty = TaskUncertainty().to(fabric.device) if config.loss.uncertainty else None
        self.ema = EMA(self.network, config.ema_decay, warmup=max(1, self._updates(self.progress.steps) // 20))
        compiled: Any = torch.compile(self.network) if config.compile else self.network
        optimizer = make_optimizer(config, self.network, self.uncertainty)
        self.module, self.optimizer = fabric.setup(compiled, optimizer)
        self.scaler = getattr(fabric.strategy.precision, "scaler", None)  # of float16
        self.skipped, self.saved = 0, time.monotonic()
        if state is not None:
            self._resume(state)

    def run(self) -> None:
        """Trains to the end.

        Raises:
            YolopError: Frames cannot be read, what is kept cannot be written, or gradients stay without a number.
        """
        while self.progress.step < self.progress.steps:
            with closing(self._batches()) as batches:
                for batch in batches:
                    for problem in batch.problems:
                        self.listener.remark(self.progress, f"left out a frame: {problem}")
                    self.listener.step(self.progress, self._step(batch))
                    if self.progress.step % self.progress.steps_per_epoch == 0:
                        self.listener.epoch(self.progress, self.ema.network, self._validate())
                        self._save()
                        if self.progress.epoch in (self.config.epochs, self._last_mosaic):
                            break
                    elif self._at_update() and time.monotonic() - self.saved > 60 * self.config.save_every:
                        self._save()

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The weighted losses of a batch, of all processes together."""
        batch = batch.to(self.fabric.device)
        x = (batch.images.float() / 255).contiguous(memory_format=torch.channels_last)
        out = self.module(x)
        sums = loss_sums(out, batch, self.network.anchors.float(), self.config.loss)
        return losses_of(sum_over_processes(sums), self.config.loss, self.progress.step)

    @property
    def _last_mosaic(self) -> int:
        """The round after which there are no mosaics and mixtures any more."""
        return self.config.epochs - self.config.close_mosaic

    def _batches(self) -> Generator[Batch, None, None]:
        """Batches from here on, augmented as it is due now."""
        c, world = self.config, self.fabric.world_size
        closed = self.progress.epoch >= self._last_mosaic
        augment = replace(c.augment, mosaic=0.0, mixup=0.0) if closed else c.augment
        frames = AugmentedFrames(self.sources, c.height, c.width, augment, c.seed)
        start, rank = self.progress.step, self.fabric.global_rank
        return make_loader(frames, c.batch_size // world, c.workers, start, rank, world)

    def _step(self, batch: Batch) -> dict[str, float]:
        """Takes one step, and updates the weights when its gradients complete a nominal batch."""
        rate = self._learning_rate()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        statistics = [buffer.clone() for buffer in self.network.buffers()]
        update = (self.progress.step + 1) % self.config.accumulate == 0
        with self.fabric.no_backward_sync(self.module, enabled=not update):
            losses = self.losses(batch)
            total = self.uncertainty(losses) if self.uncertainty else torch.stack(list(losses.values())).sum()
            finite = bool(torch.isfinite(total))  # the same in all processes, since the losses are
            if finite:
                self.fabric.backward(total / self.config.accumulate)
        if not finite:
            self._skip(statistics, "its losses are not finite")
        elif update:
            finite = self._update(statistics)
        self.progress.step += 1
        self.progress.learning_rate = rate
        return {name: float(value.detach()) for name, value in losses.items()} if finite else {}

    def _update(self, statistics: list[Tensor]) -> bool:
        """Updates the weights, unless the gradients are not finite."""
        norm = self.fabric.clip_gradients(
            self.module, self.optimizer, max_norm=self.config.clip or float("inf"), error_if_nonfinite=False
        )
        if not torch.isfinite(torch.as_tensor(norm)):
            if self.scaler is not None:
                self.optimizer.step()  # the scaler takes no step, and a smaller scale from now on
            self._skip(statistics, "its gradients are not finite")
            return False
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.skipped = 0
        self.ema.update(self.network)
        return True

    def _skip(self, statistics: list[Tensor], why: str) -> None:
        """One bad batch must not end a long run, nor stay in the statistics."""
        self.optimizer.zero_grad(set_to_none=True)
        for buffer, before in zip(self.network.buffers(), statistics, strict=True):
            buffer.copy_(before)
        self.listener.remark(self.progress, f"skipped a batch: {why}")
        self.skipped += 1
        if self.skipped >= MOST_SKIPPED:
            raise YolopError(
                f"Training stopped at step {self.progress.step}: {MOST_SKIPPED} batches in a row gave no finite "
                "gradients. The last good state is kept; try a lower learning_rate or precision=float32."
            )

    def _updates(self, steps: int) -> int:
        return steps // self.config.accumulate

    def _at_update(self) -> bool:
        return self.progress.step % self.config.accumulate == 0

    def _learning_rate(self) -> float:
        """Linear warm-up into a cosine (arXiv 1608.03983) over the whole run."""
        c, p = self.config, self.progress
        cosine = c.final_rate + (1 - c.final_rate) * 0.5 * (1 + np.cos(np.pi * p.step / p.steps))
        warmup = min(c.warmup_epochs, c.epochs / 10) * p.steps_per_epoch
        return float(c.learning_rate * cosine * min(1.0, (p.step + 1) / max(warmup, 1)))

    def _validate(self) -> dict[str, float]:
        due = self.progress.epoch % self.config.validate_every == 0 or self.progress.step == self.progress.steps
        if self.validate is None or not due:
            return {}
        equalise(self.ema.network)  # normalisation statistics are each process's own
        return self.validate(self.ema.network, self.progress.epoch)

    def _save(self) -> None:
        state = {
            "step": self.progress.step,
            "network": self.network.state_dict(),
            "ema": self.ema.network.state_dict(),
            "ema_updates": self.ema.updates,
            "optimizer": self.optimizer.state_dict(),
            "uncertainty": self.uncertainty.state_dict() if self.uncertainty else {},
            "scaler": self.scaler.state_dict() if self.scaler else {},
        }
        self.listener.save(self.progress, state)
        self.saved = time.monotonic()

    def _resume(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.ema.network.load_state_dict(state["ema"])
        self.ema.updates, self.progress.step = state["ema_updates"], state["step"]
        self.optimizer.load_state_dict(state["optimizer"])
        if self.uncertainty:
            self.uncertainty.load_state_dict(state["uncertainty"])
        if self.scaler:
            self.scaler.load_state_dict(state["scaler"])


def make_optimizer(config: TrainConfig, *modules: nn.Module | None) -> torch.optim.Optimizer:
    """The optimiser of a run, over the parameters that learn; biases and normalisations do not decay.

    Args:
        config: The run.
        modules: What is trained; None is left out.
    """
    parameters = [p for m in modules if m is not None for p in m.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, config.learning_rate, config.momentum, nesterov=config.momentum > 0)
    return torch.optim.AdamW(groups, config.learning_rate, (config.momentum, 0.999))

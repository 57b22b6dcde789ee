"""What is kept and shown of a run: log, TensorBoard, bar, validation, checkpoints, curves, pictures."""

import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from rich.progress import TextColumn
from torch.utils.tensorboard import SummaryWriter

from yolopv2.checkpoints import CheckpointMeta
from yolopv2.errors import YolopError
from yolopv2.network import Network
from yolopv2.training.bar import progress_bar
from yolopv2.training.config import TrainConfig
from yolopv2.training.curves import draw_curves
from yolopv2.training.folder import RunFolder
from yolopv2.training.trainer import Listener, Progress

LOG_EVERY = 20
"""Steps between lines of the log; each holds the means since the one before."""


SHOWN = ("ap50", "drivable_iou", "lane_iou", "pq")
"""The score of each task that is shown, and by which the best weights are chosen."""


def fitness(metrics: dict[str, float]) -> float:
    """One number to choose the best weights by: the mean of the tasks' scores."""
    scores = [metrics[name] for name in SHOWN if name in metrics]
    return sum(scores) / len(scores) if scores else 0.0


class Record:
    """The `Listener` of the first process.

    Args:
        folder: Where everything goes.
        config: The run.
        names: Class names by class id.
        validated: Whether networks are scored; if not, the last one counts as the best.
        resumed: The step from which the run goes on, or None for a new one.
    """

    def __init__(
        self,
        folder: RunFolder,
        config: TrainConfig,
        names: Sequence[str],
        validated: bool,
        resumed: int | None = None,
    ) -> None:
        self.folder, self.config, self.names, self.validated = folder, config, names, validated
        if resumed is not None:
            folder.forget_after(resumed)
        scores = [fitness(entry["scores"]) for entry in folder.entries() if "scores" in entry]
        self.best = max(scores, default=float("-inf"))
        self.tensorboard = SummaryWriter(str(folder.path / "tensorboard"), purge_step=resumed)
        self.bar = progress_bar(
            "round {task.fields[epoch]}",
            TextColumn("{task.fields[rate]:.1f} images/s"),
            TextColumn("{task.fields[text]}"),
        )
        self.console = self.bar.console
        self.task = self.bar.add_task("", total=None, epoch="1", rate=0.0, text="")
        self.bar.start()
        self._restart_means()

    def step(self, progress: Progress, losses: dict[str, float]) -> None:
        """Counts a step in; now and then writes the means of the last ones."""
        self.taken += 1
        self.summed += bool(losses)
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        rate = self.taken * self.config.batch_size / (time.monotonic() - self.since)
        total = sum(losses.values())
        self.bar.update(
            self.task,
            total=progress.steps,
            completed=progress.step,
            epoch=f"{min(progress.epoch + 1, self.config.epochs)}/{self.config.epochs}",
            rate=rate,
            text=f"loss {total:.3f}  {_memory()}",
        )
        if progress.step % LOG_EVERY == 0 or progress.step % progress.steps_per_epoch == 0:
            means = {name: value / self.summed for name, value in self.sums.items()}
            self._write(progress, {"images/s": rate, "learning_rate": progress.learning_rate, "losses": means})
            self._restart_means()

    def remark(self, progress: Progress, text: str) -> None:
        """Writes a remark to the log and the terminal."""
        self.folder.log({"step": progress.step, "remark": text})
        self.console.print(f"step {progress.step}: {text}", markup=False, highlight=False)

    def save(self, progress: Progress, state: dict[str, Any]) -> None:
        """Keeps the state."""
        with self._account(progress):
            self.folder.save_state(state)

    def epoch(self, progress: Progress, network: Network, scores: dict[str, float]) -> None:
        """Keeps scores and weights, draws the curves."""
        if scores:
            self._write(progress, {"epoch": progress.epoch, "scores": scores})
            shown = "  ".join(f"{name} {scores[name]:.3f}" for name in SHOWN if name in scores)
            self.console.print(f"round {progress.epoch}: {shown}", highlight=False)
        meta = self._describe(network, scores)
        with self._account(progress):
            self.folder.save_weights("last", network, meta)
            if (scores or not self.validated) and fitness(scores) >= self.best:
                self.best = fitness(scores)
                self.folder.save_weights("best", network, meta)
            draw_curves(self.folder.entries(), self.folder.path / "curves.png")
        self._restart_means()

    def validating(self, done: int, total: int) -> None:
        """Shows how far a validation is."""
        self.bar.update(self.task, text=f"validating {done}/{total}")

    def close(self) -> None:
        """Ends the bar and the writers."""
        self.bar.stop()
        self.tensorboard.close()

    @contextmanager
    def _account(self, progress: Progress) -> Iterator[None]:
        """A run that cannot keep what it has is stopped; what was kept before is whole."""
        try:
            yield
        except YolopError as error:
            go_on = f"what was kept before is whole: go on with --resume {self.folder.path}"
            raise YolopError(f"Training stopped at step {progress.step}: {error}; {go_on}") from None

    def _describe(self, network: Network, scores: dict[str, float]) -> CheckpointMeta:
        metrics = {"validation, dataset protocol": scores} if scores else {}
        return CheckpointMeta.of(network, self.names, training=self.config.to_dict(), metrics=metrics)

    def _write(self, progress: Progress, entry: dict[str, Any]) -> None:
        self.folder.log({"step": progress.step, **entry})
        for group, values in entry.items():
            for name, value in (values if isinstance(values, dict) else {group: values}).items():
                tag = f"{group}/{name}" if isinstance(values, dict) else group
                self.tensorboard.add_scalar(tag, value, progress.step)

    def _restart_means(self) -> None:
        self.sums: dict[str, float] = {}
        self.taken = self.summed = 0
        self.since = time.monotonic()


class Silent:
    """The `Listener` of all other processes."""

    def step(self, progress: Progress, losses: dict[str, float]) -> None:
        """Nothing to do."""

    def remark(self, progress: Progress, text: str) -> None:
        """Nothing to do."""

    def save(self, progress: Progress, state: dict[str, Any]) -> None:
        """Nothing to do."""

    def epoch(self, progress: Progress, network: Network, scores: dict[str, float]) -> None:
        """Nothing to do."""


class Both:
    """A `Listener` that passes everything on to two others, in this order."""

    def __init__(self, first: Listener, second: Listener) -> None:
        self.listeners = (first, second)

    def step(self, progress: Progress, losses: dict[str, float]) -> None:
        """Passed on."""
        for listener in self.listeners:
            listener.step(progress, losses)

    def remark(self, progress: Progress, text: str) -> None:
        """Passed on."""
        for listener in self.listeners:
            listener.remark(progress, text)

    def save(self, progress: Progress, state: dict[str, Any]) -> None:
        """Passed on."""
        for listener in self.listeners:
            listener.save(progress, state)

    def epoch(self, progress: Progress, network: Network, scores: dict[str, float]) -> None:
        """Passed on."""
        for listener in self.listeners:
            listener.epoch(progress, network, scores)


def _memory() -> str:
    """What the process holds, of the GPU's memory where there is one."""
    if torch.cuda.is_available():
        return f"{torch.cuda.max_memory_allocated() / 1e9:.1f} GB on the GPU"
    unit = 1 if sys.platform == "darwin" else 1024
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9:.1f} GB"

"""train_yolop_v2: trains on an Ikomia data set."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yolopv2.checkpoints import CATALOGUE
from yolopv2.data.dataset import open_dataset, split_names
from yolopv2.errors import MissingExtra, YolopError
from yolopv2.ikomia.dataset import write_ikomia_dataset
from yolopv2.ikomia.parameters import TrainParameters

if TYPE_CHECKING:
    from yolopv2.network import Network
    from yolopv2.training.trainer import Progress


class Stopped(Exception):  # noqa: N818 - it is no error that training was stopped
    """Somebody asked a training to stop."""


def learn(
    data: Mapping[str, Any],
    params: TrainParameters,
    folder: Path,
    on_epoch: Callable[[int, dict[str, float]], object],
    stopped: Callable[[], bool],
) -> Path:
    """Trains on an Ikomia data set; needs the extra ``train``.

    The network gets the heads for which there are labels. Starting weights that have others lose them.

    Args:
        data: ``IkDatasetIO.data``; see `yolopv2.ikomia.dataset.write_ikomia_dataset`.
        params: How to train.
        folder: A new folder for data set and run.
        on_epoch: Told after each round its number, from 1, and its mean losses and scores by name.
        stopped: Asked after each step.

    Returns:
        The best weights.

    Raises:
        Stopped: As asked for; weights of the rounds before are in ``folder/run``, and the run can go on from there.
        YolopError: Data or parameters are not what they should be, or training cannot go on.
    """
    try:
        from yolopv2.training.config import make_config
        from yolopv2.training.run import train
    except ImportError:
        raise MissingExtra("train", "Training") from None
    described = write_ikomia_dataset(data, folder / "data", params.dataset_split_ratio)
    height = max(32, round(params.train_imgsz * 0.6 / 32) * 32)  # of a frame of 16:9, as the network sees it
    settings: dict[str, Any] = {
        "heads": _labelled_heads(described),
        "epochs": params.epochs,
        "batch_size": params.batch_size,
        "width": params.train_imgsz,
        "height": height,
        "workers": 0,  # a program with windows must not be forked
    }
    if params.model_weight_file or params.model_name in CATALOGUE:
        settings["weights"] = params.model_weight_file or params.model_name
    else:
        settings["variant"] = params.model_name
    return train(described, make_config(settings), folder / "run", watch=_Watch(on_epoch, stopped))


def _labelled_heads(described: Path) -> list[str]:
    """The heads for which any frame has labels."""
    heads: set[str] = set()
    for split in split_names(described):
        dataset = open_dataset(described, split)
        for index in range(len(dataset)):
            sample = dataset[index]
            labels = {"detection": sample.boxes, "drivable": sample.drivable, "lanes": sample.lanes}
            heads.update(head for head, label in labels.items() if label is not None)
            if len(heads) == len(labels):
                break
    if not heads:
        raise YolopError("no frame of the data set has boxes or masks: there is nothing to learn")
    return [head for head in ("detection", "drivable", "lanes") if head in heads]


class _Watch:
    """Follows a run, as a `yolopv2.training.trainer.Listener`."""

    def __init__(self, on_epoch: Callable[[int, dict[str, float]], object], stopped: Callable[[], bool]) -> None:
        self._on_epoch, self._stopped = on_epoch, stopped
        self._sums: dict[str, float] = {}
        self._steps = 0

    def step(self, progress: "Progress", losses: dict[str, float]) -> None:
        """Counts losses in, and stops where that was asked for."""
        self._steps += bool(losses)
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        if self._stopped():
            raise Stopped

    def remark(self, progress: "Progress", text: str) -> None:
        """Stands in the log of the run."""

    def save(self, progress: "Progress", state: dict[str, Any]) -> None:
        """The run keeps its state itself."""

    def epoch(self, progress: "Progress", network: "Network", scores: dict[str, float]) -> None:
        """Tells of the round."""
        losses = {f"loss_{name}": value / max(self._steps, 1) for name, value in self._sums.items()}
        self._sums, self._steps = {}, 0
        self._on_epoch(progress.epoch, {**losses, **scores})

"""The folder of a run: configuration, log, checkpoints, curves, pictures."""

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml

from yolopv2.checkpoints import CheckpointMeta
from yolopv2.checkpoints.weights import save_checkpoint
from yolopv2.errors import YolopError
from yolopv2.files import cannot_write, write_bytes_atomic, write_text_atomic
from yolopv2.network import Network
from yolopv2.training.config import TrainConfig, make_config

STATE = "state.pt"

RUNS = Path("runs")
"""Where runs go that are given no folder."""


def free_folder(parent: Path, name: str) -> Path:
    """``parent/name``, or the first of ``name-2``, ``name-3`` and so on that is not there yet."""
    taken = {path.name for path in parent.iterdir()} if parent.is_dir() else set()
    number = next(n for n in range(1, len(taken) + 2) if (name if n == 1 else f"{name}-{n}") not in taken)
    return parent / (name if number == 1 else f"{name}-{number}")


class RunFolder:
    """Reads and writes the files of a run.

    ::

        config.yaml           all of the configuration, and the data: what makes the run again
        log.jsonl             a line per entry: losses, scores, remarks
        tensorboard/          the same for TensorBoard
        curves.png            the same as a picture
        state.pt              what resuming needs
        last.safetensors      the averaged weights, as of the last validation
        best.safetensors      those that scored best
        validation/           labels and predictions side by side, a picture per validation

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def has_state(self) -> bool:
        """Whether there is something to resume."""
        return (self.path / STATE).is_file()

    def write_config(self, data: Path, config: TrainConfig) -> None:
        """Writes ``config.yaml``.

        Raises:
            YolopError: It cannot be written.
        """
        text = yaml.safe_dump({"data": str(data), **config.to_dict()}, sort_keys=False)
        write_text_atomic(self.path / "config.yaml", text)

    def read_config(self) -> tuple[Path, TrainConfig]:
        """The data set and the configuration that a run was started with.

        Raises:
            YolopError: The folder holds no run.
        """
        try:
            values = yaml.safe_load((self.path / "config.yaml").read_text(encoding="utf-8"))
            data = Path(values.pop("data"))
        except (OSError, ValueError, AttributeError, KeyError, TypeError, yaml.YAMLError):
            raise YolopError(f"{self.path} holds no run: there is no config.yaml that could be resumed.") from None
        return data, make_config(values)

    def save_state(self, state: Mapping[str, Any]) -> None:
        """Replaces ``state.pt``; when that fails the one before stays.

        Raises:
            YolopError: It cannot be written.
        """
        buffer = io.BytesIO()
        torch.save(dict(state), buffer)
        write_bytes_atomic(self.path / STATE, buffer.getvalue())

    def load_state(self) -> dict[str, Any]:
        """What `save_state` wrote; nothing in it can run.

        Raises:
            YolopError: It is damaged.
        """
        try:
            return torch.load(self.path / STATE, map_location="cpu", weights_only=True)
        except Exception as error:  # torch.load raises whatever its zip and pickle readers do
            raise YolopError(f"{self.path / STATE} cannot be read: {type(error).__name__}: {error}.") from None

    def save_weights(self, name: str, network: Network, meta: CheckpointMeta) -> None:
        """Writes ``NAME.safetensors``.

        Raises:
            YolopError: It cannot be written.
        """
        save_checkpoint(network, self.path / f"{name}.safetensors", meta)

    def log(self, entry: Mapping[str, Any]) -> None:
        """Adds a line to ``log.jsonl``.

        Raises:
            YolopError: It cannot be written.
        """
        try:
            with (self.path / "log.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
        except OSError as error:
            raise cannot_write(self.path / "log.jsonl", error) from error

    def entries(self) -> list[dict[str, Any]]:
        """The lines of ``log.jsonl``; one that a killed process left unfinished is left out."""
        path = self.path / "log.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines if re.fullmatch(r"\{.*\}", line)]

    def forget_after(self, step: int) -> None:
        """Takes entries out of the log that come from steps which are about to be taken again.

        Raises:
            YolopError: It cannot be written.
        """
        kept = [entry for entry in self.entries() if entry["step"] <= step]
        write_text_atomic(self.path / "log.jsonl", "".join(json.dumps(entry) + "\n" for entry in kept))

"""A run from its data set and configuration to a folder with trained weights."""

import logging
import os
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import torch
from lightning_fabric import Fabric

from yolopv2.data.ahead import Frames
from yolopv2.data.dataset import Dataset, open_dataset, open_sources, split_names
from yolopv2.data.frames import open_frames
from yolopv2.data.packed import PackedSample
from yolopv2.errors import YolopError
from yolopv2.training.anchors import choose_anchors
from yolopv2.training.bar import progress_bar
from yolopv2.training.config import TrainConfig
from yolopv2.training.folder import RunFolder
from yolopv2.training.loader import Source
from yolopv2.training.record import Both, Record, Silent
from yolopv2.training.start import Anchors, Start, starting_network
from yolopv2.training.survey import Survey, survey_labels
from yolopv2.training.trainer import Listener, Trainer
from yolopv2.training.validation import Validation


def train(data: Path, config: TrainConfig, folder: Path, resume: bool = False, watch: Listener | None = None) -> Path:
    """Trains a network.

    Args:
        data: YAML of the data set: its split ``train`` is learned from, ``val`` is validated on where there is one.
        config: The run.
        folder: Where the run goes; see `RunFolder`.
        resume: Whether to go on with the run in the folder.
        watch: Is told of everything too, after it was written down; what it raises ends the run.

    Returns:
        The best weights.

    Raises:
        YolopError: The data set, the weights or the folder are not what they should be; or training cannot go on.
    """
    fabric = launch(config)
    torch.manual_seed(config.seed)
    run = RunFolder(folder)
    state = run.load_state() if resume and run.has_state else None
    sources = training_frames(data, config, fabric, folder.parent / ".frames")
    survey = survey_labels(sources, config.height, config.width)
    names = list(open_dataset(data, "train").names.values())
    start = _start(config if state is None else replace(config, weights=None), names, survey)
    config = replace(start.config, weights=config.weights)
    first, validated = fabric.global_rank == 0, "val" in split_names(data)
    if first and not resume:
        run.write_config(data, config)
    step = None if state is None else state["step"]
    record = Record(run, config, names, validated, step) if first else None
    listener: Listener = Both(record or Silent(), watch) if watch is not None else record or Silent()
    validation = _validation(data, names, config, fabric, run, record) if validated else None
    try:
        trainer = Trainer(start.network, sources, config, fabric, listener, validation, state)
        if state is None:
            for remark in start.remarks:
                listener.remark(trainer.progress, remark)
            if not validated:
                listener.remark(trainer.progress, "There is no split 'val': the last weights will count as the best.")
        trainer.run()
    finally:
        if record is not None:
            record.close()
    return run.path / "best.safetensors"


def _validation(
    data: Path, names: Sequence[str], config: TrainConfig, fabric: Fabric, run: RunFolder, record: Record | None
) -> Validation:
    tick = {"tick": record.validating} if record is not None else {}
    size = max(config.height, config.width)
    return Validation(open_dataset(data, "val"), names, fabric.device, size, run.path / "validation", **tick)


def launch(config: TrainConfig) -> Fabric:
    """The processes of a run, joined: those that torchrun started, or ``config.devices`` new ones."""
    for name in ("lightning_fabric", "lightning.fabric", "torch.distributed"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message="Grad strides do not match")  # of tensors of a few numbers
    started = int(os.environ.get("LOCAL_WORLD_SIZE", 0)) if "TORCHELASTIC_RUN_ID" in os.environ else 0
    devices = started or config.devices
    nodes = int(os.environ["WORLD_SIZE"]) // started if started else 1
    fabric = Fabric(
        accelerator=config.device,
        devices=devices,
        num_nodes=nodes,
        strategy="ddp" if devices * nodes > 1 else "auto",
        precision=precision_of(config),  # type: ignore[arg-type]
    )
    fabric.launch()
    if config.batch_size % fabric.world_size:
        raise YolopError(f"a batch of {config.batch_size} cannot be shared by {fabric.world_size} processes evenly")
    cv2.setNumThreads(0)  # the processes of the loader share the cores
    return fabric


def precision_of(config: TrainConfig) -> str:
    """The precision as Fabric calls it: what the device is quick in, or what is configured."""
    names = {"float32": "32-true", "bfloat16": "bf16-mixed", "float16": "16-mixed"}
    if config.precision != "auto":
        return names[config.precision]
    if config.device in ("auto", "cuda") and torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
    quick = config.device in ("auto", "cpu") and torch.cpu._is_avx512_bf16_supported()
    return "bf16-mixed" if quick else "32-true"


def _start(config: TrainConfig, names: list[str], survey: Survey) -> Start:
    remarks: list[str] = []

    def fitted(given: Anchors) -> Anchors:
        if config.anchors == "keep" or not len(survey.sizes):
            return given
        chosen, remark = choose_anchors(survey.sizes, given)
        remarks.append(remark)
        return chosen

    start = starting_network(config, names, fitted, survey.images)
    start.remarks += survey.remarks(start.network.heads) + remarks
    return start


def training_frames(data: Path, config: TrainConfig, fabric: Fabric, cache: Path) -> list[Source]:
    """The frames of the split ``train`` at training size, and their shares.

    Args:
        data: YAML of the data set.
        config: Says where frames are kept.
        fabric: The processes; the first one fills the cache.
        cache: Folder of the cache on disk.
    """
    sources = open_sources(data, "train")
    frames = []
    for first in (True, False):
        if first == (fabric.global_rank == 0):
            frames = [_open_frames(source.dataset, config, cache) for source in sources]
        fabric.barrier()
    return [Source(sized, source.share) for sized, source in zip(frames, sources, strict=True)]


def _open_frames(dataset: Dataset, config: TrainConfig, cache: Path) -> Frames[PackedSample]:
    kept = "none" if hasattr(dataset, "packed") else config.cache  # packed frames need no other copy
    with progress_bar("caching frames") as bar:
        task = bar.add_task("", total=len(dataset), visible=kept != "none")
        return open_frames(
            dataset, config.height, config.width, kept, cache, lambda: bar.advance(task), lanes=config.lanes
        )

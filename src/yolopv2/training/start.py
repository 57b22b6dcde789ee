"""The network that a run starts from: new, or somebody's weights fitted to the data at hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from yolopv2.checkpoints import load_network, resolve
from yolopv2.network import ALL_HEADS, COCO_ANCHORS, Network
from yolopv2.network.heads import ANCHORS_PER_LEVEL
from yolopv2.network.unfuse import is_deployed, unfuse
from yolopv2.training.config import TrainConfig

Anchors = Sequence[Sequence[Sequence[float]]]


@dataclass
class Start:
    """What a run starts from.

    Attributes:
        network: In training form.
        config: The run's, with what the weights decide filled in.
        remarks: What a person should know, in sentences.
    """

    network: Network
    config: TrainConfig
    remarks: list[str]


def starting_network(
    config: TrainConfig,
    names: Sequence[str],
    choose_anchors: Callable[[Anchors], Anchors],
    images: Tensor,
) -> Start:
    """Makes the network of a run.

    Args:
        config: The run.
        names: Class names of the data, by class id.
        choose_anchors: Gives the anchors to be used in place of given ones.
        images: Training images ``[N, 3, H, W]`` in 0..1, for weights in deployed form.

    Raises:
        YolopError: The weights cannot be loaded.
    """
    if config.weights is None:
        anchors = choose_anchors(COCO_ANCHORS)
        return Start(Network(config.variant, len(names), config.heads, config.encoder, anchors), config, [])
    loaded, meta = load_network(resolve(config.weights))
    remarks: list[str] = []
    if is_deployed(loaded):
        loaded = unfuse(loaded, images)
        remarks.append(
            f"{config.weights} is in deployed form: its normalisations were measured anew on training frames."
        )
    anchors = choose_anchors(loaded.anchors.tolist())
    heads = config.heads
    config = replace(config, variant=loaded.variant_name, encoder=loaded.encoder_name)
    network = Network(config.variant, len(names), heads, config.encoder, anchors)
    if new := [head for head in heads if head not in loaded.heads]:
        remarks.append(f"{config.weights} has no head for {', '.join(new)}: it starts from random weights.")
    if left := [head for head in ALL_HEADS if head in loaded.heads and head not in heads]:
        remarks.append(f"The head for {', '.join(left)} of {config.weights} is left out.")
    if "detection" in heads and "detection" in loaded.heads:
        remarks += _detection_remarks(loaded, meta.names, network, names)
    _copy(loaded, meta.names, network, names)
    return Start(network, config, remarks)


def _detection_remarks(loaded: Network, theirs: Sequence[str], network: Network, ours: Sequence[str]) -> list[str]:
    remarks = []
    if tuple(ours) != tuple(theirs):
        kept, new = ([name for name in ours if (name in theirs) == known] for known in (True, False))
        remarks.append(f"The classes are {_listed(ours)} instead of {_listed(theirs)}.")
        if new:
            remarks.append(f"{_listed(new)}: the last layer of detection starts from random weights for these.")
        if kept:
            remarks.append(f"{_listed(kept)}: known to the weights, and kept.")
    if not torch.equal(loaded.anchors, network.anchors):
        remarks.append("The anchors were clustered anew: those of the weights do not fit the data's boxes.")
    return remarks


def _listed(names: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(names))
    return ", ".join(distinct[:5]) + (f" and {len(distinct) - 5} more" if len(distinct) > 5 else "")


def _copy(loaded: Network, theirs: Sequence[str], network: Network, ours: Sequence[str]) -> None:
    """Copies every tensor that means the same in both networks; of the last layer of detection, what does by name."""
    state = network.state_dict()
    for name, value in loaded.state_dict().items():
        if name == "anchors" or name not in state:
            continue
        if name.startswith(("detection.predict.", "detection.im.")):
            _copy_classes(value, theirs, state[name], ours)
        else:
            state[name].copy_(value)


def _copy_classes(source: Tensor, theirs: Sequence[str], target: Tensor, ours: Sequence[str]) -> None:
    """Copies the outputs for boxes, for objectness, and for the classes that have the same name."""
    shape = (ANCHORS_PER_LEVEL, -1, max(target.numel() // (ANCHORS_PER_LEVEL * (5 + len(ours))), 1))
    known = [(5 + i, 5 + theirs.index(name)) for i, name in enumerate(ours) if name in theirs]
    rows = [(i, i) for i in range(5)] + known
    into, out_of = (list(column) for column in zip(*rows, strict=True))
    target.view(shape)[:, into] = source.view(shape)[:, out_of]

"""The network that a run starts from: new, or somebody's weights fitted to the data at hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from yolopv2.checkpoints import load_network, resolve
from yolopv2.network import COCO_ANCHORS, HEADS, Network
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
    if left := [head for head in HEADS if head in loaded.heads and head not in heads]:
        remarks.append(f"The head for {', '.join(left)} of {config.weights} is left out.")
    if "detection" in heads and "detection" in loaded.heads:
        remarks += _detection_remarks(loaded, meta.names, network, names)
    _copy(loaded, network, same_classes=tuple(names) == meta.names)
    return Start(network, config, remarks)


def _detection_remarks(loaded: Network, theirs: Sequence[str], network: Network, ours: Sequence[str]) -> list[str]:
    remarks = []
    if tuple(ours) != tuple(theirs):
        old, new = (_listed(names) for names in (theirs, ours))
        remarks.append(
            f"The classes are {new} instead of {old}: the last layer of detection starts from random weights."
        )
    if not torch.equal(loaded.anchors, network.anchors):
        remarks.append("The anchors were clustered anew: those of the weights do not fit the data's boxes.")
    return remarks


def _listed(names: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(names))
    return ", ".join(distinct[:5]) + (f" and {len(distinct) - 5} more" if len(distinct) > 5 else "")


def _copy(loaded: Network, network: Network, same_classes: bool) -> None:
    """Copies every tensor that means the same in both networks."""
    state = network.state_dict()
    skipped = ("anchors",) if same_classes else ("anchors", "detection.predict.", "detection.im.")
    fitting = {
        name: value
        for name, value in loaded.state_dict().items()
        if not name.startswith(skipped) and name in state and state[name].shape == value.shape
    }
    network.load_state_dict({**state, **fitting})

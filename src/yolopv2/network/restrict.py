"""A network that computes only what is asked for: fewer heads, fewer classes."""

from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from yolopv2.errors import YolopError
from yolopv2.network.fuse import fuse
from yolopv2.network.heads import ANCHORS_PER_LEVEL
from yolopv2.network.network import Network


def restrict(network: Network, heads: Collection[str] | None = None, classes: Sequence[int] | None = None) -> Network:
    """A part of a network that gives for it what the whole gives, bit for bit where the engine keeps its order.

    Layers that only lead to other heads are left out, as are the outputs of other classes.

    Args:
        network: In training or deployed form; it is not changed, and its tensors are shared where they are whole.
        heads: Of the heads it has; all if None.
        classes: Of its class ids; all if None. Those that stay are numbered anew, in the order given.

    Raises:
        YolopError: The network lacks a head or class, or nothing is asked for.

    Example:
        >>> part = restrict(Network("nano", classes=80), heads=["detection"], classes=[2, 7])
        >>> part.heads, part.classes, part(torch.zeros(1, 3, 64, 96)).detections[0].shape
        (('detection',), 2, torch.Size([1, 21, 8, 12]))
    """
    heads = network.heads if heads is None else heads
    classes = range(network.classes) if classes is None else classes
    missing = sorted(set(heads) - set(network.heads))
    if missing:
        raise YolopError(f"the network has no head {missing[0]!r}; it has: {', '.join(network.heads)}")
    if not classes or not all(0 <= index < network.classes for index in classes):
        raise YolopError(f"classes must be some ids of 0 to {network.classes - 1}, not {list(classes)}")
    state = network.state_dict()
    with torch.device("meta"):
        part = Network(network.variant_name, len(classes), heads, network.encoder_name)
        part = part if any("running_mean" in name for name in network.encoder.state_dict()) else fuse(part)
    kept = {name: _of_classes(name, state[name], network.classes, classes) for name in part.state_dict()}
    part.load_state_dict(kept, assign=True)
    return part.train(network.training)


def _of_classes(name: str, tensor: Tensor, count: int, classes: Sequence[int]) -> Tensor:
    """The rows of the prediction's weight, bias or factor that belong to the classes; other tensors as they are."""
    if not name.startswith(("detection.predict.", "detection.im.")) or list(classes) == list(range(count)):
        return tensor
    axis = tensor.shape.index(ANCHORS_PER_LEVEL * (5 + count))
    rows = torch.arange(ANCHORS_PER_LEVEL * (5 + count)).view(ANCHORS_PER_LEVEL, -1)
    wanted = rows[:, [*range(5), *(5 + index for index in classes)]].flatten()
    return tensor.index_select(axis, wanted.to(tensor.device))

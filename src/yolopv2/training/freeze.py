"""Parts of a network that do not learn."""

from collections.abc import Collection, Iterator

from torch import nn

from yolopv2.network import Network

_BACKBONE = ("stem", "stage2", "down3", "stage3", "down4", "stage4", "down5", "stage5", "context")


def parts_of(network: Network, names: Collection[str]) -> Iterator[nn.Module]:
    """The modules of named parts: ``backbone``, ``neck``, ``encoder`` (both), or a head; absent ones are left out."""
    for name, module in network.encoder.named_children():
        part = "backbone" if name in _BACKBONE else "neck"
        if part in names or "encoder" in names:
            yield module
    for name in network.heads:
        if name in names:
            yield network.get_submodule(name)


def freeze(network: Network, names: Collection[str]) -> None:
    """Puts a network into training mode but for some parts, whose weights and normalisation statistics stay.

    Args:
        network: In training form.
        names: See `parts_of`.

    Example:
        >>> network = Network("nano", classes=1)
        >>> freeze(network, ["encoder", "lanes"])
        >>> network.training, network.lanes.training, network.lanes.layers[1].conv.weight.requires_grad
        (True, False, False)
    """
    network.train()
    for part in parts_of(network, names):
        part.eval().requires_grad_(False)

"""Pairs the layers of two graphs: equal outputs first, then whatever feeds an equal pair."""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from yolopv2.checkpoints.torchscript.graph import Layer


@dataclass
class Matching:
    """Which layer of the file is which layer of the network.

    Attributes:
        pairs: By the network's layer: the file's.
        differences: Where the two graphs part, one sentence each.
    """

    pairs: dict[Layer, Layer] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)


def match(network: Mapping[str, Sequence[Layer]], file: Mapping[str, Sequence[Layer]]) -> Matching:
    """Walks two graphs from their outputs to their inputs in step.

    Names do not matter, nor does the order of execution, nor what stands between the layers: among the layers that feed
    a pair those of one label correspond in the order of the operands (of a concatenation above all). What this cannot
    see, such as another activation, shows when both are run.

    Args:
        network: The layers that reach each output of the network, by the output's name.
        file: The same of the file.
    """
    found = Matching()
    taken: dict[Layer, Layer] = {}
    queue = deque((f"the output '{name}'", layers, file[name]) for name, layers in network.items())
    while queue:
        place, ours, theirs = queue.popleft()
        our_labels, their_labels = _by_label(ours), _by_label(theirs)
        if {k: len(v) for k, v in our_labels.items()} != {k: len(v) for k, v in their_labels.items()}:
            found.differences.append(
                f"{place} comes from {_describe(ours)} in the network, from {_describe(theirs)} in the file"
            )
            continue
        for label, layers in our_labels.items():
            for our_layer, their_layer in zip(layers, their_labels[label], strict=True):
                if our_layer not in found.pairs and their_layer not in taken:
                    found.pairs[our_layer], taken[their_layer] = their_layer, our_layer
                    queue.append((our_layer.name, our_layer.sources, their_layer.sources))
                elif found.pairs.get(our_layer) is not their_layer:
                    found.differences.append(
                        f"{their_layer.name} ({label}) of the file feeds other layers than it should"
                    )
    return found


def _by_label(layers: Sequence[Layer]) -> dict[str, list[Layer]]:
    groups = defaultdict(list)
    for layer in layers:
        groups[layer.label].append(layer)
    return groups


def _describe(layers: Sequence[Layer]) -> str:
    return ", ".join(f"{layer.label} ({layer.name})" for layer in layers) or "no layer"

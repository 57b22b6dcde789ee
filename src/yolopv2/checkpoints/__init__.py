"""Weights: our format, the released file, and the catalogue of those that have a name.

What needs no PyTorch is here; saving and loading, which do, are in `yolopv2.checkpoints.weights`.
"""

from yolopv2.checkpoints.catalogue import CATALOGUE, Entry, bundled_graph, resolve
from yolopv2.checkpoints.files import file_kind, load_network
from yolopv2.checkpoints.meta import CheckpointMeta, read_meta

__all__ = [
    "CATALOGUE",
    "CheckpointMeta",
    "Entry",
    "bundled_graph",
    "file_kind",
    "load_network",
    "read_meta",
    "resolve",
]

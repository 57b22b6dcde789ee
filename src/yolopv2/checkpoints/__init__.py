"""Weights: our format, the released file, and the catalogue of those that have a name.

What needs no PyTorch is here; saving and loading, which do, are in `yolopv2.checkpoints.weights`.
"""

from typing import TYPE_CHECKING, Any

from yolopv2.checkpoints.catalogue import CATALOGUE, Entry, bundled_graph, resolve
from yolopv2.checkpoints.files import file_kind, load_network

if TYPE_CHECKING:
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


def __getattr__(name: str) -> Any:
    """Descriptions need pydantic, which is slow to import, and seeing with a graph needs no description."""
    if name in ("CheckpointMeta", "read_meta"):
        from yolopv2.checkpoints import meta

        return getattr(meta, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

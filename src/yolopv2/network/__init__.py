"""The network: pure modules that know nothing of files. Needs the extra ``torch``."""

from yolopv2.errors import MissingExtra

try:
    import torch as _torch  # noqa: F401
except ImportError:
    raise MissingExtra("torch", "The network itself (model.network, training, import, export)") from None

from yolopv2.network.fuse import fuse
from yolopv2.network.network import Network, Outputs
from yolopv2.network.variants import ALL_HEADS, COCO_ANCHORS, HEADS, VARIANTS, Variant, variant

__all__ = ["ALL_HEADS", "COCO_ANCHORS", "HEADS", "VARIANTS", "Network", "Outputs", "Variant", "fuse", "variant"]

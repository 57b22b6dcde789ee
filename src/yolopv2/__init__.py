"""YOLOPv2: panoptic driving perception. Vehicles, drivable area and lane markings from one network.

Example:
    >>> import numpy as np
    >>> from yolopv2 import YOLOPv2
    >>> scene = YOLOPv2()(np.zeros((360, 640, 3), np.uint8))  # or "street.jpg"
    >>> scene.vehicles.xyxy.shape, scene.drivable.shape
    ((0, 4), (360, 640))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from yolopv2.model import YOLOPv2
    from yolopv2.scene import Scene

__all__ = ["Scene", "YOLOPv2", "__version__"]

_WHERE = {"Scene": "yolopv2.scene", "YOLOPv2": "yolopv2.model"}
"""Imported when first used, so that importing the package takes no time."""

__version__: str


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("yolopv2")
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

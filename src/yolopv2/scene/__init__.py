"""Scene: the one result type, with what can be made of it."""

from yolopv2.scene.scene import Scene
from yolopv2.scene.vehicles import Vehicles

__all__ = ["Scene", "Vehicles"]

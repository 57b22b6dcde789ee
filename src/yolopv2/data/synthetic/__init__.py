"""Our own driving scenes: rendered from a seed, labelled by construction."""

from .conditions import TIMES_OF_DAY, WEATHERS
from .dataset import SyntheticDataset, write_dataset
from .drive import CLASS_NAMES, Drive, render_scene

__all__ = ["CLASS_NAMES", "TIMES_OF_DAY", "WEATHERS", "Drive", "SyntheticDataset", "render_scene", "write_dataset"]

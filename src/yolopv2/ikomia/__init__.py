"""Ikomia: its workflow calls on this package alone, and plugins for the real Ikomia API and STUDIO.

`Workflow` and `display` take the calls that are written for Ikomia; nothing of Ikomia is needed. `Task` and
`Parameters` are what tasks of one's own derive from, and `load_tasks` offers them to workflows. The plugins in
``plugins/`` are for the real thing, and `yolopv2 ikomia install` puts them there. See docs/ikomia.md.
"""

from yolopv2.ikomia.display import display
from yolopv2.ikomia.outputs import DataDictIO, DetectionIO, ImageIO, IODataType, SegmentationIO
from yolopv2.ikomia.parameters import Parameters
from yolopv2.ikomia.registry import load_tasks
from yolopv2.ikomia.task import Task
from yolopv2.ikomia.workflow import Workflow

__all__ = [
    "DataDictIO",
    "DetectionIO",
    "IODataType",
    "ImageIO",
    "Parameters",
    "SegmentationIO",
    "Task",
    "Workflow",
    "display",
    "load_tasks",
]

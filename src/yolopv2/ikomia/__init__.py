"""Ikomia: its workflow calls on this package alone, and plugins for the real Ikomia API and STUDIO.

`Workflow` and `display` take the calls that are written for Ikomia; nothing of Ikomia is needed. The plugins in
``plugins/`` are for the real thing, and `yolopv2 ikomia install` puts them there. See docs/ikomia.md.
"""

from yolopv2.ikomia.display import display
from yolopv2.ikomia.outputs import IODataType
from yolopv2.ikomia.workflow import Workflow

__all__ = ["IODataType", "Workflow", "display"]

"""The tasks that a workflow can have, as the page offers them: what they do, what they take, their parameters."""

import inspect
import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from yolopv2.ikomia.registry import TASKS
from yolopv2.ikomia.task import Task
from yolopv2.inference.results import FORMATS
from yolopv2.scene.draw import LAYERS

_SEVERAL = {("draw", "layers"): LAYERS, ("write", "save"): FORMATS}
"""Parameters that are words with commas, and the words there are."""

_HERE = {
    ("infer_yolop_v2", "cuda"): "In the studio the device counts that it was started with.",
    ("infer_yolop_v2", "update"): "Counts outside of the studio.",
    ("infer_yolop_v2", "model_weight_file"): "Counts outside of the studio, which opens no files by name.",
    ("write", "folder"): "In the studio the files are offered as a download instead; elsewhere they are written there.",
}
"""What is different in the studio."""


def describe_tasks() -> list[dict[str, Any]]:
    """All tasks, in the order they are offered.

    Returns:
        For each ``name``, ``file`` (the name of that it was loaded from, None for the package's own), ``title``, the
        kinds of its ``inputs`` and ``outputs``, which inputs it ``needs``, and its ``parameters``: ``name``,
        ``default`` (as a string), ``description``, ``here`` (what is different in the studio), ``type`` (``bool``,
        ``number``, ``text``), ``choices`` and whether ``several`` may be chosen, or the bounds ``min`` and ``max``.
    """
    return [_task(name, kind()) for name, kind in TASKS.items()]


def _task(name: str, task: Task) -> dict[str, Any]:
    params = type(task.params)
    told = _attributes(params)
    return {
        "name": name,
        "file": None if type(task).__module__.startswith("yolopv2.") else Path(inspect.getfile(type(task))).name,
        "title": (inspect.getdoc(type(task)) or "").partition("\n")[0],
        "inputs": [kind.value for kind in task.inputs],
        "outputs": [kind.value for kind in task.outputs],
        "needs": [*task.needs],
        "parameters": [
            {
                "name": field,
                "default": task.get_parameters()[field],
                "description": told.get(field, ""),
                "here": _HERE.get((name, field), ""),
                **_form(info, _SEVERAL.get((name, field), ())),
            }
            for field, info in params.model_fields.items()
        ],
    }


def _form(info: FieldInfo, several: tuple[str, ...]) -> dict[str, Any]:
    """How a parameter is asked for."""
    if get_origin(info.annotation) is Literal:
        return {"type": "text", "choices": [*get_args(info.annotation)], "several": False}
    if several:
        return {"type": "text", "choices": [*several], "several": True}
    if info.annotation is bool:
        return {"type": "bool"}
    if info.annotation in (int, float):
        rules = [(name, getattr(rule, bound, None)) for rule in info.metadata for name, bound in _BOUNDS]
        bounds = {name: value for name, value in rules if value is not None}
        return {"type": "number", "is_whole": info.annotation is int, **bounds}
    return {"type": "text"}


_BOUNDS = (("min", "ge"), ("max", "le"))


def _attributes(kind: type) -> dict[str, str]:
    """What a docstring tells of attributes, in one line each."""
    _, _, listed = (inspect.getdoc(kind) or "").partition("Attributes:\n")
    entries = re.split(r"\n(?=    \w)", "\n" + listed)
    pairs = (entry.strip().partition(": ") for entry in entries)
    return {name: re.sub(r"\s+|`", lambda gap: "" if gap[0] == "`" else " ", text).strip() for name, _, text in pairs}

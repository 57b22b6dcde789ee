"""Scalabel's label objects, which BDD100K and YOLOP keep: boxes, drivable areas and lanes of one frame."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolopv2.data.classes import Classes
from yolopv2.data.formats.files import read_json
from yolopv2.data.lane_labels import Edge
from yolopv2.errors import YolopError
from yolopv2.geometry.curves import fill_polygons, flatten_curves

DRIVABLE, LANE = "drivable area", "lane"
"""Categories of 2018; later files have the kind of area or lane as category."""

_CROSSING = "crosswalk"

Frames = dict[str, list[dict[str, Any]] | None]
"""Label objects by the name of their frame without suffix; None where nobody labelled."""


def read_frames(path: Path) -> Frames:
    """The label objects of every frame of a file.

    Raises:
        YolopError: It is missing, or no list of frames.
    """
    return read_frames_and_attributes(path)[0]


def read_frames_and_attributes(path: Path) -> tuple[Frames, dict[str, dict[str, str]]]:
    """The label objects of every frame of a file, and what is known of the whole frame: weather, scene, time of day.

    Raises:
        YolopError: It is missing, or no list of frames.
    """
    frames = read_json(path)
    try:
        frames = frames["frames"] if isinstance(frames, dict) else frames
        names = [Path(frame["name"]).stem for frame in frames]
        labels = {name: _labels_of(frame) for name, frame in zip(names, frames, strict=True)}
        return labels, {name: _known(frame.get("attributes")) for name, frame in zip(names, frames, strict=True)}
    except (AttributeError, KeyError, TypeError) as error:
        raise YolopError(f"{path} is not a BDD100K label file: {error!r}.") from None


def _known(attributes: dict[str, Any] | None) -> dict[str, str]:
    """Attributes without those that the annotators could not tell."""
    return {name: str(value) for name, value in (attributes or {}).items() if value not in (None, "undefined")}


def boxes_of(
    labels: Iterable[Mapping[str, Any]], classes: Classes, where: object
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Boxes and class ids, those of the data set's classes.

    Args:
        labels: Objects with ``category`` and, where they have a box, ``box2d``.
        classes: The data set's classes.
        where: Frame or file, for messages.

    Raises:
        YolopError: They are no such objects.
    """
    try:
        kept = [x for x in labels if x.get("category") in classes.ids and "box2d" in x]
        boxes = np.array([[x["box2d"][k] for k in ("x1", "y1", "x2", "y2")] for x in kept], np.float32)
        if not np.isfinite(boxes).all():
            raise ValueError("a coordinate is not finite")
        return boxes.reshape(-1, 4), np.array([classes.ids[x["category"]] for x in kept], np.int64)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise YolopError(f"The labels of {where} are no BDD100K boxes: {error!r}.") from None


def masks_of(
    labels: Iterable[Mapping[str, Any]], classes: Classes, height: int, width: int, where: object
) -> NDArray[np.bool_] | None:
    """Instance masks of the boxes that `boxes_of` gives, bool ``[n, H, W]``; None unless each has outlines.

    Args:
        labels: Objects as for `boxes_of`, with ``poly2d``.
        classes: The data set's classes.
        height: Of the frame.
        width: Of the frame.
        where: Frame or file, for messages.

    Raises:
        YolopError: An outline is damaged.
    """
    kept = [x for x in labels if x.get("category") in classes.ids and "box2d" in x]
    if not kept or not all(x.get("poly2d") for x in kept):
        return None
    return np.array([fill_polygons(_outlines(x, where), height, width) for x in kept])


def of_category(frames: Frames, category: str) -> Frames:
    """The labels of a category by frame; nothing when none of them, in any frame, has an outline."""
    kept = {
        name: [x for x in labels if isinstance(x, Mapping) and x.get("category") == category]
        for name, labels in frames.items()
        if labels is not None
    }
    return {**kept} if any(label.get("poly2d") for labels in kept.values() for label in labels) else {}


def drivable_outlines(
    labels: Iterable[Mapping[str, Any]], kinds: Iterable[str], where: object
) -> list[NDArray[np.float64]]:
    """Outlines of the drivable areas of some kinds, float64 ``[k, 2]`` of ``x y`` in pixels each.

    Args:
        labels: Objects of category `DRIVABLE` with the attribute ``areaType``, or with the kind as category.
        kinds: ``direct``, ``alternative`` or both.
        where: Frame or file, for messages.

    Raises:
        YolopError: They are no such objects, or an outline is damaged.
    """
    try:
        kept = [x for x in labels if (_attributes(x).get("areaType") or x.get("category")) in set(kinds)]
    except (AttributeError, TypeError) as error:
        raise YolopError(f"The labels of {where} are no BDD100K areas: {error!r}.") from None
    return [outline for label in kept for outline in _outlines(label, where)]


def lane_edges(labels: Iterable[Mapping[str, Any]], where: object) -> list[Edge]:
    """Edges of lane markings.

    Args:
        labels: Objects of category `LANE`, or with the type of lane as category; all others are to be left out before.
        where: Frame or file, for messages.

    Raises:
        YolopError: They are no such objects, or an outline is damaged.
    """
    edges = []
    for label in labels:
        try:
            attributes = _attributes(label)
            names = (("laneTypes", "type"), ("laneDirection", "direction"), ("laneStyle", "style"))
            kind = tuple(str(attributes.get(old) or attributes.get(new) or "") for old, new in names)
            kind = (str(label.get("category")), *kind)
        except AttributeError as error:
            raise YolopError(f"The labels of {where} are no BDD100K lanes: {error!r}.") from None
        edges += [Edge(outline, kind, paired=_CROSSING not in kind) for outline in _outlines(label, where)]
    return edges


def _labels_of(frame: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    if not frame.get("labels") and _attributes(frame).get("labelled") is False:
        return None
    return list(frame.get("labels") or [])


def _attributes(label: Mapping[str, Any]) -> Mapping[str, Any]:
    return label.get("attributes") or {}


def _outlines(label: Mapping[str, Any], where: object) -> list[NDArray[np.float64]]:
    try:
        return [
            flatten_curves(outline["vertices"], outline["types"], bool(outline.get("closed")))
            for outline in label.get("poly2d") or []
        ]
    except (AttributeError, KeyError, TypeError, YolopError) as error:
        raise YolopError(f"{where}: the outline of label {label.get('id')} cannot be read: {error}.") from None

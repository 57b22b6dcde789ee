import copy
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from yolopv2.errors import YolopError
from yolopv2.scene import Scene, Vehicles
from yolopv2.scene.schema import shortest

DOCUMENT = Path(__file__).parents[2] / "docs" / "scene.md"


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Any scene: every optional part there or not, numbers from one end to the other."""
    height, width, n = draw(st.integers(1, 24)), draw(st.integers(1, 24)), draw(st.integers(0, 4))
    mask = arrays(bool, (height, width))
    vehicles = Vehicles(
        draw(arrays(np.float32, (n, 4), elements=st.floats(-(2.0**90), 2.0**90, width=32))),
        draw(arrays(np.float32, n, elements=st.floats(0, 1, width=32))),
        draw(arrays(np.int64, n, elements=st.integers(0, 2**63 - 1))),
        draw(st.none() | arrays(bool, (n, height, width))),
        draw(st.none() | arrays(np.int64, n)),
    )
    return Scene(
        vehicles,
        draw(st.none() | mask),
        draw(st.none() | mask),
        draw(st.dictionaries(st.integers(0, 999), st.text(max_size=5), max_size=4)),
        height,
        width,
        source=draw(st.none() | st.text(st.characters(codec="utf-8"), max_size=20)),
        index=draw(st.integers(0, 10**9)),
        time=draw(st.none() | st.floats(0, 1e6)),
    )


def conforms(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Whether a value conforms to the part of JSON Schema that docs/scene.md uses."""
    kinds = {
        "object": dict,
        "array": list,
        "string": str,
        "boolean": bool,
        "null": type(None),
        "integer": int,
        "number": (int, float),
    }
    if "$ref" in schema:
        return conforms(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root)
    if "anyOf" in schema:
        return any(conforms(value, option, root) for option in schema["anyOf"])
    if "const" in schema:
        return value == schema["const"]
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    typed = any(isinstance(value, kinds[kind]) for kind in types) and (
        not isinstance(value, bool) or "boolean" in types
    )
    if not typed:
        return False
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        return set(schema.get("required", [])) <= set(value) and all(
            conforms(item, known.get(key, others), root) for key, item in value.items() if known.get(key, others)
        )
    if isinstance(value, list):
        fits = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        return fits and all(conforms(item, schema["items"], root) for item in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return schema.get("minimum", value) <= value <= schema.get("maximum", value)
    return True


@pytest.fixture(scope="module")
def documented() -> dict[str, Any]:
    (block,) = (text for text in re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.S) if "$schema" in text)
    return json.loads(block)


@given(scenes())
def test_scenes_come_back_exactly(scene):
    back = Scene.from_dict(json.loads(scene.to_json()))
    for name in ("names", "height", "width", "source", "index", "time"):
        assert getattr(back, name) == getattr(scene, name)
    pairs = [(back.drivable, scene.drivable), (back.lanes, scene.lanes)]
    for name in ("xyxy", "confidence", "class_id", "masks", "track_id"):
        pairs.append((getattr(back.vehicles, name), getattr(scene.vehicles, name)))
    for ours, theirs in pairs:
        assert (ours is None) == (theirs is None)
        if theirs is not None:
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs, strict=True)
    assert back.to_dict() == scene.to_dict()


@given(scene=scenes())
def test_dicts_conform_to_the_documented_schema(documented, scene):
    assert conforms(scene.to_dict(), documented, documented)


def test_the_checker_of_the_schema_does_refuse(documented, street):
    data = street(with_masks=True).to_dict()
    assert conforms(data, documented, documented)
    for key, value in (("schema", "x"), ("height", 0), ("vehicles", [{}]), ("lanes", 1), ("time", "now")):
        assert not conforms({**data, key: value}, documented, documented)


def test_the_document_names_every_field(street):
    text = DOCUMENT.read_text()
    data = street(with_masks=True, with_tracks=True).to_dict()
    for key in [*data, *data["vehicles"][0]]:
        assert f"`{key}`" in text


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_short_decimals_give_the_same_float32(value):
    assert np.float32(shortest(np.float32(value))) == np.float32(value)


def _set(path: str, value: Any):
    """A change to a dict: the field at a dotted path becomes ``value``; ``...`` removes it."""

    def change(data: dict[str, Any]) -> None:
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        for part in parents:
            data = data[part]
        if value is ...:
            del data[last]
        else:
            data[last] = value

    return change


HOSTILE = [
    ("schema", ..., "schema"),
    ("schema", "yolopv2.scene/2", "yolopv2.scene/2"),
    ("schema", ["x"] * 1000, "schema"),
    ("height", ..., "height"),
    ("height", 0, "height"),
    ("height", "180", "height"),
    ("height", True, "height"),
    ("height", 10**9, "pixels"),
    ("width", 321, "drivable|vehicles"),
    ("index", -1, "index"),
    ("index", 10**30, "index"),
    ("time", "now", "time"),
    ("time", float("nan"), "time"),
    ("time", 10**400, "time"),
    ("source", 5, "source"),
    ("names", [], "names"),
    ("names", {"car": "car"}, "names"),
    ("names", {"²": "car"}, "names"),
    ("names", {"0": 0}, "names"),
    ("names", {"9" * 5000: "x"}, "names"),
    ("tracked", 1, "tracked"),
    ("instance_masks", None, "instance_masks"),
    ("drivable", ..., "drivable"),
    ("drivable", "x", "drivable"),
    ("drivable", {}, "drivable"),
    ("drivable.counts", "0", "drivable"),
    ("drivable.counts", [1, 2, 3], "drivable.*add up"),
    ("lanes.size", [10**6, 10**6], "lanes"),
    ("lanes.size", [180, 319], "lanes"),
    ("vehicles", ..., "vehicles"),
    ("vehicles", {}, "vehicles"),
    ("vehicles", [5], r"vehicles\[0\]"),
    ("vehicles.1.xyxy", ..., r"vehicles\[1\].xyxy"),
    ("vehicles.1.xyxy", [1, 2, 3], r"vehicles\[1\].xyxy"),
    ("vehicles.1.xyxy", [1, 2, 3, "4"], r"vehicles\[1\].xyxy"),
    ("vehicles.1.xyxy", [1, 2, 3, float("inf")], r"vehicles\[1\].xyxy"),
    ("vehicles.1.xyxy", [1, 2, 3, [4]], r"vehicles\[1\].xyxy"),
    ("vehicles.0.confidence", None, r"vehicles\[0\].confidence"),
    ("vehicles.0.class_id", 0.5, r"vehicles\[0\].class_id"),
    ("vehicles.0.class_id", -1, r"vehicles\[0\].class_id"),
    ("vehicles.2.track_id", ..., r"vehicles\[2\].track_id"),
    ("vehicles.2.mask", ..., r"vehicles\[2\].mask"),
    ("vehicles.2.mask", None, r"vehicles\[2\].mask"),
]


@pytest.mark.parametrize(("path", "value", "message"), HOSTILE)
def test_hostile_dicts_are_refused_by_the_name_of_the_field(street, path, value, message):
    data = copy.deepcopy(street(with_masks=True, with_tracks=True).to_dict())
    _set(path, value)(data)
    with pytest.raises(YolopError, match=message) as caught:
        Scene.from_dict(data)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("data", [None, [], "scene", 5, {}])
def test_what_is_no_scene_is_refused(data):
    with pytest.raises(YolopError, match="scene"):
        Scene.from_dict(data)


def test_many_masks_that_claim_terabytes_are_refused_before_they_are_made(street):
    data = street().to_dict()
    empty = {"size": [16384, 16384], "counts": [2**28]}
    vehicle = {**data["vehicles"][0], "mask": empty}
    data.update(height=16384, width=16384, drivable=None, lanes=None, instance_masks=True, vehicles=[vehicle] * 1000)
    with pytest.raises(YolopError, match="memory"):
        Scene.from_dict(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=6,
)
fields = ["height", "width", "index", "time", "source", "names", "vehicles", "drivable", "lanes", "tracked"]


@given(st.dictionaries(st.sampled_from(fields), json_values, min_size=1, max_size=3))
def test_arbitrary_fields_are_read_or_refused_and_nothing_else(changes):
    scene = Scene(Vehicles([[0, 0, 4, 4]], [0.5], [0]), np.ones((6, 8), bool), None, {0: "car"}, 6, 8)
    try:
        Scene.from_dict({**scene.to_dict(), **changes})
    except YolopError as error:
        assert "scene" in str(error)  # noqa: PT017 - either outcome is right

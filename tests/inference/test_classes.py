import pytest

from yolopv2.errors import YolopError
from yolopv2.inference.classes import class_ids

NAMES = {0: "car", 1: "truck", 2: "car"}


@pytest.mark.parametrize(
    ("given", "ids"), [("truck", (1,)), (1, (1,)), (["1", "truck"], (1,)), ("car", (0, 2)), ([2, "car"], (2, 0))]
)
def test_classes_are_found_by_id_and_name(given, ids):
    assert class_ids(given, NAMES) == ids


@pytest.mark.parametrize("given", ["tram", 3, ["car", "tram"], -1])
def test_an_unknown_class_is_named_beside_those_there_are(given):
    with pytest.raises(YolopError, match="there are: 0 car, 1 truck"):
        class_ids(given, NAMES)

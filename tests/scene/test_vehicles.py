import numpy as np
import pytest

from yolopv2.geometry.masks import rle_decode, rle_encode
from yolopv2.scene import Vehicles


def test_columns_have_the_types_that_are_promised():
    vehicles = Vehicles([[0, 0, 1, 1]], [0.5], [2], np.ones((1, 4, 4), np.uint8), [9])
    types = [column.dtype for column in (vehicles.xyxy, vehicles.confidence, vehicles.class_id)]
    assert types == [np.float32, np.float32, np.int64]
    assert vehicles.masks.dtype == bool
    assert vehicles.track_id.dtype == np.int64


def test_indexing_takes_every_column_along(street):
    vehicles = street(with_masks=True, with_tracks=True).vehicles
    for index in (vehicles.confidence > 0.6, [1, 2], slice(1, 3)):
        chosen = vehicles[index]
        assert len(chosen) == 2
        assert chosen.track_id.tolist() == [3, 12]
        np.testing.assert_array_equal(chosen.masks, vehicles.masks[1:])
    assert len(vehicles[-1]) == 1


def test_empty_has_no_rows():
    assert len(Vehicles.empty()) == 0
    assert Vehicles.empty().xyxy.shape == (0, 4)


@pytest.mark.parametrize(
    "columns",
    [
        ([[0, 0, 1, 1]], [0.5, 0.6], [1]),
        ([[0, 0, 1, 1]], [0.5], [[1]]),
        ([[0, 0, 1, 1]], [0.5], [1], np.ones((4, 4))),
        ([[0, 0, 1, 1]], [0.5], [1], None, [1, 2]),
    ],
)
def test_columns_of_different_lengths_are_refused(columns):
    with pytest.raises(ValueError, match="1 vehicles"):
        Vehicles(*columns)


def test_masks_are_kept_as_their_parts(street):
    whole = np.random.default_rng(0).random((3, 5, 4, 6)) < [[[[0]], [[0.1]], [[0.3]], [[0.9]], [[1]]]]
    for masks in (*whole, np.zeros((0, 4, 6), bool)):
        vehicles = Vehicles(np.zeros((len(masks), 4)), np.ones(len(masks)), np.zeros(len(masks)), masks)
        np.testing.assert_array_equal(vehicles.masks, masks)
        np.testing.assert_array_equal(vehicles[::-1].masks, masks[::-1])
        assert [vehicles.instances.rle(row) for row in range(len(masks))] == [rle_encode(mask) for mask in masks]
        np.testing.assert_array_equal([rle_decode(rle_encode(mask)) for mask in masks], list(masks))
    many = street(720, 1280, with_masks=True).vehicles[np.zeros(300, int)]
    assert sum(part.nbytes for part in many.instances.parts) < 300 * 720 * 1280 / 4
    with pytest.raises(ValueError, match="masks"):
        Vehicles([[0, 0, 1, 1]], [0.5], [1], many.instances)

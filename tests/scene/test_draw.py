import time

import cv2
import numpy as np
import pytest

from yolopv2.errors import YolopError
from yolopv2.scene import Scene, Vehicles, palette
from yolopv2.scene.draw import LAYERS


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (1, 700), (900, 3), (17, 23), (360, 640), (720, 1280), (2160, 3840)]
)
def test_every_layer_draws_at_any_size(street, height, width):
    scene = street(height, width)
    image = np.full((height, width, 3), 90, np.uint8)
    drawn = scene.draw(image, LAYERS)
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    assert (drawn != image).any()
    assert (image == 90).all()


def test_each_layer_changes_only_what_it_shows(street):
    scene = street(with_masks=True, image=np.full((180, 320, 3), 90, np.uint8))
    assert (scene.draw(layers=()) == 90).all()
    for layer, mask in (("drivable", scene.drivable), ("lanes", scene.lanes)):
        changed = (scene.draw(layers=(layer,)) != 90).any(axis=2)
        np.testing.assert_array_equal(changed, mask)
    outside = ~scene.vehicles.masks.any(axis=0)
    assert (scene.draw(layers="masks")[outside] == 90).mean() > 0.95
    seen = scene.panoptic()[0] > 0
    assert (scene.draw(layers=("panoptic",))[cv2.erode((~seen).view(np.uint8), np.ones((5, 5))) > 0] == 90).all()


def test_blending_is_the_weighted_mean_of_frame_and_colour(street):
    image = np.random.default_rng(0).integers(0, 255, (180, 320, 3), dtype=np.uint8)
    scene = street()
    drawn = scene.draw(image, ("drivable",))
    expected = image[scene.drivable] * 0.65 + np.array(palette.DRIVABLE) * 0.35
    np.testing.assert_allclose(drawn[scene.drivable], expected, atol=0.51)


def test_lines_grow_with_the_frame(street):
    widths = []
    for height in (720, 2160):
        column = street(height, height * 16 // 9).draw(layers=("boxes",))[height // 2, : height // 2]
        widths.append((column.max(axis=1) > 60).sum())
    assert widths[1] > 2 * widths[0]


def test_without_an_image_it_draws_on_black(street):
    assert street().draw(layers=()).max() == 0
    assert street().draw().max() > 0


def test_absent_heads_and_no_vehicles_draw_nothing():
    scene = Scene(Vehicles.empty(), None, None, {}, 20, 30)
    assert scene.draw(layers=LAYERS).max() == 0


def test_boxes_far_outside_do_not_disturb():
    boxes = [[-1e6, -1e6, 1e6, 1e6], [5e18, 5e18, 6e18, 6e18], [30, 20, 10, 5]]
    scene = Scene(Vehicles(boxes, [0.9, 0.8, 0.7], [0, 1, 2]), None, None, {}, 90, 160)
    assert scene.draw().shape == (90, 160, 3)


def test_an_unknown_layer_and_another_size_are_refused(street):
    with pytest.raises(YolopError, match=r"'lane'.*lane_lines"):
        street().draw(layers=("lane",))
    with pytest.raises(YolopError, match="180x320"):
        street().draw(np.zeros((10, 10, 3), np.uint8))


def test_vehicles_are_told_apart_by_track_or_mask_and_classes_otherwise(street):
    def colours(scene: Scene) -> int:
        drawn = scene.draw(layers=("boxes",))
        return sum((drawn == colour).all(axis=2).any() for colour in palette.VEHICLES)

    assert colours(street(720, 1280)) == 2
    still, frame = (street(720, 1280, with_masks=True) for _ in range(2))
    still.time, frame.time = None, 0.04
    assert colours(still) == 3
    assert colours(frame) == 2  # by row they would flicker from frame to frame
    assert colours(street(720, 1280, with_tracks=True)) == 2  # 7 and 12 are the same colour
    tracked = street(720, 1280, with_tracks=True)
    assert tracked.draw(layers=("boxes",))[400, 128].tolist() == list(palette.vehicle_colour(7))


def test_drawing_is_quick(street):
    scene = street(720, 1280, image=np.zeros((720, 1280, 3), np.uint8))
    scene.draw()
    spent = []
    for _ in range(5):
        began = time.process_time()
        scene.draw()
        spent.append(time.process_time() - began)
    assert min(spent) < 0.02


@pytest.mark.parametrize("kind", ["protan", "deutan"])
def test_colours_stay_apart_for_colour_blind_eyes(kind):
    # Viénot, Brettel and Mollon 1999, linear RGB.
    rows = {"protan": [0.11238, 0.88762, 0], "deutan": [0.29275, 0.70725, 0]}[kind]
    third = {"protan": [0.00401, -0.00401, 1], "deutan": [-0.02234, 0.02234, 1]}[kind]
    matrix = np.array([rows, rows, third])
    shown = [palette.DRIVABLE, palette.LANE, *palette.VEHICLES[:4]]
    linear = (np.array(shown) / 255) ** 2.2 @ matrix.T
    seen = np.clip(linear, 0, 1) ** (1 / 2.2) * 255
    gaps = [np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i]]
    assert min(gaps) > 25

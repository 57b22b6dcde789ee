import numpy as np

from yolopv2.scene import Scene, Vehicles
from yolopv2.scene.panoptic import categories


def test_the_more_confident_vehicle_lies_on_top_and_vehicles_over_lanes_over_road(street):
    ids, _ = street().panoptic()
    assert ids.dtype == np.int32
    assert ids[60, 110] == 2  # both cars are here; the second is more confident
    assert ids[100, 50] == 1  # car over road
    assert ids[170, 50] == 4  # road
    assert ids[170, 160] == 5  # lane marking over road
    assert ids[95, 158] == 2  # car over lane marking
    assert ids[10, 10] == 0  # nothing


def test_segments_describe_exactly_what_is_in_the_map(street):
    for with_masks in (False, True):
        scene = street(with_masks=with_masks)
        ids, segments = scene.panoptic()
        assert [segment["id"] for segment in segments] == np.unique(ids[ids > 0]).tolist()
        for segment in segments:
            y, x = np.nonzero(ids == segment["id"])
            assert segment["area"] == len(y)
            assert segment["bbox"] == [x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1]
        categories = [(segment["category_id"], segment["category"], segment["isthing"]) for segment in segments]
        stuff = [(3, "drivable area", False), (4, "lane marking", False)]
        assert categories == [(0, "car", True), (0, "car", True), (2, "bus", True), *stuff]


def test_a_vehicle_with_a_mask_takes_its_mask_and_without_one_its_box(street):
    scene = street(with_masks=True)
    assert scene.panoptic()[0][54, 224] == 0
    masks = scene.vehicles.masks.copy()
    masks[2] = False
    vehicles = Vehicles(scene.vehicles.xyxy, scene.vehicles.confidence, scene.vehicles.class_id, masks)
    unmasked = Scene(vehicles, None, None, scene.names, scene.height, scene.width)
    assert (unmasked.panoptic()[0] == 3).sum() == 96 * 144


def test_hidden_and_outlying_vehicles_have_no_segment():
    boxes = [[2, 2, 8, 8], [3, 3, 7, 7], [-50, -50, -10, -10], [90, 90, 120, 120], [5, 5, 5, 5], [7, 7, 4, 4]]
    scene = Scene(Vehicles(boxes, [0.9, 0.8, 0.7, 0.7, 0.7, 0.7], [0] * 6), None, None, {0: "car"}, 40, 40)
    ids, segments = scene.panoptic()
    assert [(segment["id"], segment["area"]) for segment in segments] == [(1, 36)]
    assert (ids > 0).sum() == 36


def test_a_class_without_a_name_is_called_by_its_number():
    scene = Scene(Vehicles([[0, 0, 4, 4]], [0.9], [17]), None, None, {}, 40, 40)
    assert scene.panoptic()[1][0]["category"] == "17"


def test_categories_after_the_classes_do_not_collide():
    assert [category["id"] for category in categories({0: "a", 79: "b"})] == [0, 79, 80, 81]
    assert [category["id"] for category in categories({})] == [0, 1]

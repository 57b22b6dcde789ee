"""Looks come back from disk as they were."""

from dataclasses import replace

import numpy as np
import pytest

from yolopv2.files import encode_image
from yolopv2.geometry.letterbox import Letterbox
from yolopv2.inference import Thresholds
from yolopv2.media import Frame
from yolopv2.scene import Vehicles
from yolopv2.studio.errors import Refusal
from yolopv2.studio.look import Look
from yolopv2.studio.looks import Looks
from yolopv2.studio.sessions import Disk, Shelf

LETTERBOX = Letterbox.fit(180, 320, size=320)
INSIDE = replace(LETTERBOX, canvas_height=LETTERBOX.scaled_height, canvas_width=LETTERBOX.scaled_width, top=0, left=0)
FRAME = Frame(np.zeros((180, 320, 3), np.uint8), "street.png")


def random_look(seed: int, count: int) -> Look:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 150, (count, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(4, 40, (count, 2))], axis=-1)
    maps = [encode_image(rng.integers(0, 256, (180, 320), dtype=np.uint8), ".png") for _ in range(2)]
    vehicles = Vehicles(boxes, np.sort(rng.uniform(0.05, 1, count))[::-1], rng.integers(0, 2, count))
    return Look(vehicles, *maps, INSIDE, {0: "car", 1: "bus"}, 12.345)


def same(a: Look, b: Look) -> bool:
    assert a.to_json() == b.to_json()
    assert a.letterbox == b.letterbox
    for thresholds in (Thresholds(), Thresholds(0.1, 0.8, drivable_conf=0.3, lane_conf=0.9)):
        assert a.decide(thresholds, FRAME).to_dict() == b.decide(thresholds, FRAME).to_dict()
    return True


def with_masks(look: Look, count: int) -> Look:
    rng = np.random.default_rng(3)
    masks = np.zeros((count, 180, 320), bool)
    for mask in masks[1:]:  # the first is empty
        x, y = rng.integers(0, 300), rng.integers(0, 160)
        mask[y : y + 17, x : x + 13] = rng.random((min(17, 180 - y), min(13, 320 - x))) > 0.5
    return Look(
        Vehicles(look.vehicles.xyxy[:count], look.vehicles.confidence[:count], look.vehicles.class_id[:count], masks),
        look.drivable,
        None,
        look.letterbox,
        look.names,
        1.5,
    )


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "shelf", Disk(1 << 22))


def test_looks_come_back_as_they_were(shelf):
    plain = [random_look(seed, 50) for seed in range(3)]
    given = [*plain, with_masks(plain[0], 9), with_masks(plain[0], 1), with_masks(plain[0], 0)]
    kept = Looks(shelf, "a.looks")
    for look in given:
        kept.add(look)
    assert len(kept) == len(given)
    assert all(same(kept[index], look) for index, look in enumerate(given))
    assert kept[3].drivable == plain[0].drivable
    assert kept[3].lanes is None


def test_numbers_are_those_of_the_scene(shelf):
    kept = Looks(shelf, "a.looks")
    look = random_look(5, 200)
    kept.add(look)
    kept.add(with_masks(look, 4))
    for thresholds in (Thresholds(), Thresholds(0.5, 0.2, drivable_conf=0.8, lane_conf=0.1)):
        numbers, scene = kept.numbers(0, thresholds), look.decide(thresholds, FRAME)
        assert numbers.vehicles == len(scene.vehicles)
        counts = look.counts()
        above = sum(counts["drivable"][value] for value in range(256) if value > thresholds.drivable_conf * 255)
        assert numbers.drivable == pytest.approx(above / sum(counts["drivable"]))
    assert kept.numbers(1, Thresholds()).lanes is None


def test_bytes_are_counted(tmp_path):
    kept = Looks(Shelf(tmp_path / "shelf", Disk(300_000)), "a.looks")
    for _ in range(2):
        kept.add(random_look(1, 50))
    with pytest.raises(Refusal, match="as much as it may"):
        kept.add(random_look(1, 50))
    assert (tmp_path / "shelf" / "a.looks").stat().st_size <= 300_000
    assert same(kept[len(kept) - 1], kept[0])

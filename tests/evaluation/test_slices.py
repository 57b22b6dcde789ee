import pytest

from yolopv2.evaluation.evaluate import evaluate
from yolopv2.evaluation.slices import slices
from yolopv2.evaluation.summary import summarize


def test_frames_are_cut_by_their_attributes(painted, listed, street) -> None:
    weathers = ["rainy", "clear", "rainy", "", "clear", "clear"]
    samples = [
        street(seed, attributes={"timeofday": "night"} | ({"weather": weather} if weather else {}))
        for seed, weather in enumerate(weathers)
    ]
    measured = evaluate(painted(), listed(samples))
    parts = {(part.group, part.name): part for part in slices(measured, resamples=20)}
    assert parts["all", "all"].frames == 6
    assert parts["weather", "rainy"].frames == 2
    assert parts["weather", "clear"].frames == 3
    assert parts["timeofday", "night"].labels == 12
    assert not [group for group, _ in parts if group == "brightness"]
    rainy = summarize([measured.frames[0], measured.frames[2]], measured.rules, measured.names)
    value, low, high = parts["weather", "rainy"].scores["lane_iou"]
    assert value == pytest.approx(rainy.metrics["lane_iou"])
    assert low <= value <= high


def test_brightness_stands_in_where_no_frame_tells_the_time_of_day(painted, listed, street) -> None:
    samples = [street(seed) for seed in range(4)]
    for sample, grey in zip(samples, (0, 30, 69, 71), strict=True):
        sample.image[:] = grey
    parts = {(part.group, part.name): part for part in slices(evaluate(painted(), listed(samples)), resamples=5)}
    assert parts["brightness", "bright"].frames == 1
    assert parts["brightness", "dark"].frames == 3


def test_objects_are_cut_by_size_and_distance(painted, listed, street) -> None:
    """Every frame has a box of 16x16 or taller that is found, and one of 20x18 that is not."""
    parts = slices(evaluate(painted(), listed([street(seed) for seed in range(4)])), resamples=5)
    by_name = {part.name: part for part in parts}
    assert by_name["small"].labels == 8
    assert "large" not in by_name
    assert by_name["near"].labels == 8
    assert by_name["near"].group == "distance"
    assert by_name["small"].scores["recall"][0] == 0.5
    assert by_name["small"].frames == 4


def test_protocols_without_bands_have_no_objects_cut(painted, listed, street) -> None:
    parts = slices(evaluate(painted(), listed([street(0), street(1)]), "yolop"), resamples=5)
    assert {part.group for part in parts} == {"all", "brightness"}

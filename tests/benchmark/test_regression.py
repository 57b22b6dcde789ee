"""Made-up runs: what must be found, and what must not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolopv2.benchmark.regression import compare
from yolopv2.benchmark.report import LeftOut, Report, Row, Setup
from yolopv2.errors import YolopError

MACHINE = {"processor": "A", "cores": "2"}
NAMES = ("float32", "bfloat16", "small", "onnx")


def setup(name):
    return Setup(weights="nano", runtime=name, threads=2)


def made_up(ms, machine=MACHINE, **more):
    """A run in which the frames of each row took so long."""
    first = next(iter(ms.values()))
    rows = [
        Row(setup=setup(name), engine=name, ms=(t,) * 3, p50=t, p90=t, ratio=first / t, ratio_low=first / t,
            ratio_high=first / t, memory=None, first_frame=1.0)
        for name, t in ms.items()
    ]  # fmt: skip
    return Report(machine=machine, versions={}, frame=(1280, 720), date="", rows=tuple(rows), **more)


def slower(earlier, later, tolerance=0.15):
    return [change.setup.runtime for change in compare(earlier, later, tolerance).changes if change.slower]


BEFORE = dict(zip(NAMES, (20.0, 12.0, 5.0, 30.0), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_a_row_that_became_slower_is_found_whichever_it_is_the_first_included(name):
    later = made_up({**BEFORE, name: BEFORE[name] * 1.5})
    assert slower(made_up(BEFORE), later) == [name]
    comparison = compare(made_up(BEFORE), later)
    assert not comparison.passed
    (change,) = (change for change in comparison.changes if change.slower)
    assert change.times == pytest.approx(1.5)
    assert "takes 1.50 times as long" in str(change)


@pytest.mark.parametrize("count", [3, 4])
@pytest.mark.parametrize("name", NAMES[:3])
def test_a_row_that_became_quicker_fails_nothing(name, count):
    before = {each: BEFORE[each] for each in NAMES[:count]}
    comparison = compare(made_up(before), made_up({**before, name: BEFORE[name] / 2}))
    assert comparison.passed
    assert [change.setup.runtime for change in comparison.changes if "quicker" in str(change)] == [name]


@given(st.floats(0.1, 10), st.lists(st.floats(0.95, 1.05), min_size=4, max_size=4))
def test_a_machine_at_another_speed_changes_nothing(factor, noise):
    later = {name: ms * factor * each for (name, ms), each in zip(BEFORE.items(), noise, strict=True)}
    assert compare(made_up(BEFORE), made_up(later)).passed


@given(st.floats(0, 2), st.floats(1, 4))
def test_the_tolerance_is_the_limit(tolerance, times):
    if abs(times - 1 - tolerance) < 1e-6:
        return
    later = made_up({**BEFORE, "small": BEFORE["small"] * times})
    assert ("small" in slower(made_up(BEFORE), later, tolerance)) == (times > 1 + tolerance)


def test_two_rows_are_enough_and_one_is_too_few():
    before, after = {"float32": 20.0, "bfloat16": 12.0}, {"float32": 20.0, "bfloat16": 20.0}
    assert slower(made_up(before), made_up(after)) == ["bfloat16"]
    with pytest.raises(YolopError, match="they share 1"):
        compare(made_up(before), made_up({"float32": 20.0, "other": 1.0}))


def test_a_row_that_is_missing_fails_with_the_reason():
    later = made_up(
        {name: BEFORE[name] for name in NAMES[:3]}, left_out=(LeftOut(setup=setup("onnx"), reason="not installed"),)
    )
    comparison = compare(made_up(BEFORE), later)
    assert not comparison.passed
    assert comparison.missing == {str(setup("onnx")): "not installed"}
    assert compare(later, made_up(BEFORE)).passed, "a new row is no regression"


def test_another_machine_is_said_and_ratios_are_compared_all_the_same():
    comparison = compare(made_up(BEFORE), made_up(BEFORE, machine={"processor": "B", "cores": "2"}))
    assert comparison.passed
    assert "another machine: processor A then, B now" in comparison.notes[0]
    assert "cores" not in comparison.notes[0]
    assert compare(made_up(BEFORE), made_up(BEFORE)).notes == ()


@pytest.mark.parametrize("tolerance", [-0.1, float("nan"), float("inf")])
def test_a_tolerance_that_is_none_is_refused(tolerance):
    with pytest.raises(YolopError, match="tolerance"):
        compare(made_up(BEFORE), made_up(BEFORE), tolerance)


def test_a_report_comes_back_as_it_was_saved(tmp_path):
    report = made_up(BEFORE, left_out=(LeftOut(setup=setup("x"), reason="because"),))
    report.save(tmp_path / "bench.json")
    assert Report.load(tmp_path / "bench.json") == report


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"ratio": 1.0', '"ratio": 0', r"rows\.0\.ratio"),
        ('"ratio": 1.0', '"ratio": NaN', "damaged"),
        ('"p50": 20.0', '"p50": "quick"', r"rows\.0\.p50"),
        ('"rows"', '"lines"', "'rows'"),
        ('"threads": 2', '"threads": -2', "threads"),
        ('"format": 1', '"format": 99', "update yolopv2"),
        ("}", "", "damaged"),
    ],
)
def test_a_damaged_report_is_refused_with_the_place(tmp_path, old, new, message):
    path = tmp_path / "bench.json"
    made_up(BEFORE).save(path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(YolopError, match=message):
        Report.load(path)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"\xff\xfe", b"{}", b"[" * 5000])
def test_what_is_no_report_is_refused(tmp_path, content):
    path = tmp_path / "bench.json"
    path.write_bytes(content)
    with pytest.raises(YolopError, match=r"bench\.json is no benchmark"):
        Report.load(path)
    with pytest.raises(YolopError, match="cannot read"):
        Report.load(tmp_path / "none.json")

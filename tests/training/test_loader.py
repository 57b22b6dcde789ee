import itertools
import multiprocessing
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from yolopv2.data.augment import AugmentConfig  # noqa: E402
from yolopv2.data.packed import PackedFrames, PackedSample, write_packed  # noqa: E402
from yolopv2.errors import MissingExtra, YolopError  # noqa: E402
from yolopv2.training.loader import AugmentedFrames, Batch, Source, collate, make_loader  # noqa: E402

STILL = AugmentConfig.off()


class Numbered:
    """Frames that show their own number, with a box as wide; some may be broken."""

    def __init__(self, count: int, first: int = 0, broken: Sequence[int] = (), boxes: bool = True) -> None:
        self.count, self.first, self.broken, self.boxes = count, first, broken, boxes

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> PackedSample:
        if index in self.broken:
            raise [YolopError, OSError][index % 2](f"frame {index} is damaged")
        number = self.first + index
        maps = np.full((32, 64, 4), 255, np.uint8)
        boxes = np.array([[0, 1, 1, 2 + number % 60, 30]], np.float32) if self.boxes else None
        return PackedSample(np.full((32, 64, 3), number, np.uint8), maps, boxes)


def frames(config: AugmentConfig = STILL, seed: int = 0, **changes: object) -> AugmentedFrames:
    sources = [Source(Numbered(7, **changes), 2.0), Source(Numbered(5, first=100), 1.0)]  # type: ignore[arg-type]
    return AugmentedFrames(sources, 32, 64, config, seed)


def shown(sample: PackedSample) -> int:
    return int(sample.image[16, 32, 0])


def assert_same(one: Batch, other: Batch) -> None:
    for a, b in zip(one[:4], other[:4], strict=True):
        assert torch.equal(a, b)
    assert list(one.problems) == list(other.problems)


def first_batches(count: int, data: AugmentedFrames, *args: int, **options: int) -> list[Batch]:
    return list(itertools.islice(make_loader(data, *args, **options), count))


def test_batches_are_the_same_for_any_number_of_workers() -> None:
    data = frames(AugmentConfig(), broken=[3])
    for one, other in zip(first_batches(4, data, 3, 0), first_batches(4, data, 3, 2), strict=True):
        assert_same(one, other)


def test_a_run_that_starts_later_gets_the_batches_it_would_have_had() -> None:
    data = frames(AugmentConfig())
    for one, other in zip(first_batches(5, data, 3, 0)[3:], first_batches(2, data, 3, 0, start=3), strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("world", [2, 3])
def test_processes_share_out_the_batches_of_one(world: int) -> None:
    data = frames(AugmentConfig())
    whole = first_batches(3, data, 6, 0)
    parts = [first_batches(3, data, 6 // world, 0, rank=rank, world_size=world) for rank in range(world)]
    for step in range(3):
        for rank in range(world):
            part = parts[rank][step]
            assert torch.equal(part.images, whole[step].images[rank::world])
            assert torch.equal(part.maps, whole[step].maps[rank::world])
        assert sum(len(parts[rank][step].targets) for rank in range(world)) == len(whole[step].targets)


@pytest.fixture
def spawning() -> Iterator[None]:
    method = multiprocessing.get_start_method()
    multiprocessing.set_start_method("spawn", force=True)
    yield
    multiprocessing.set_start_method(method, force=True)


@pytest.mark.usefixtures("spawning")
def test_workers_may_be_spawned(tmp_path: Path) -> None:
    write_packed(tmp_path / "packed", (Numbered(4)[i] for i in range(4)), 4)
    data = AugmentedFrames([Source(PackedFrames(tmp_path / "packed"), 1)], 32, 64, AugmentConfig())
    assert_same(first_batches(1, data, 2, 1)[0], first_batches(1, data, 2, 0)[0])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_a_sample_is_a_function_of_seed_and_number(seed: int, number: int) -> None:
    one, other = frames(AugmentConfig(), seed)[number], frames(AugmentConfig(), seed)[number]
    np.testing.assert_array_equal(one.image, other.image)
    np.testing.assert_array_equal(one.boxes, other.boxes)


def test_other_seeds_and_numbers_give_other_samples() -> None:
    samples = [frames(AugmentConfig(), seed)[number] for seed in range(3) for number in range(3)]
    assert len({s.image.tobytes() for s in samples}) == 9


def test_all_frames_of_a_source_are_seen_equally_often_in_a_new_order_each_round() -> None:
    data = AugmentedFrames([Source(Numbered(50), 1)], 32, 64, STILL)
    rounds = [[data._turn(n) for n in range(1024 * k, 1024 * (k + 1))] for k in range(2)]
    assert sorted(position for turns in rounds for _, position in turns) == list(range(2048))
    seen = Counter(shown(data[n]) for n in range(2048))
    assert set(seen) == set(range(50))
    assert max(seen.values()) - min(seen.values()) <= 1
    orders = {tuple(shown(data._draw(0, 50 * turn + i, 0, [])) for i in range(50)) for turn in range(4)}
    assert len(orders) == 4


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=5), st.integers(0, 1000))
def test_sources_take_turns_by_their_shares(shares: list[float], block: int) -> None:
    data = AugmentedFrames([Source(Numbered(3), share) for share in shares], 32, 64, STILL)
    turns = [data._turn(n) for n in range(1024 * block, 1024 * (block + 1))]
    counts = Counter(which for which, _ in turns)
    for which, share in enumerate(shares):
        positions = sorted(position for source, position in turns if source == which)
        if positions:  # without gap or repeat
            assert positions == list(range(positions[0], positions[0] + len(positions)))
        assert abs(counts[which] - 1024 * share / sum(shares)) <= len(shares)


def test_two_processes_both_see_two_sources_of_equal_share() -> None:
    data = AugmentedFrames([Source(Numbered(4), 1), Source(Numbered(4, first=100), 1)], 32, 64, STILL)
    odd = [shown(data[n]) >= 100 for n in range(1, 401, 2)]
    assert 0.4 < np.mean(odd) < 0.6


@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_frame_is_replaced_and_named(workers: int) -> None:
    data = AugmentedFrames([Source(Numbered(8, broken=[2, 5]), 1)], 32, 64, STILL)
    (batch,) = first_batches(1, data, 8, workers)
    assert batch.images.shape == (8, 3, 32, 64)
    assert set(batch.problems) <= {"frame 2 is damaged", "frame 5 is damaged"}
    seen = Counter(int(n) for b in first_batches(2, data, 8, 0) for n in b.images[:, 0, 16, 32])
    assert not {2, 5} & set(seen)
    assert set(seen) == {0, 1, 3, 4, 6, 7}
    named = [problem for b in first_batches(16, data, 8, 0) for problem in b.problems]
    assert set(named) == {"frame 2 is damaged", "frame 5 is damaged"}


@pytest.mark.parametrize("workers", [0, 1])
def test_a_source_that_cannot_be_read_at_all_is_an_error(workers: int) -> None:
    data = AugmentedFrames([Source(Numbered(20, broken=range(20)), 1)], 32, 64, STILL)
    with pytest.raises(YolopError, match=r"^10 training frames in a row cannot be read; the last: frame \d+ is dam"):
        first_batches(1, data, 2, workers)


def test_errors_with_a_form_of_their_own_pass_from_a_worker() -> None:
    class NeedsMore(Numbered):
        def __getitem__(self, index: int) -> PackedSample:
            raise MissingExtra("train", "Reading this")

    with pytest.raises(YolopError, match="Reading this needs"):
        first_batches(1, AugmentedFrames([Source(NeedsMore(1), 1)], 32, 64, STILL), 2, 1)


@pytest.mark.parametrize(
    ("sources", "seed", "message"),
    [
        ([], 0, "at least one source"),
        ([Source(Numbered(0), 1)], 0, "empty"),
        ([Source(Numbered(1), 0)], 0, "positive"),
        ([Source(Numbered(1), float("nan"))], 0, "positive"),
        ([Source(Numbered(1), 1)], -1, "seed"),
    ],
)
def test_what_cannot_be_drawn_from_is_refused(sources: list[Source], seed: int, message: str) -> None:
    with pytest.raises(YolopError, match=message):
        AugmentedFrames(sources, 32, 64, STILL, seed)


def test_batches_keep_boxes_with_their_frames() -> None:
    with_boxes, without = Numbered(3), Numbered(3, boxes=False)
    batch = collate([with_boxes[0], without[1], with_boxes[2]])
    assert batch.targets[:, 0].tolist() == [0, 2]
    assert batch.labelled.tolist() == [True, False, True]
    assert batch.images.shape == (3, 3, 32, 64)
    assert batch.to("cpu").targets is batch.targets


def test_loading_leaves_the_global_chance_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    first_batches(2, frames(), 2, 1)
    assert torch.equal(torch.rand(3), expected)


def test_closing_ends_the_workers() -> None:
    before = set(multiprocessing.active_children())
    loader = make_loader(frames(), 2, 2)
    next(loader)
    assert len(set(multiprocessing.active_children()) - before) == 2
    loader.close()  # type: ignore[attr-defined]
    assert not set(multiprocessing.active_children()) - before

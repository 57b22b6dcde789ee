import io
from dataclasses import replace
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric

from yolopv2.errors import YolopError
from yolopv2.network import HEADS, Network
from yolopv2.training.config import TrainConfig
from yolopv2.training.loader import Source
from yolopv2.training.losses import LossConfig
from yolopv2.training.trainer import Progress, Trainer


class Memory:
    """A listener that keeps everything."""

    def __init__(self) -> None:
        self.losses: list[dict[str, float]] = []
        self.remarks: list[str] = []
        self.states: list[dict[str, Any]] = []
        self.epochs: list[int] = []

    def step(self, progress: Progress, losses: dict[str, float]) -> None:
        self.losses.append(losses)

    def remark(self, progress: Progress, text: str) -> None:
        self.remarks.append(text)

    def save(self, progress: Progress, state: dict[str, Any]) -> None:
        buffer = io.BytesIO()
        torch.save(state, buffer)
        buffer.seek(0)
        self.states.append(torch.load(buffer, weights_only=True))

    def epoch(self, progress: Progress, network: Network, scores: dict[str, float]) -> None:
        self.epochs.append(progress.epoch)


def trainer(sources: list[Source], config: TrainConfig, state: dict[str, Any] | None = None) -> tuple[Trainer, Memory]:
    torch.manual_seed(1)
    network = Network("nano", classes=1, heads=config.heads or HEADS)
    memory = Memory()
    return Trainer(network, sources, config, Fabric(accelerator="cpu", devices=1), memory, state=state), memory


def test_all_losses_fall_on_a_few_frames(squares: list[Source], quick: TrainConfig) -> None:
    run, memory = trainer(squares, replace(quick, epochs=25))
    run.run()
    first, last = memory.losses[0], memory.losses[-1]
    assert sum(last.values()) < 0.5 * sum(first.values())
    for name in ("box", "objectness", "drivable", "lane_dice"):
        assert last[name] < first[name], name
    assert memory.epochs == list(range(1, 26))


def test_a_resumed_run_is_the_same_run(squares: list[Source], quick: TrainConfig) -> None:
    config = replace(quick, nominal_batch=8, loss=LossConfig(uncertainty=True))
    whole, memory = trainer(squares, config)
    whole.run()
    resumed, rest = trainer(squares, config, memory.states[0])
    assert resumed.progress.step == 2
    resumed.run()
    assert rest.losses == memory.losses[2:]  # to the last bit
    for name, value in whole.ema.network.state_dict().items():
        assert torch.equal(value, resumed.ema.network.state_dict()[name]), name


def test_sgd_resumes_as_well(squares: list[Source], quick: TrainConfig) -> None:
    config = replace(quick, optimizer="sgd", learning_rate=0.01)
    whole, memory = trainer(squares, config)
    whole.run()
    resumed, rest = trainer(squares, config, memory.states[1])
    resumed.run()
    assert rest.losses == memory.losses[4:]


def test_gathered_gradients_update_once_per_nominal_batch(squares: list[Source], quick: TrainConfig) -> None:
    run, memory = trainer(squares, replace(quick, nominal_batch=8, epochs=1))
    weights = [p.detach().clone() for p in run.network.parameters()]
    seen: list[bool] = []
    step = memory.step

    def watch(progress: Progress, losses: dict[str, float]) -> None:
        step(progress, losses)
        same = all(torch.equal(a, b) for a, b in zip(weights, run.network.parameters(), strict=True))
        seen.append(same)

    memory.step = watch  # type: ignore[method-assign]
    run.run()
    assert seen == [True, False]


@pytest.mark.parametrize("where", ["weights", "gradients"])
def test_a_batch_that_is_not_finite_is_skipped_and_leaves_no_trace(
    squares: list[Source], quick: TrainConfig, where: str
) -> None:
    run, memory = trainer(squares, replace(quick, epochs=1))
    broken = next(run.network.parameters())
    if where == "weights":
        kept = broken.detach().clone()
        with torch.no_grad():
            broken.fill_(float("nan"))
    else:
        broken.register_hook(lambda gradient: gradient * float("inf"))
    before = {name: value.clone() for name, value in run.network.state_dict().items()}
    run.run()
    assert [text for text in memory.remarks if "skipped a batch" in text]
    assert memory.losses == [{}, {}]
    for name, value in run.network.state_dict().items():
        torch.testing.assert_close(value, before[name], equal_nan=True, msg=name)
    if where == "weights":
        assert not torch.equal(kept, broken)


def test_a_run_that_never_recovers_stops_with_an_account(
    squares: list[Source], quick: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yolopv2.training.trainer.MOST_SKIPPED", 3)
    run, memory = trainer(squares, replace(quick, epochs=60))
    with torch.no_grad():
        next(run.network.parameters()).fill_(float("nan"))
    with pytest.raises(YolopError, match="3 batches in a row"):
        run.run()
    assert len(memory.losses) == 2


def test_what_is_frozen_stays_to_the_last_bit(squares: list[Source], quick: TrainConfig) -> None:
    run, _ = trainer(squares, replace(quick, epochs=1, freeze=("encoder", "lanes")))
    before = {name: value.clone() for name, value in run.network.state_dict().items()}
    run.run()
    changed = {name.split(".")[0] for name, v in run.network.state_dict().items() if not torch.equal(v, before[name])}
    assert changed == {"detection", "drivable"}


def test_networks_without_some_heads_train(squares: list[Source], quick: TrainConfig) -> None:
    run, memory = trainer(squares, replace(quick, epochs=1, heads=("lanes",)))
    run.run()
    assert set(memory.losses[0]) == {"lane_focal", "lane_dice", "lane_iou"}


def test_frames_that_cannot_be_read_are_told_of(squares: list[Source], quick: TrainConfig) -> None:
    class Broken(list):  # type: ignore[type-arg]
        def __getitem__(self, index: Any) -> Any:
            if index == 3:
                raise YolopError("frame 3 is damaged")
            return super().__getitem__(index)

    run, memory = trainer([Source(Broken(squares[0].frames), 1.0)], replace(quick, epochs=1))
    run.run()
    assert "left out a frame: frame 3 is damaged" in memory.remarks
    assert len(memory.losses) == 2


def test_bfloat16_follows_float32(squares: list[Source], quick: TrainConfig) -> None:
    config, totals = replace(quick, loss=LossConfig(assigner="anchors")), []  # simota's choices jump
    for precision in ("32-true", "bf16-mixed"):
        torch.manual_seed(1)
        fabric = Fabric(accelerator="cpu", devices=1, precision=precision)  # type: ignore[arg-type]
        memory = Memory()
        Trainer(Network("nano", classes=1), squares, config, fabric, memory).run()
        totals.append([sum(losses.values()) for losses in memory.losses])
    assert totals[1] == pytest.approx(totals[0], rel=0.05)


def test_the_learning_rate_rises_then_falls(squares: list[Source], quick: TrainConfig) -> None:
    run, _ = trainer(squares, replace(quick, epochs=100))
    rates = []
    for step in range(run.progress.steps):
        run.progress.step = step
        rates.append(run._learning_rate())
    peak = rates.index(max(rates))
    assert 4 <= peak <= 6  # the end of three rounds of two steps
    assert max(rates) == pytest.approx(quick.learning_rate, rel=0.01)
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] == pytest.approx(quick.learning_rate * quick.final_rate, rel=0.05)

from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from yolopv2.errors import YolopError
from yolopv2.training.config import TrainConfig, make_config, parse_words, read_config
from yolopv2.training.losses import LossConfig


def test_every_field_has_its_sentence() -> None:
    for config in (TrainConfig, LossConfig):
        for field in fields(config):
            assert f"        {field.name}: " in (config.__doc__ or ""), field.name


def test_what_is_written_is_read_back() -> None:
    config = make_config({"freeze": ["encoder"], "loss": {"box": 2}, "augment": {"zoom": [0.5, 2]}, "heads": ["lanes"]})
    assert make_config(yaml.safe_load(yaml.safe_dump(config.to_dict()))) == config


def test_later_layers_win_value_by_value() -> None:
    config = make_config({"epochs": 7, "loss": {"box": 2, "drivable": 3}}, {"epochs": 8, "loss": {"box": 4}})
    assert (config.epochs, config.loss.box, config.loss.drivable) == (8, 4.0, 3.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epoch": 3}, "no 'epoch', perhaps 'epochs' is meant"),
        ({"loss": {"boxes": 3}}, "no 'loss.boxes', perhaps 'box' is meant"),
        ({"augment": {"mosiac": 1}}, "no 'augment.mosiac', perhaps 'mosaic' is meant"),
        ({"loss": 3}, "'loss' is a section"),
        ({"epochs": 0}, "epochs must be at least 1, not 0"),
        ({"epochs": "many"}, "epochs: .* got 'many'"),
        ({"height": 100}, "height must be a multiple of 32"),
        ({"variant": "huge"}, "No variant is called 'huge'"),
        ({"heads": []}, "at least one head"),
        ({"heads": ["lane"]}, "heads: there is no 'lane', perhaps 'lanes'"),
        ({"freeze": ["encoders"]}, "freeze: there is no 'encoders', perhaps 'encoder'"),
        ({"optimizer": "lion"}, "optimizer: .*got 'lion'"),
        ({"learning_rate": float("nan")}, "learning_rate must be positive"),
        ({"augment": {"mosaic": 2}}, "mosaic is 2"),
        ({"batch_size": 5, "devices": 2}, "batch_size must be a multiple of 2 devices"),
    ],
)
def test_what_cannot_be_is_refused_in_words(given: dict[str, object], message: str) -> None:
    with pytest.raises(YolopError, match=message):
        make_config(given)


def test_the_papers_recipe_is_what_the_paper_says() -> None:
    config = make_config(read_config("paper"))
    said = {"optimizer": "sgd", "learning_rate": 0.01, "epochs": 300, "warmup_epochs": 3, "momentum": 0.937}
    assert {name: getattr(config, name) for name in said} == said
    assert (config.weight_decay, config.height, config.width, config.encoder) == (0.005, 640, 640, "e-elan")
    assert config.loss.lane_dice == config.loss.lane_iou == 0.2


@pytest.mark.parametrize(("text", "message"), [("- 1", "names and values"), ("a: [", "cannot be read")])
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(YolopError, match=message):
        read_config(tmp_path / "c.yaml")
    with pytest.raises(YolopError, match="cannot be read"):
        read_config(tmp_path / "absent.yaml")


@pytest.mark.parametrize("word", ["epochs", "=3", "loss.box=[", "loss=1 loss.box=2"])
def test_words_that_are_no_settings_are_refused(word: str) -> None:
    with pytest.raises(YolopError):
        parse_words(word.split())


@given(st.integers(1, 64), st.integers(1, 256))
def test_gradients_are_gathered_to_about_the_nominal_batch(batch: int, nominal: int) -> None:
    config = TrainConfig(batch_size=batch, nominal_batch=nominal)
    assert config.accumulate >= 1
    assert abs(config.accumulate * batch - nominal) <= max(batch / 2, batch - nominal)

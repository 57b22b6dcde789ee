"""docs/train.md is followed word for word, on generated data; its table says what the code has."""

import re
import shlex
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from yolopv2.data.augment import AugmentConfig
from yolopv2.training.config import TrainConfig
from yolopv2.training.losses import LossConfig

PAGE = (Path(__file__).parents[1] / "docs" / "train.md").read_text()


def test_its_commands_lead_from_nothing_to_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from yolopv2.cli.main import main

    monkeypatch.chdir(tmp_path)
    lines = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    assert len(lines) == 10
    for line in lines:
        words = shlex.split(line)
        # Generated streets may be empty, which check tells of with 1.
        fine = {0, 1} if words[1:3] == ["data", "check"] else {0}
        monkeypatch.setattr(sys, "argv", words)
        try:
            main()
            code = 0
        except SystemExit as ending:
            code = int(ending.code or 0)
        assert code in fine, line
    for made in ("runs/first/best.safetensors", "seen/scenes.jsonl", "sheet.jpg", "runs/mine/best.onnx"):
        assert (tmp_path / made).is_file(), made


@pytest.mark.parametrize(("config", "prefix"), [(TrainConfig, ""), (LossConfig, "loss."), (AugmentConfig, "augment.")])
def test_its_table_has_every_setting_with_its_default(config: type, prefix: str) -> None:
    table = dict(re.findall(r"^\| `([a-z_.0-9]+)` \| (.*?) \|", PAGE, re.MULTILINE))
    for field in fields(config):
        if field.name in {"loss", "augment"} and not prefix:
            continue
        default = list(field.default) if isinstance(field.default, tuple) else field.default
        shown = "none" if default in (None, []) else str(default).lower() if isinstance(default, bool) else str(default)
        assert table[prefix + field.name] == shown, field.name

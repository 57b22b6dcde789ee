"""Which models a service has, and what it tells of them."""

import dataclasses
import shutil

import pytest

from yolopv2.checkpoints.catalogue import CATALOGUE
from yolopv2.errors import YolopError
from yolopv2.serving.models import Models

NANO = CATALOGUE["nano"].path


def models(*weights):
    return Models(weights, lambda weights: None, lambda model: None)


def test_a_file_tells_of_itself_but_not_where_it_lies(tmp_path):
    shutil.copy(NANO, tmp_path / "mine.safetensors")
    known = models(str(tmp_path / "mine.safetensors")).facts("mine")
    assert (known["name"], known["variant"], known["names"]) == ("mine", "nano", ["vehicle"])
    assert str(tmp_path) not in str(known)


def test_names_of_the_catalogue_are_downloaded_at_the_start(monkeypatch, tmp_path):
    monkeypatch.setenv("YOLOPV2_CACHE", str(tmp_path))
    nowhere = dataclasses.replace(CATALOGUE["official"], url="http://127.0.0.1:9/yolopv2.pt")
    monkeypatch.setitem(CATALOGUE, "official", nowhere)
    with pytest.raises(YolopError, match="Could not get the weights 'official'"):
        models("nano", "official")


@pytest.mark.parametrize("weights", [(), ("nano", "nano"), ("nano", "no-such-file.safetensors")])
def test_what_cannot_be_served_is_said_at_the_start(weights):
    with pytest.raises(YolopError):
        models(*weights)

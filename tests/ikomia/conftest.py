"""A workflow's model: the small untrained network, which sees something in any frame."""

from collections.abc import Callable

import pytest

from yolopv2.ikomia import Workflow
from yolopv2.ikomia.perceive import Perceive

_MODELS: dict[object, object] = {}

SEES_MUCH = {"input_size": "160", "conf_thres": "0.1"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Every test writes into a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def perceive(nano_graph) -> Callable[..., tuple[Workflow, Perceive]]:
    """A workflow with the task that looks, and that task."""

    def made(**params: object) -> tuple[Workflow, Perceive]:
        wf = Workflow()
        task = wf.add_task(name="infer_yolop_v2", auto_connect=True)
        task.set_parameters({"model_weight_file": str(nano_graph), **SEES_MUCH, **params})
        return wf, task

    return made


@pytest.fixture(autouse=True)
def one_model(monkeypatch):
    """Models of the same options are loaded once for all tests: compiling takes longer than everything else."""
    import yolopv2.ikomia.perceive as module

    load = module.YOLOPv2

    def opened(weights: str, **options: object) -> object:
        key = (str(weights), tuple(options.items()))
        if key not in _MODELS:
            _MODELS[key] = load(weights, **options)
        return _MODELS[key]

    monkeypatch.setattr(module, "YOLOPv2", opened)

"""Several processes give the numbers of one, to the last digit."""

from functools import partial

import pytest

from yolopv2.data.dataset import open_dataset
from yolopv2.data.synthetic import write_dataset
from yolopv2.errors import YolopError
from yolopv2.evaluation.evaluate import evaluate
from yolopv2.evaluation.workers import evaluate_in_processes
from yolopv2.inference.predictor import Predictor
from yolopv2.inference.runtimes.openvino import OpenVinoRuntime


def load(graph, data):
    return Predictor(OpenVinoRuntime(graph), size=64), open_dataset(data, "val")


def load_nothing():
    raise YolopError("cannot load")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    path = write_dataset(folder, {"val": 11}, seed=5, height=96, width=160)
    (folder / "lanes" / "val" / "000004.png").write_bytes(b"damaged")
    return path


@pytest.mark.parametrize("protocol", ["dataset", "yolop"])
def test_two_processes_equal_one_to_the_last_digit(nano_graph, data, protocol) -> None:
    predictor, dataset = load(nano_graph, data)
    one = evaluate(predictor, dataset, protocol)
    told: list[int] = []
    two = evaluate_in_processes(
        predictor, dataset, protocol, partial(load, nano_graph, data), 2, lambda: told.append(1)
    )
    left, right = one.to_dict(), two.to_dict()
    assert left.pop("date")
    assert right.pop("date")
    assert left == right
    assert len(told) == 11
    assert len(two.unreadable) == 1
    assert "000004" in two.unreadable[0]


def test_a_process_that_cannot_load_is_an_error_of_one_sentence(nano_graph, data) -> None:
    predictor, dataset = load(nano_graph, data)
    with pytest.raises(YolopError, match="take fewer workers"):
        evaluate_in_processes(predictor, dataset, "dataset", load_nothing, 2)

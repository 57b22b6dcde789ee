"""Which setups are worth measuring here."""

from collections.abc import Sequence
from importlib.util import find_spec
from itertools import product
from typing import Any

from yolopv2.benchmark.report import Setup
from yolopv2.checkpoints import bundled_graph, file_kind, resolve
from yolopv2.evaluation.speed import available_cores
from yolopv2.inference.runtimes.openvino import cpu_precisions

_SIZES = (640, 480, 320)


def usual_setups(weights: Sequence[str], device: str = "auto") -> list[Setup]:
    """What a person would choose from: every precision of the CPU's engine, and for a single network also the other
    engines that are installed, smaller sizes, and a single thread.

    Args:
        weights: Names or files.
        device: Of all of them.

    Raises:
        YolopError: There are no such weights.
    """
    cores = available_cores()
    setups = []
    for name in weights:
        kind = file_kind(resolve(name))
        is_bundled = bundled_graph(name) is not None
        runtime = "auto" if kind in ("safetensors", "torchscript") and not is_bundled else "openvino"
        precisions = cpu_precisions() if runtime == "openvino" else ("float32", "bfloat16")
        common: dict[str, Any] = {"weights": name, "device": device, "threads": cores}
        mine = [Setup(**common, runtime=runtime, precision=precision) for precision in precisions]
        quick = next((setup for setup in mine if setup.precision == "bfloat16"), mine[0])
        if len(weights) == 1:
            engines = (("onnx", "onnxruntime", is_bundled or kind == "onnx"), ("torch", "torch", is_bundled))
            for engine, package, is_possible in engines:
                if is_possible and find_spec(package) is not None:
                    mine.append(Setup(**common, runtime=engine, precision="float32"))
            mine += [quick.model_copy(update={"size": size}) for size in _SIZES[1:]]
            mine += [quick.model_copy(update={"threads": 1})] if cores > 1 else []
        setups += mine
    return setups


def all_setups(
    weights: Sequence[str],
    runtimes: Sequence[str] = (),
    precisions: Sequence[str] = (),
    sizes: Sequence[int] = (),
    threads: Sequence[int] = (),
    device: str = "auto",
) -> list[Setup]:
    """Every combination of what is given; of what is not given, one value: what ``auto`` means, 640, all cores."""
    combinations = product(
        weights, runtimes or ["auto"], precisions or ["auto"], sizes or _SIZES[:1], threads or [available_cores()]
    )
    return [
        Setup(weights=name, runtime=runtime, precision=precision, size=size, threads=count, device=device)
        for name, runtime, precision, size, count in combinations
    ]

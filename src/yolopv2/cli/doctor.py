"""yolopv2 doctor: what is installed here, what this machine can do, and whether the bundled model runs."""

import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import typer

from yolopv2.errors import YolopError

_CORE = ("numpy", "opencv-python-headless", "av", "openvino", "safetensors")

_EXTRAS = {
    "torch": (["torch"], "GPUs, the network itself, checkpoints of your own, the released yolopv2.pt"),
    "onnx": (["onnxruntime"], "ONNX Runtime"),
    "export": (["torch", "onnx", "onnxruntime", "nncf"], "writing files for other engines"),
}
"""Per extra: packages it brings, and what it is good for."""


def doctor() -> None:
    """Show versions, processor, devices and extras, and try the bundled model.

    Exit codes: 0 all is well, 1 the bundled model does not run here.
    """
    python = f"{platform.python_version()}, {platform.platform()}"
    core = [(name, _version(name) or "missing: install yolopv2 again") for name in _CORE]
    _rows("versions", [("yolopv2", version("yolopv2")), ("Python", python), *core])
    _rows("machine", _machine())
    _rows("extras", [(extra, _extra(extra)) for extra in _EXTRAS])
    state, works = _bundled_model()
    _rows("bundled model", [("nano", state)])
    raise typer.Exit(0 if works else 1)


def _rows(title: str, rows: list[tuple[str, str]]) -> None:
    typer.echo(f"\n{title}")
    for name, text in rows:
        typer.echo(f"  {name:<24}{text}")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _extra(extra: str) -> str:
    packages, brings = _EXTRAS[extra]
    found = [(package, _version(package)) for package in packages]
    if all(installed for _, installed in found):
        return ", ".join(f"{package} {installed}" for package, installed in found)
    return f'not installed: pip install "yolopv2[{extra}]" brings {brings}'


def _machine() -> list[tuple[str, str]]:
    from yolopv2.benchmark.machine import processor_name

    rows = [("processor", f"{processor_name()}, {os.cpu_count()} cores")]
    flags = _processor_flags()
    if flags:
        known = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_vnni": "VNNI (int8)", "avx_vnni": "VNNI (int8)",
                 "avx512_bf16": "bfloat16", "amx_tile": "AMX"}  # fmt: skip
        rows.append(("instructions", ", ".join(dict.fromkeys(name for flag, name in known.items() if flag in flags))))
    try:
        from yolopv2.inference.runtimes.openvino import cpu_precisions

        rows.append(("precisions on the CPU", ", ".join(cpu_precisions())))
    except (ImportError, RuntimeError) as error:
        rows.append(("OpenVINO", f"does not run here: {error}"))
    if _version("torch"):
        from yolopv2.inference.runtimes.torch_runtime import torch_devices

        rows.append(("devices of PyTorch", ", ".join(torch_devices())))
    return rows


def _processor_flags() -> set[str]:
    """Instruction sets by Linux's names; empty on other systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    return set(next((line.split(":")[1] for line in lines if line.startswith("flags")), "").split())


def _bundled_model() -> tuple[str, bool]:
    """What became of looking at one frame, and whether that went well."""
    import numpy as np

    try:
        from yolopv2.model import YOLOPv2

        began = time.perf_counter()
        model = YOLOPv2("nano", device="cpu")
        frame = np.full((720, 1280, 3), 127, np.uint8)
        model(frame)
        loaded = time.perf_counter() - began
        times = []
        for _ in range(5):
            began = time.perf_counter()
            model(frame)
            times.append(time.perf_counter() - began)
    except (YolopError, ImportError, RuntimeError) as error:
        return f"does not run: {error}", False
    description = model.predictor.runtime.description
    return f"runs: {description}; first picture after {loaded:.1f} s, then {1000 * min(times):.0f} ms each", True

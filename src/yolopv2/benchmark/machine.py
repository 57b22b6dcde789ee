"""What was measured on: the machine, and the versions of what did the work."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_ENGINES = ("yolopv2", "openvino", "torch", "onnxruntime", "numpy", "opencv-python-headless")


def machine() -> dict[str, str]:
    """The machine in words: ``processor``, ``cores`` this process may use, ``system``, ``python``.

    Example:
        >>> sorted(machine())
        ['cores', 'processor', 'python', 'system']
    """
    from yolopv2.evaluation.speed import available_cores

    return {
        "processor": processor_name(),
        "cores": str(available_cores()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def engine_versions() -> dict[str, str]:
    """Versions of this package and of the engines that are installed."""
    found = {}
    for name in _ENGINES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def processor_name() -> str:
    """What the processor calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()

"""Graphs made of weights once and kept, so that any weights run in the engine that is quick on a CPU.

A graph is a file in ``graphs/`` of the cache folder, named after what it was made of and by, the weights and this
package's code, and after its own checksum: a damaged one counts as absent. It is written whole, so several processes
may share the folder, and the least recently used go when all together take more than `LIMIT`.
"""

import hashlib
import json
import sys
import threading
import warnings
from functools import cache
from pathlib import Path

import yolopv2
from yolopv2.checkpoints import load_network
from yolopv2.files import cache_folder, require_folder, sha256, write_bytes_atomic
from yolopv2.inference.runtimes.base import METADATA_KEY
from yolopv2.inference.runtimes.compiled import drop_oldest, entry_key, used_now

LIMIT = 1024 * 2**20
"""Bytes that all kept graphs together may take."""

_ONE_AT_A_TIME = threading.Lock()  # PyTorch's exporter holds its state in globals


def kept_graph(weights: Path) -> Path | None:
    """The weights as an ONNX graph in the cache folder: float32, with all heads and classes.

    The first time takes some seconds, as a line on the standard error says; from then on PyTorch is not even imported.

    Args:
        weights: Their file.

    Returns:
        The graph's file, or None where none can be made or kept, which is warned of.

    Raises:
        MissingExtra: PyTorch is needed and not installed.
        YolopError: The weights cannot be loaded.
    """
    folder, key = cache_folder() / "graphs", entry_key(sha256(weights), *_code())
    with _ONE_AT_A_TIME:
        for path in folder.glob(f"{key}-*.onnx"):
            if path.stem == f"{key}-{sha256(path)}":
                used_now(path)
                return path
        network, meta = load_network(weights)
        try:
            require_folder(folder / f"{weights.stem}.onnx")
            print(f"making a graph of {weights.name} for the CPU: some seconds, once", file=sys.stderr)
            import onnx

            from yolopv2.export.graph import to_graph
            from yolopv2.network.deployed import DeployedNetwork

            graph = to_graph(DeployedNetwork(network).eval())
            onnx.helper.set_model_props(graph, {METADATA_KEY: json.dumps(meta.to_dict())})
            content = graph.SerializeToString()
            path = folder / f"{key}-{hashlib.sha256(content).hexdigest()}.onnx"
            write_bytes_atomic(path, content)
        except Exception as error:  # such as of another version of the exporter: PyTorch runs the weights all the same
            warnings.warn(f"{weights.name} runs in PyTorch, slower: no graph of it can be kept: {error}", stacklevel=2)
            return None
    drop_oldest(folder, LIMIT)
    return path


@cache
def _code() -> tuple[str, ...]:
    """What graphs depend on besides the weights: the code that reads, deploys and traces networks."""
    package = Path(yolopv2.__file__).parent
    files = (file for room in ("network", "checkpoints", "export") for file in sorted((package / room).rglob("*.py")))
    return (yolopv2.__version__, *map(sha256, files))

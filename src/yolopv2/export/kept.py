"""Graphs made of weights once and kept, so that any weights run in the engine that is quick on a CPU."""

import json
from pathlib import Path

import yolopv2
from yolopv2.checkpoints.files import load_network, sha256
from yolopv2.errors import YolopError
from yolopv2.files import cache_folder, write_bytes_atomic
from yolopv2.inference.runtimes.compiled import drop_oldest, entry_key, used_now

LIMIT = 1024 * 2**20
"""Bytes that all kept graphs together may take."""


def kept_graph(weights: Path) -> Path | None:
    """The weights as an ONNX graph in the cache folder, in float32.

    The first time takes some seconds; from then on they run without PyTorch being imported.

    Args:
        weights: Their file; a graph belongs to its content and the version of this package.

    Returns:
        The graph's file, or None where nothing can be kept.

    Raises:
        MissingExtra: PyTorch is needed and not installed.
        YolopError: The weights cannot be loaded.
    """
    folder = cache_folder() / "graphs"
    path = folder / f"{entry_key(sha256(weights), yolopv2.__version__)}.onnx"
    if path.is_file():
        used_now(path)
        return path
    # Only now, for what was made before needs none of it.
    network, meta = load_network(weights)
    import onnx

    from yolopv2.checkpoints.meta import METADATA_KEY
    from yolopv2.export.graph import to_graph
    from yolopv2.network.deployed import DeployedNetwork

    graph = to_graph(DeployedNetwork(network.float().cpu()).eval())
    onnx.helper.set_model_props(graph, {METADATA_KEY: json.dumps(meta.to_dict())})
    try:
        write_bytes_atomic(path, graph.SerializeToString())
    except YolopError:
        return None
    drop_oldest(folder, LIMIT)
    return path

"""The network as an ONNX file as it is bundled: any batch and size, weights in float16."""

import os
from collections.abc import Mapping
from typing import Any

from yolopv2.export.options import Options
from yolopv2.export.run import export
from yolopv2.network import Network


def export_onnx(
    network: Network, path: str | os.PathLike[str], metadata: Mapping[str, Any], half_weights: bool = True
) -> None:
    """Writes the deployed form of a network as one self-contained ONNX file, once it has proved to see the same.

    The graph takes ``image``, uint8 ``[N, H, W, 3]`` RGB (N, H, W free, H and W multiples of 32), and gives ``boxes``
    float32 ``[N, A, 4]``, ``scores`` float32 ``[N, A, C]``, ``drivable`` and ``lanes`` uint8 ``[N, H, W]``; heads the
    network lacks have no output. See `yolopv2.network.deployed.DeployedNetwork` for what they mean.

    Args:
        network: In training or deployed form; it is not changed.
        path: The file; it is written whole or not at all.
        metadata: See `yolopv2.export.run.export`.
        half_weights: Store the weights as float16, which halves the file. They are cast to float32 when the model is
            loaded: activations stay float32.

    Raises:
        YolopError: See `yolopv2.export.run.export`.
    """
    export(network, path, metadata, Options("onnx", half=half_weights))

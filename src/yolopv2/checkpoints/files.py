"""What kind of file holds weights, and the one way to load any of them as a network."""

import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from yolopv2.errors import MissingExtra, YolopError
from yolopv2.files import sha256

if TYPE_CHECKING:
    from yolopv2.checkpoints.meta import CheckpointMeta
    from yolopv2.network import Network

Kind = Literal["safetensors", "torchscript", "onnx", "openvino"]

OFFICIAL_SHA256 = "f2a8c8374203ae3e67ff9c184e931f763957de92a993b23269e4e721627f1f8c"
"""Checksum of the released ``yolopv2.pt``."""


def file_kind(path: str | os.PathLike[str]) -> Kind:
    """What a weights file is, by its content; the suffix counts for exported graphs only: ONNX has no signature.

    Raises:
        YolopError: The file is missing or of no kind that can be loaded.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(9)
    except OSError as error:
        raise YolopError(f"Cannot read {path}: {error.strerror or error}.") from None
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            parts = [Path(name).parts for name in archive.namelist()]
        if any(part[1:2] in (("code",), ("constants.pkl",)) for part in parts):
            return "torchscript"
    if start[8:] == b"{":
        return "safetensors"
    if Path(path).suffix.lower() == ".onnx":
        return "onnx"
    if Path(path).suffix.lower() == ".xml":
        return "openvino"
    if start.startswith(b"PK"):
        what = "a plain PyTorch file" if zipfile.is_zipfile(path) else "a PyTorch file of which the end is missing"
    else:
        what = "a pickle, which could run any code when loaded" if start.startswith(b"\x80") else "of no known kind"
    raise YolopError(
        f"{path} is {what}; weights are loaded from .safetensors (checkpoints of this program), .onnx and .xml (what "
        "'yolopv2 export' writes) and the released TorchScript yolopv2.pt."
    )


def load_network(path: str | os.PathLike[str]) -> tuple["Network", "CheckpointMeta"]:
    """Loads the network of a safetensors checkpoint or a TorchScript file.

    Args:
        path: The file.

    Returns:
        The network, float32, on the CPU, in evaluation mode; its description.

    Raises:
        MissingExtra: PyTorch is not installed.
        YolopError: The file cannot be loaded; the message says why.
    """
    kind = file_kind(path)
    if kind in ("onnx", "openvino"):
        raise YolopError(f"{path} is a graph for runtimes; the network needs the .safetensors that it was made from.")
    try:
        import torch  # noqa: F401
    except ImportError:
        raise MissingExtra("torch", f"Loading {Path(path).name}") from None
    if kind == "safetensors":
        from yolopv2.checkpoints.weights import load_checkpoint

        return load_checkpoint(path)
    from yolopv2.checkpoints.meta import CheckpointMeta
    from yolopv2.checkpoints.torchscript import import_torchscript

    imported = import_torchscript(path)
    checksum = sha256(path)
    released = checksum == OFFICIAL_SHA256
    provenance = {
        "imported from": Path(path).name,
        "sha256": checksum,
        "layers placed": imported.layers,
        "compared at": [f"{width}x{height}" for height, width in imported.sizes],
        "largest difference": max(imported.differences.values()),
    }
    # The release has 80 outputs for the one class it was trained on.
    names = ["vehicle"] * imported.network.classes if released else None
    return imported.network, CheckpointMeta.of(imported.network, names=names, provenance=provenance)

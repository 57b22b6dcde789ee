"""Our checkpoint format: safetensors with a description in the header. Loading runs no code of the file."""

import os
from typing import Literal

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from yolopv2.checkpoints.meta import METADATA_KEY, CheckpointMeta, read_meta
from yolopv2.errors import YolopError
from yolopv2.files import write_bytes_atomic
from yolopv2.network import Network, fuse


def save_checkpoint(
    network: Network,
    path: str | os.PathLike[str],
    meta: CheckpointMeta,
    storage: Literal["float32", "float16"] = "float32",
) -> None:
    """Writes a checkpoint, whole or not at all.

    Args:
        network: In training form or as `fuse` returns it without ``implicit``; it is not changed.
        path: The file, by convention ``.safetensors``.
        meta: Its description, from `CheckpointMeta.of` for this very network.
        storage: ``float16`` halves the file. Weights are rounded; statistics and biases stay float32.

    Raises:
        YolopError: The description is another network's, a weight is too large for float16, or the file cannot be
            written.
    """
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    _check(state, _skeleton(meta).state_dict(), "The network does not fit its description")
    del state["anchors"]  # they are in the description
    for name, tensor in state.items():
        if tensor.is_floating_point():
            state[name] = tensor.to(torch.float16 if storage == "float16" and tensor.ndim > 1 else torch.float32)
            if not torch.isfinite(state[name]).all():
                raise YolopError(f"{name} holds numbers that are infinite or too large for {storage}; not saved.")
    metadata = {METADATA_KEY: meta.model_dump_json()}
    write_bytes_atomic(path, safetensors.torch.save(state, metadata))


def load_checkpoint(path: str | os.PathLike[str]) -> tuple[Network, CheckpointMeta]:
    """Reads a checkpoint.

    Args:
        path: A file that `save_checkpoint` wrote.

    Returns:
        The network, float32, on the CPU, in evaluation mode, in the form in which it was saved; its description.

    Raises:
        YolopError: The file is missing, damaged, of a newer format, or no checkpoint; or its tensors are not exactly
            those that the description asks for: the message names every missing, unexpected and misshapen one.
    """
    meta = read_meta(path)
    try:
        state = safetensors.torch.load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise YolopError(f"{path} is damaged: {error}; get it again.") from None
    network = _skeleton(meta)
    state["anchors"] = torch.tensor(meta.anchors)
    expected = network.state_dict()
    _check(state, expected, f"{path} does not hold the network that it describes")
    network.load_state_dict({name: state[name].to(like.dtype) for name, like in expected.items()}, assign=True)
    return network.eval(), meta


def _skeleton(meta: CheckpointMeta) -> Network:
    """The described network without memory for its tensors."""
    with torch.device("meta"):
        network = Network(meta.variant, max(len(meta.names), 1), meta.heads, meta.encoder, meta.anchors)
        return network if meta.form == "training" else fuse(network)


def _check(state: dict[str, Tensor], expected: dict[str, Tensor], problem: str) -> None:
    """Raises an error that names every tensor which is missing, unexpected or misshapen."""
    missing = [name for name in expected if name not in state]
    unexpected = [name for name in state if name not in expected]
    misshapen = [
        f"{name} is {list(state[name].shape)} instead of {list(expected[name].shape)}"
        for name in expected
        if name in state and state[name].shape != expected[name].shape
    ]
    listed = [
        f"  {what} ({len(names)}): {', '.join(names)}"
        for what, names in (("missing", missing), ("unexpected", unexpected), ("misshapen", misshapen))
        if names
    ]
    if listed:
        raise YolopError("\n".join([f"{problem}.", *listed]))

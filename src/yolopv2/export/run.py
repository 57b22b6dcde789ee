"""An export from beginning to end: trace, quantise, prove, write."""

import os
import tempfile
import warnings
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yolopv2
from yolopv2.errors import YolopError
from yolopv2.export.formats import Form, GraphForm, OnnxForm, OpenVinoForm, TorchExportForm, TorchScriptForm
from yolopv2.export.frames import Frames, generated_frames, read_frames
from yolopv2.export.graph import free_axes, to_graph
from yolopv2.export.options import Options
from yolopv2.export.parity import Parity, Reference, require
from yolopv2.export.suppression import add_suppression
from yolopv2.files import copy_file_atomic, require_folder
from yolopv2.inference.runtimes.torch_runtime import TorchRuntime
from yolopv2.network import Network
from yolopv2.network.deployed import DeployedNetwork

_GENERATED_FOR_CALIBRATION = 32

Tell = Callable[[str], object]


def export(
    network: Network,
    path: str | os.PathLike[str],
    metadata: Mapping[str, Any],
    options: Options | None = None,
    data: str | os.PathLike[str] | None = None,
    frames: int = 100,
    tell: Tell = lambda line: None,
) -> Parity:
    """Writes a network as a file for other engines, once it has proved there to see what the network sees.

    Args:
        network: In training or deployed form; it is not changed.
        path: The file; it is written whole or not at all. An OpenVINO model has its weights beside it, in a ``.bin`` of
            the same name.
        metadata: What is stored inside it, as JSON, see `yolopv2.checkpoints.CheckpointMeta.to_dict`; what was asked
            and what was measured is added under ``export``.
        options: What is asked; by default ONNX.
        data: The YAML of a data set: its split ``val`` is what the proof looks at, its split ``train`` what an 8-bit
            model is calibrated on; without it both are generated.
        frames: At most so many of each are read of ``data``.
        tell: Called with each line of what is done and measured.

    Returns:
        How the export compares with the network.

    Raises:
        MissingExtra: PyTorch, ONNX, ONNX Runtime or NNCF is not installed.
        YolopError: The network lacks what is asked, the file cannot be written, or the export does not see what the
            network sees, as when a weight is too large for float16.
    """
    options, path = options or Options(), Path(path)
    if options.nms is not None and "detection" not in network.heads:
        raise YolopError("suppression needs boxes, and this network has no detection head: leave nms out")
    require_folder(path)
    plain = deepcopy(network).float().cpu()
    deployed = DeployedNetwork(plain).eval()
    shown = generated_frames() if data is None else read_frames(data, "val", frames)
    tell(f"{len(shown.samples)} frames in eager float32: {shown.source}")
    reference = Reference(TorchRuntime(plain, dict(enumerate(metadata["names"]))), shown, options)
    described = {**metadata, "export": _facts(options, deployed)}
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / path.name

        def prove(form: Form) -> Parity:
            form.save(draft, described)
            return reference.compare(form.load(draft))

        form = _form(deployed, options)
        if isinstance(form, GraphForm) and options.int8:
            form, described["export"]["int8"] = _quantised(form, options, _calibration(data, frames), prove, tell)
        parity = prove(form)
        tell(f"the same frames as {options.format}, {options.precision}:")
        for line in parity.lines:
            tell(line)
        require(parity, options)
        described["export"]["parity"] = asdict(parity)
        form.save(draft, described)
        for part in sorted(Path(folder).iterdir(), key=lambda part: part == draft):  # the weights before their graph
            copy_file_atomic(part, path.with_name(part.name))
    return parity


def _form(deployed: DeployedNetwork, options: Options) -> Form:
    canvas = None if options.dynamic else options.canvas
    if options.format == "torchscript":
        return TorchScriptForm.of(deployed)
    if options.format == "torch-export":
        return TorchExportForm.of(deployed, canvas)
    graph = to_graph(deployed, canvas)
    if options.nms is not None:
        graph = add_suppression(graph, options.nms, free_axes(deployed))
    if options.format == "onnx":
        return OnnxForm(graph, options.half_weights)
    return OpenVinoForm.of(graph, options.half_weights)


def _quantised(
    form: GraphForm, options: Options, calibration: Frames, prove: Callable[[Form], Parity], tell: Tell
) -> tuple[GraphForm, dict[str, Any]]:
    """A form in 8 bits, and how it came about."""
    from yolopv2.export.quantize import search  # NNCF takes seconds to import

    images = [sample.image for sample in calibration.samples]
    letterboxes = [options.fit(image.shape[0], image.shape[1], options.size) for image in images]
    canvases = [letterbox.apply(image)[None] for letterbox, image in zip(letterboxes, images, strict=True)]
    model, report = search(form.model, canvases, lambda model: prove(replace(form, model=model)), tell)
    for line in report.lines:
        tell(line)
    return replace(form, model=model), {**asdict(report), "calibration": f"{len(images)} frames, {calibration.source}"}


def _calibration(data: str | os.PathLike[str] | None, frames: int) -> Frames:
    """Frames to measure activations on."""
    if data is not None:
        return read_frames(data, "train", frames)
    warnings.warn(
        "int8 without data is calibrated on generated frames, which are not what your camera sees: give a data set",
        stacklevel=3,
    )
    return generated_frames(_GENERATED_FOR_CALIBRATION, calibration=True)


def _facts(options: Options, deployed: DeployedNetwork) -> dict[str, Any]:
    """What the file says of itself, beside what is said of the weights."""
    asked = {name: value for name, value in asdict(options).items() if name != "half"}
    return {
        **asked,
        "precision": options.precision,
        "half_weights": options.half_weights,
        "canvas": None if options.dynamic else list(options.canvas),
        "outputs": deployed.output_names,
        "versions": {
            "yolopv2": yolopv2.__version__,
            **{name: version(name) for name in ("torch", "onnx", "onnxruntime", "openvino")},
        },
    }

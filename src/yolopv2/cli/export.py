"""yolopv2 export: weights as a file for other engines."""

from pathlib import Path
from typing import Annotated

import typer


def export(
    weights: Annotated[str, typer.Argument(help="Name from 'yolopv2 models list', .safetensors, or yolopv2.pt.")],
    format: Annotated[str, typer.Option(help="onnx, openvino, torchscript, torch-export.")] = "onnx",
    int8: Annotated[
        bool, typer.Option("--int8", help="Compute most layers in 8 bits; those that suffer stay float. Give --data.")
    ] = False,
    half: Annotated[
        bool | None,
        typer.Option(
            "--half/--full",
            help="Store float weights as float16 (half the file, computed in float32 as ever), or as float32. "
            "If neither is given: --half for onnx and openvino.",
        ),
    ] = None,
    nms: Annotated[
        bool, typer.Option("--nms", help="Suppress overlapping boxes in the graph: vehicles come out, not anchors.")
    ] = False,
    conf: Annotated[float, typer.Option(help="Least confidence of a vehicle, with --nms.")] = 0.3,
    iou: Annotated[float, typer.Option(help="Overlap beyond which the less confident box goes, with --nms.")] = 0.45,
    dynamic: Annotated[
        bool, typer.Option("--dynamic/--static", help="Take any batch and size, or one canvas of --size for 16:9.")
    ] = True,
    size: Annotated[int, typer.Option(help="Long side of the canvas it is proved on, a multiple of 32.")] = 640,
    data: Annotated[
        Path | None,
        typer.Option(help="YAML of a data set: the proof looks at split val, int8 is calibrated on split train."),
    ] = None,
    frames: Annotated[int, typer.Option(min=1, help="At most so many frames of each split.")] = 100,
    output: Annotated[Path, typer.Option(help="Folder for the file.")] = Path(),
) -> None:
    """Write weights as a file for other engines, proved to see the same; needs the extra 'export'.

    The file is run in its own engine beside the network before it is written; how far they are apart is printed and
    stored inside it, and past a bound nothing is written. See docs/export.md.
    """
    from yolopv2.export.options import Options
    from yolopv2.inference import Thresholds
    from yolopv2.model import YOLOPv2

    thresholds = Thresholds(conf, iou) if nms else None
    options = Options(format, int8, half, thresholds, dynamic, size)
    model = YOLOPv2(weights, "cpu", "torch")
    path = model.export(
        format,
        output / options.file_name(model.weights.stem),
        int8=int8,
        half=half,
        nms=thresholds or False,
        dynamic=dynamic,
        size=size,
        data=data,
        frames=frames,
        tell=typer.echo,
    )
    total = sum(part.stat().st_size for part in {path, path.with_suffix(".bin")} if part.is_file())
    typer.echo(f"{path} ({total / 1e6:.1f} MB)")

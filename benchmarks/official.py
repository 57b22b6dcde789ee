"""The official path against ours: same weights, same frames, one run, a 1280x720 frame in, its three results out.

    python benchmarks/official.py [--rounds 20] [--variant base] [--write]

The official path is what the authors' demo does, written anew from what is known of it: TorchScript in float32, its
letterbox and decoding, suppression, and masks brought to 1280x720 by PyTorch. The released weights cannot be had
everywhere, so both paths get the released network, `base`, with the same random weights, in TorchScript of the released
form on the one side and exported on the other: speed does not depend on the numbers. Every path runs in a process of
its own, and they take turns. Prints Markdown; ``--write`` also puts it into benchmarks/results.md.
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sections import write_section

from yolopv2 import YOLOPv2
from yolopv2.benchmark.machine import engine_versions, machine
from yolopv2.benchmark.measure import Look, Measured, open_model, ratios, street_frames
from yolopv2.benchmark.process import peak_memory, resident_memory
from yolopv2.benchmark.report import Setup
from yolopv2.cli.terminal import progress_bar
from yolopv2.data.synthetic import render_scene
from yolopv2.errors import YolopError
from yolopv2.evaluation.speed import available_cores, stage_seconds
from yolopv2.geometry.boxes import iou_matrix
from yolopv2.geometry.letterbox import Letterbox
from yolopv2.inference.postprocess import Thresholds
from yolopv2.inference.runtimes.base import METADATA_KEY
from yolopv2.inference.runtimes.openvino import cpu_precisions, openvino_core, openvino_library
from yolopv2.media import Frame

if TYPE_CHECKING:
    from yolopv2.network import Network

TITLE = "The official path and ours"
OFFICIAL = "official: TorchScript float32"
ROUNDS = 20
_CANDIDATES = 300
_CALIBRATION = 16
_OTHER = "(other weights)"
_SAME_BOX = 0.7
"""IoU from which two boxes are the same."""


@dataclass
class Contender:
    """One path: how it is loaded, how it tells what it sees, and its process once it runs."""

    name: str
    load: Callable[[], Look]
    see: Callable[[Any, NDArray[np.uint8]], dict[str, NDArray[Any]]]
    measured: Measured | None = None


@dataclass(frozen=True)
class Line:
    """What was measured of one path.

    Attributes:
        ms: Median milliseconds of a frame, by round.
        p90: Nine of ten frames stay below, milliseconds.
        memory: Resident megabytes after the rounds, before anything else is asked of the process.
        peak: The most that were resident until then: while it was loaded, in most cases.
        first_frame: Seconds from the start of the process.
        around: Share of the time that is not the network; None for the official path.
        seen: What it saw in the first frame.
    """

    ms: NDArray[np.float64]
    p90: float
    memory: float
    peak: float
    first_frame: float
    around: float | None
    seen: dict[str, NDArray[Any]]


def random_network(variant: str) -> "Network":
    """A network with random weights that float16 holds, as files store them, and as many boxes as a full street."""
    import torch

    from yolopv2.network import Network, fuse
    from yolopv2.network.network import calibrate

    network = Network(variant, classes=80).eval()
    calibrate(network, torch.Generator().manual_seed(0))
    frame = torch.from_numpy(street_frames(640, 384)[0]).permute(2, 0, 1)[None] / 255
    with torch.no_grad():
        for predict in network.detection.predict:
            predict.weight *= 3  # calibrated logits hardly differ
            predict.bias.zero_()
        logits = [level.unflatten(1, (3, -1))[:, :, 4].flatten() for level in network(frame).detections]
        offset = torch.cat(logits).sort(descending=True).values[_CANDIDATES] + 0.7  # an objectness of a third
        for predict in network.detection.predict:
            predict.bias.view(3, -1)[:, 4] -= offset
        network = fuse(network)
        for parameter in network.parameters():
            parameter.copy_(parameter.half())
    return network


def write_weights(folder: Path, variant: str) -> list[str]:
    """Writes ``official.pt``, ``base.onnx`` and, where it can be, ``base-int8.xml``; returns what could not be."""
    from demo import write_torchscript

    from yolopv2.checkpoints.meta import CheckpointMeta
    from yolopv2.export.onnx import export_onnx

    network = random_network(variant)
    write_torchscript(network, folder / "official.pt")
    export_onnx(network, folder / "base.onnx", CheckpointMeta.of(network).to_dict())
    try:
        _quantise(folder / "base.onnx", folder / "base-int8.xml")
    except (ImportError, YolopError) as error:
        return [f"int8 is left out: {error}"]
    return []


def _quantise(graph: Path, path: Path) -> None:
    """The graph in 8 bits throughout; what that costs is told beside the speed, so nothing is searched or refused."""
    from yolopv2.export.quantize import quantise

    ov = openvino_library()
    model = openvino_core().read_model(graph)
    where = ["framework", METADATA_KEY]
    metadata = model.get_rt_info(where).astype(str)
    fit = Letterbox.fit(720, 1280)
    canvases = [fit.apply(render_scene(seed).image)[None] for seed in range(_CALIBRATION)]
    quantised = quantise(model, canvases, ())
    quantised.set_rt_info(metadata, where)
    ov.save_model(quantised, path, compress_to_fp16=False)


def paths(folder: Path, variant: str) -> list[Contender]:
    """The official path first, then ours.

    PyTorch is imported here and not above: processes import this file anew, and ours need no PyTorch.
    """
    from demo import OfficialDemo

    cores = available_cores()
    best = "bfloat16" if "bfloat16" in cpu_precisions() else "float32"
    common = {"runtime": "openvino", "device": "cpu", "threads": cores}
    graph = str(folder / "base.onnx")
    setups = {
        f"{variant} {name}": Setup(**common, weights=graph, precision=name) for name in dict.fromkeys(["float32", best])
    }
    if (folder / "base-int8.xml").exists():
        setups[f"{variant} int8 ({best} where not int8)"] = Setup(
            **common, weights=str(folder / "base-int8.xml"), precision=best
        )
    setups[f"nano {best} {_OTHER}"] = Setup(**common, weights="nano", precision=best)
    ours = [Contender(name, partial(open_model, setup), seen_by_ours) for name, setup in setups.items()]
    return [Contender(OFFICIAL, partial(OfficialDemo, folder / "official.pt"), OfficialDemo.seen), *ours]


def measure(
    folder: Path, variant: str, rounds: int, progress: Callable[[], object]
) -> tuple[dict[str, Line], list[str]]:
    """Measures all paths in turn; what could not be measured is said."""
    frames = street_frames()
    remarks = write_weights(folder, variant)
    progress()
    running = []
    try:
        for each in paths(folder, variant):
            try:
                each.measured = Measured(each.load, frames)
                running.append(each)
            except YolopError as error:
                if each.name == OFFICIAL:
                    raise
                remarks.append(f"{each.name} is left out: {error}")
            progress()
        for number in range(rounds + 1):
            for each in running:
                each.measured.go_on()
                if number == 0:  # PyTorch compiles in its second frame, others fill their caches
                    each.measured.rounds.clear()
            progress()
        lines = {each.name: _line(each, frames[0]) for each in running}
    finally:
        for each in running:
            each.measured.process.close()
    return lines, remarks


def _line(path: Contender, frame: NDArray[np.uint8]) -> Line:
    measured = path.measured
    return Line(
        ms=measured.medians,
        p90=float(np.percentile([1000 * seconds for turn in measured.rounds for seconds in turn], 90)),
        memory=measured.process.call(resident_memory) or float("nan"),
        peak=measured.process.call(peak_memory) or float("nan"),
        first_frame=measured.first_frame,
        around=None if path.name == OFFICIAL else measured.process.call(share_around, frame),
        seen=measured.process.call(path.see, frame),
    )


def share_around(model: YOLOPv2, image: NDArray[np.uint8], frames: int = 8) -> float:
    """Share of a frame's time before and after the network."""
    frame, thresholds = Frame(image, "generated", 0), Thresholds()
    seconds = np.median([stage_seconds(model.predictor, frame, thresholds) for _ in range(frames)], axis=0)
    return float(1 - seconds[1] / seconds[3])


def seen_by_ours(model: YOLOPv2, image: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """What `demo.OfficialDemo.seen` gives, of our path."""
    ((candidates, row, _),) = model.predictor.look([image])
    scene = model(image)
    return {
        "boxes": scene.vehicles.xyxy,
        "classes": scene.vehicles.class_id,
        "drivable": candidates.drivable[row] / np.float32(255),
        "lanes": candidates.lanes[row] / np.float32(255),
        "drivable_mask": scene.drivable,
        "lanes_mask": scene.lanes,
    }


def page(lines: dict[str, Line], remarks: list[str], variant: str) -> str:
    """The results as Markdown."""
    here, versions = machine(), engine_versions()
    rounds = len(next(iter(lines.values())).ms)
    about = (
        f"{here['processor']}, {here['cores']} cores, {here['system']}, Python {here['python']}, PyTorch "
        f"{versions.get('torch')}, OpenVINO {versions.get('openvino')}. Batch 1, 1280x720 in, boxes and both masks at "
        f"1280x720 out, nothing drawn; each path in a process of its own, {rounds} rounds in turn. `{variant}` has "
        "the same random weights on both paths. MB are resident after the rounds, peak MB the most until then, shared "
        "libraries and mapped files included. Ratios are medians of the quotient within a round, with quartiles."
    )
    parts = [about, _speeds(lines), _differences(lines), _goals(lines), "\n".join(f"- {line}" for line in remarks)]
    return "\n\n".join(part for part in parts if part)


def _speeds(lines: dict[str, Line]) -> str:
    head = ("path", "ms", "p90", "official / it", "MB", "peak MB", "first frame, s", "around the network")
    first = lines[OFFICIAL]
    rows = [
        (
            name,
            f"{np.median(line.ms):.1f}",
            f"{line.p90:.1f}",
            "{:.2f} ({:.2f} to {:.2f})".format(*ratios(first.ms, line.ms)),
            f"{line.memory:.0f}",
            f"{line.peak:.0f}",
            f"{line.first_frame:.2f}",
            "" if line.around is None else f"{line.around:.1%}",
        )
        for name, line in lines.items()
    ]
    return _table(head, rows)


def _differences(lines: dict[str, Line]) -> str:
    """How far ours is from the official path on the first frame; the nano has other weights and is not compared."""
    theirs = lines[OFFICIAL].seen
    head = (
        "against the official path",
        "drivable",
        "lanes",
        "decided otherwise",
        "boxes",
        "shift of a side, px",
    )
    rows = []
    for name, line in lines.items():
        if name == OFFICIAL or name.endswith(_OTHER):
            continue
        mean = {what: np.abs(line.seen[what] - theirs[what]).mean() for what in ("drivable", "lanes")}
        other = [(line.seen[f"{what}_mask"] != theirs[f"{what}_mask"]).mean() for what in ("drivable", "lanes")]
        same, shift = matched(theirs, line.seen)
        boxes = f"{same} of {len(theirs['boxes'])} found, {len(line.seen['boxes']) - same} more"
        told = f"{other[0]:.2%}, {other[1]:.2%}"
        rows.append((name, f"{mean['drivable']:.4f}", f"{mean['lanes']:.4f}", told, boxes, f"{shift:.2f}"))
    note = (
        "Drivable and lanes: mean absolute difference of a pixel's probability; ours leaves the graph as a byte, which "
        "alone makes up to 0.001. The official path suppresses boxes before it cuts them at the frame's "
        "edges, ours afterwards, and it rounds them to whole pixels. Random weights decide few "
        "pixels clearly."
    )
    return f"{_table(head, rows)}\n\n{note}"


def matched(theirs: dict[str, NDArray[Any]], ours: dict[str, NDArray[Any]]) -> tuple[int, float]:
    """How many of their boxes are among ours, in the same class, and the mean shift of their sides in pixels."""
    if not len(theirs["boxes"]) or not len(ours["boxes"]):
        return 0, float("nan")
    overlap = iou_matrix(theirs["boxes"], ours["boxes"]) * (theirs["classes"][:, None] == ours["classes"])
    nearest = overlap.argmax(axis=1)
    found = np.flatnonzero(overlap.max(axis=1) >= _SAME_BOX)
    shifts = np.abs(theirs["boxes"][found] - ours["boxes"][nearest[found]])
    return len(found), float(shifts.mean()) if len(found) else float("nan")


def _goals(lines: dict[str, Line]) -> str:
    """What was aimed at, and whether it is reached."""
    official = lines[OFFICIAL]
    rows = []
    ours = {name.split()[1]: line for name, line in lines.items() if name != OFFICIAL and not name.endswith(_OTHER)}
    for precision, least in (("bfloat16", 3.0), ("int8", 5.0)):
        line = ours.get(precision)
        if line is None:
            rows.append((f"{precision}: at least {least:g} times as quick", "not measured", ""))
            continue
        ratio = ratios(official.ms, line.ms)[0]
        rows += [
            (f"{precision}: at least {least:g} times as quick", f"{ratio:.2f}", _met(ratio >= least)),
            (f"{precision}: at most half the memory", f"{line.memory / official.memory:.2f}",
             _met(line.memory <= official.memory / 2)),
            (f"{precision}: at most 15 % around the network", f"{line.around:.1%}", _met(line.around <= 0.15)),
            (f"{precision}: first frame within 2 s", f"{line.first_frame:.2f} s", _met(line.first_frame <= 2)),
        ]  # fmt: skip
    return _table(("goal", "measured", ""), rows)


def _met(is_met: bool) -> str:
    return "met" if is_met else "missed"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ("---",) * len(head), *rows])


def main() -> None:
    """Measures, prints, and writes if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--write", action="store_true", help="put the results into benchmarks/results.md")
    parser.add_argument("--variant", default="base", help="nano for a quick try; the goals are those of base")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, progress_bar("steps") as progress:
        task = progress.add_task("", total=1 + 5 + given.rounds + 1)
        lines, remarks = measure(Path(folder), given.variant, given.rounds, lambda: progress.advance(task))
    text = page(lines, remarks, given.variant)
    print(text)
    if given.write:
        write_section(TITLE, text)


if __name__ == "__main__":
    main()

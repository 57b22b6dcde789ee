"""YOLOPv2: the one object through which the package is used."""

import os
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yolopv2.checkpoints import CATALOGUE, bundled_graph, file_kind, load_network, resolve
from yolopv2.errors import MissingExtra, YolopError
from yolopv2.files import sha256
from yolopv2.inference import Predictor, Thresholds
from yolopv2.inference.classes import Classes, class_ids
from yolopv2.inference.postprocess import whole_number
from yolopv2.inference.runtimes import choose_runtime
from yolopv2.media import Pace, Problem, open_source
from yolopv2.media.frame import warn_of
from yolopv2.media.listing import is_several
from yolopv2.media.pace import EVERY_FRAME
from yolopv2.scene import Scene

if TYPE_CHECKING:
    from yolopv2.checkpoints import CheckpointMeta
    from yolopv2.data.dataset import Dataset
    from yolopv2.evaluation.result import Evaluation
    from yolopv2.network import Network


class YOLOPv2:
    """Panoptic driving perception: vehicles, drivable area and lane markings of any road picture or video.

    Args:
        weights: A name of the catalogue (``nano``, bundled; ``official``, the release), a ``.safetensors`` checkpoint,
            an exported ``.onnx`` or ``.xml``, or the released ``yolopv2.pt``.
        device: ``auto`` (a GPU that PyTorch can use, else the CPU), ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        runtime: ``auto``, ``openvino``, ``torch`` or ``onnx``; see `yolopv2.inference.runtimes.choose_runtime`.
        size: Long side of the canvas the network sees, in pixels, a multiple of 32; smaller is quicker.
        precision: ``auto`` (what the device is quick in), ``float32``, ``bfloat16`` or ``float16`` where it has it.
        heads: Of ``detection``, ``drivable`` and ``lanes`` those that are wanted; the others are not computed, and the
            scenes have None for them. All the network has if None.
        classes: Ids or names of the classes the network is cut down to, numbered anew in this order; all if None. Where
            few of many are wanted this is quicker than the option of a call. A box is then the best of these classes,
            also where a class that was cut away would have been better.

    Attributes:
        predictor: What does the looking.
        problems: What was wrong with inputs of the last call or stream, remarks included.

    Raises:
        YolopError: The weights cannot be loaded or not be run so; the message says what to do.
        MissingExtra: What is asked for needs an extra of this package.

    Example:
        >>> from yolopv2.data.synthetic import Drive, render_scene
        >>> model = YOLOPv2("nano")
        >>> scene = model(render_scene(119).image, conf=0.4)  # or "street.jpg"
        >>> len(scene.vehicles) > 0, scene.drivable.shape
        (True, (720, 1280))
        >>> frames = [sample.image for sample in Drive(119).frames(2)]
        >>> [scene.source for scene in model.stream(frames)]  # or "drive.mp4"
        ['array-0', 'array-1']
    """

    def __init__(
        self,
        weights: str | os.PathLike[str] = "nano",
        device: str = "auto",
        runtime: str = "auto",
        size: int = 640,
        precision: str = "auto",
        heads: Sequence[str] | None = None,
        classes: Classes | None = None,
    ) -> None:
        path = resolve(weights)
        self._opened_with: dict[str, Any] = {"weights": os.fspath(weights), "heads": heads, "classes": classes}
        self._opened_with |= {"device": device, "runtime": runtime, "size": size, "precision": precision}
        self.weights = path
        self.problems: list[Problem] = []
        is_graph = file_kind(path) in ("onnx", "openvino")
        graph = path if is_graph else bundled_graph(weights) or self._kept_graph
        chosen = choose_runtime(graph, None if is_graph else self._load, device, runtime, precision, heads, classes)
        self.predictor = Predictor(chosen, size)

    def __repr__(self) -> str:
        return f"<YOLOPv2 {self.weights.name}, {self.predictor.runtime.description}, size {self.predictor.size}>"

    @property
    def names(self) -> dict[int, str]:
        """Class names by class id."""
        return self.predictor.runtime.names

    @property
    def network(self) -> "Network":
        """The network itself, a ``torch.nn.Module`` in float32 on the CPU; needs the extra ``torch``.

        Example:
            >>> import torch
            >>> out = YOLOPv2("nano").network(torch.zeros(1, 3, 64, 96))  # RGB in 0..1
            >>> [tuple(map.shape) for map in out.detections], tuple(out.drivable.shape), tuple(out.lanes.shape)
            ([(1, 18, 8, 12), (1, 18, 4, 6), (1, 18, 2, 3)], (1, 2, 64, 96), (1, 1, 64, 96))
        """
        return self._loaded[0]

    def __call__(
        self,
        source: Any,
        conf: float = 0.3,
        iou: float = 0.45,
        classes: Classes | None = None,
        max_det: int = 300,
        agnostic: bool = False,
        batch: int = 1,
        drivable_conf: float = 0.5,
        lane_conf: float = 0.5,
    ) -> Scene | list[Scene]:
        """Looks at one picture, or at several.

        Args:
            source: A path, address, numpy array (RGB) or PIL picture; or several: a list, a folder, a pattern.
            conf: Least confidence of a vehicle, in 0 to 1.
            iou: Of two boxes that overlap by more than this the less confident is dropped, in 0 to 1.
            classes: Ids or names of the classes to keep; all if None.
            max_det: At most this many vehicles per picture.
            agnostic: Whether boxes of different classes suppress each other.
            batch: Pictures that are looked at together; the scenes are the same at any batch.
            drivable_conf: A pixel is drivable above this probability, in 0 to 1.
            lane_conf: A pixel is of a lane marking above this probability, in 0 to 1.

        Returns:
            One `Scene` for one picture; for several a list, without those that cannot be read: these are warned of
            and stand in `problems`.

        Raises:
            YolopError: The one picture cannot be read, there is nothing to read, an option is out of its range, or
                the source is a video, for which there is `stream`.
        """
        thresholds = self.thresholds(conf, iou, classes, max_det, agnostic, drivable_conf, lane_conf)
        scenes = list(self._look(source, thresholds, batch, stills_only=True))
        return scenes if is_several(source) else scenes[0]

    def stream(
        self,
        source: Any,
        conf: float = 0.3,
        iou: float = 0.45,
        classes: Classes | None = None,
        max_det: int = 300,
        agnostic: bool = False,
        batch: int = 1,
        every: int = 1,
        max_fps: float | None = None,
        drivable_conf: float = 0.5,
        lane_conf: float = 0.5,
    ) -> Generator[Scene, None, None]:
        """Looks at a video, camera, stream, or any number of pictures; reading and looking overlap.

        Args:
            source: What `__call__` takes, or a video file, a camera's number, an RTSP or HTTP stream.
            conf: As for `__call__`, like the other options.
            iou: See there.
            classes: See there.
            max_det: See there.
            agnostic: See there.
            batch: Frames that are looked at together: quicker on GPUs, later by as many frames.
            every: Only each such frame of a video, camera or stream is looked at; `Scene.index` counts all.
            max_fps: Of these at most so many per second of the video.
            drivable_conf: See there.
            lane_conf: See there.

        Yields:
            The scene of each frame looked at, in order. However long the source, only a few frames are in memory. What
            of several inputs cannot be read is warned of and stands in `problems`.

        Raises:
            YolopError: As for `__call__`.
        """
        thresholds = self.thresholds(conf, iou, classes, max_det, agnostic, drivable_conf, lane_conf)
        return self._look(source, thresholds, batch, stills_only=False, pace=Pace(every, max_fps))

    def thresholds(
        self,
        conf: float = 0.3,
        iou: float = 0.45,
        classes: Classes | None = None,
        max_det: int = 300,
        agnostic: bool = False,
        drivable_conf: float = 0.5,
        lane_conf: float = 0.5,
    ) -> Thresholds:
        """The options of `__call__`, checked, with classes as ids.

        Raises:
            YolopError: One is out of its range, or there is no such class.
        """
        ids = None if classes is None else class_ids(classes, self.names)
        return Thresholds(conf, iou, ids, max_det, agnostic, drivable_conf, lane_conf)

    def train(
        self, data: str | os.PathLike[str], output: str | os.PathLike[str] | None = None, **settings: Any
    ) -> "YOLOPv2":
        """Trains on labelled frames, from these weights on; needs the extra ``train``.

        Args:
            data: The YAML of a data set, see docs/data.md: its split ``train`` is learned from, ``val`` validated on.
            output: Folder of the run; if None, ``runs/train``, ``runs/train-2`` and so on.
            settings: Of `yolopv2.training.config.TrainConfig`, such as ``epochs=50`` or ``loss={"drivable": 2}``.

        Returns:
            A model with the best weights of the run, on the same device; ``weights`` says where they are.

        Raises:
            YolopError: A setting does not exist or cannot be, the data set cannot be read, or training cannot go on.

        Example:
            >>> import tempfile
            >>> from yolopv2.data.synthetic import write_dataset
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     data = write_dataset(folder, {"train": 4}, height=90, width=160)
            ...     quick = {"epochs": 1, "batch_size": 4, "height": 64, "width": 96, "workers": 0}
            ...     trained = YOLOPv2("nano").train(data, output=f"{folder}/run", **quick)
            >>> trained
            <YOLOPv2 best.safetensors, OpenVINO ... on the CPU, ..., size 640>
        """
        try:
            from yolopv2.training.config import make_config
            from yolopv2.training.folder import RUNS, free_folder
            from yolopv2.training.run import train
        except ImportError:
            raise MissingExtra("train", "Training") from None

        folder = free_folder(RUNS, "train") if output is None else Path(output)
        best = train(Path(data), make_config({"weights": str(self.weights)}, settings), folder)
        # The run has the classes of its data, and all heads.
        return YOLOPv2(**{**self._opened_with, "weights": best, "heads": None, "classes": None})

    def export(
        self,
        format: str = "onnx",
        output: str | os.PathLike[str] | None = None,
        *,
        int8: bool = False,
        half: bool | None = None,
        nms: Thresholds | bool = False,
        dynamic: bool = True,
        size: int | None = None,
        data: str | os.PathLike[str] | None = None,
        frames: int = 100,
        tell: Callable[[str], object] = lambda line: None,
    ) -> Path:
        """Writes the model as a file for other engines, once it has proved there to see the same; see docs/export.md.

        Args:
            format: ``onnx``, ``openvino``, ``torchscript`` or ``torch-export``.
            output: The file; if None, the weights' name with the format's suffix, in the working folder.
            int8: Compute most layers in 8 bits, those left out that suffer from it.
            half: Store float weights as float16; if None, for ``onnx`` and ``openvino``.
            nms: Suppress overlapping boxes in the graph, with these thresholds (`thresholds`) or the usual ones.
            dynamic: Take any batch and size; if not, one canvas of ``size`` for 16:9 frames.
            size: Long side of the canvas that it is proved on; if None, this model's.
            data: YAML of a data set: its split ``val`` is what the proof looks at, its split ``train`` what int8 is
                calibrated on. If None, both are generated.
            frames: At most so many of each.
            tell: Called with each line of what is done and measured.

        Returns:
            The file.

        Raises:
            MissingExtra: ``export`` is not installed.
            YolopError: The format is unknown or cannot do what is asked, the model is an exported one, the file cannot
                be written, or the export does not see what the network sees.
        """
        from yolopv2.export.options import Options
        from yolopv2.export.run import export

        thresholds = nms if isinstance(nms, Thresholds) else Thresholds() if nms else None
        options = Options(format, int8, half, thresholds, dynamic, self.predictor.size if size is None else size)
        network, meta = self._loaded
        path = Path(output if output is not None else options.file_name(self.weights.stem))
        export(network, path, meta.to_dict(), options, data, frames, tell)
        return path

    def evaluate(
        self,
        data: str | os.PathLike[str],
        protocol: str = "dataset",
        split: str = "val",
        workers: int = 1,
        progress: Callable[[], object] | None = None,
    ) -> "Evaluation":
        """Scores the model on labelled frames.

        Args:
            data: The YAML of a data set, or the folder that holds it as ``data.yaml``; see docs/data.md.
            protocol: Whose rules: ``dataset``, ``yolop``, ``yolopv2``, ``hybridnets``, ``rmt-ppad-8px`` or
                ``bdd100k-official``; see docs/evaluate.md.
            split: One of the data set's splits.
            workers: Processes that score frames; the numbers are the same.
            progress: Called after each frame.

        Returns:
            Everything that was measured: ``metrics`` has the scores by name, ``unreadable`` the frames left out.

        Raises:
            YolopError: There is no such protocol, data set or split, or nothing could be scored.

        Example:
            >>> import tempfile
            >>> from yolopv2.data.synthetic import write_dataset
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     data = write_dataset(folder, {"val": 2}, height=180, width=320)
            ...     measured = YOLOPv2("nano").evaluate(data, protocol="dataset")
            >>> sorted(measured.metrics)[:3]
            ['ap50', 'ap50_95', 'ap50_95_medium']
        """
        from yolopv2.data.dataset import open_dataset
        from yolopv2.evaluation.evaluate import evaluate
        from yolopv2.evaluation.workers import evaluate_in_processes

        dataset = open_dataset(Path(data), split)
        if whole_number("workers", workers) == 1:
            measured = evaluate(self.predictor, dataset, protocol, progress)
        else:
            load = partial(_open, self._opened_with, Path(data), split)
            measured = evaluate_in_processes(self.predictor, dataset, protocol, load, workers, progress)
        return replace(
            measured,
            model={**self._facts(), **measured.model},
            data={"path": os.fspath(data), "split": split, **measured.data},
            command=f"YOLOPv2({self._opened_with['weights']!r}).evaluate({os.fspath(data)!r}, {protocol!r}, {split!r})",
        )

    def _facts(self) -> dict[str, Any]:
        """What the weights are, as an evaluation states it."""
        facts: dict[str, Any] = {"weights": (name := self._opened_with["weights"]), "sha256": sha256(self.weights)}
        if file_kind(self.weights) == "safetensors":
            from yolopv2.checkpoints import read_meta

            facts["variant"] = read_meta(self.weights).variant
        elif name in CATALOGUE:
            facts["variant"] = CATALOGUE[name].variant
        return facts

    @cached_property
    def _loaded(self) -> tuple["Network", "CheckpointMeta"]:
        network, meta = load_network(self.weights)
        heads, classes = self._opened_with["heads"], self._opened_with["classes"]
        if heads is None and classes is None:
            return network, meta
        from yolopv2.network.restrict import restrict

        ids = class_ids(range(len(meta.names)) if classes is None else classes, meta.names_by_id)
        part = restrict(network, heads, ids)
        return part, meta.of(part, [meta.names[i] for i in ids], meta.provenance, meta.training, meta.metrics)

    def _kept_graph(self) -> Path | None:
        from yolopv2.export.kept import kept_graph

        return kept_graph(self.weights)

    def _load(self) -> tuple["Network", dict[int, str]]:
        network, meta = self._loaded
        return network, meta.names_by_id

    def _look(
        self, source: Any, thresholds: Thresholds, batch: int, stills_only: bool, pace: Pace = EVERY_FRAME
    ) -> Generator[Scene, None, None]:
        several = is_several(source)
        user = 3 if stills_only else 2  # frames up from here: a call iterates itself, a stream its user
        told = 0
        problems: list[Problem] = []
        self.problems = problems
        with open_source(source, problems.append, pace) as frames:
            if stills_only and frames.is_video:
                raise _is_a_video(source)
            if several or not stills_only:
                looked = self.predictor.stream(frames, thresholds, batch)
            else:  # nothing to overlap with
                whole_number("batch", batch)
                looked = ((frame, self.predictor([frame], thresholds)[0]) for frame in frames)
            for frame, scene in looked:
                if stills_only and frame.is_video:
                    raise _is_a_video(frame.source)
                yield scene
                told = warn_of(problems, told, user) if several else told
        if not several and any(problem.fatal for problem in problems):
            raise YolopError("\n".join(str(problem) for problem in problems if problem.fatal))
        warn_of(problems, told, user)


def _open(opened_with: dict[str, Any], data: Path, split: str) -> tuple[Predictor, "Dataset"]:
    """The network and the data set again, in another process."""
    from yolopv2.data.dataset import open_dataset

    return YOLOPv2(**opened_with).predictor, open_dataset(data, split)


def _is_a_video(source: Any) -> YolopError:
    return YolopError(f"{source} is a video or camera: use model.stream(...), which gives its scenes one by one")

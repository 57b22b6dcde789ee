"""infer_yolop_v2: looks at a picture."""

from collections.abc import Sequence
from typing import cast

from yolopv2.ikomia.outputs import IO, DataDictIO, DetectionIO, ImageIO, IODataType, SegmentationIO, lane_data
from yolopv2.ikomia.parameters import InferParameters
from yolopv2.ikomia.task import Task
from yolopv2.media import Frame
from yolopv2.model import YOLOPv2
from yolopv2.scene import Scene, Vehicles


class Perceiver:
    """Looks at frames as parameters say; the model is loaded at the first frame and kept while they allow it."""

    def __init__(self) -> None:
        self._model: YOLOPv2 | None = None
        self._opened_with: tuple[str, ...] = ()

    def model(self, params: InferParameters) -> YOLOPv2:
        """The model that parameters ask for.

        Raises:
            YolopError: There are no such weights, or they cannot be run so.
        """
        weights = params.model_weight_file or params.model_name
        wanted = (weights, "auto" if params.cuda else "cpu", params.precision, str(params.input_size))
        if self._model is None or params.update or wanted != self._opened_with:
            self._model = YOLOPv2(weights, device=wanted[1], size=params.input_size, precision=params.precision)
            self._opened_with = wanted
        return self._model

    def __call__(self, frame: Frame, params: InferParameters) -> Scene:
        """What is seen in a frame; what the parameters leave out is not in it.

        Args:
            frame: RGB, of any size.
            params: How to look.

        Returns:
            The scene, in pixels of the frame.

        Raises:
            YolopError: As for `model`.
        """
        model = self.model(params)
        (scene,) = model.predictor([frame], model.thresholds(params.conf_thres, params.iou_thres))
        if not params.object:
            scene.vehicles = Vehicles.empty()
        if not params.road_lane:
            scene.drivable = scene.lanes = None
        return scene


class Perceive(Task):
    """Vehicles, drivable area and lanes of a picture.

    Outputs: 0 the picture with the merged mask, 1 detections, 2 the segmentation, 3 lane lines.

    Attributes:
        perceiver: Looks; another one may take its place.
    """

    name = "infer_yolop_v2"
    inputs = (IODataType.IMAGE,)
    outputs = (
        IODataType.IMAGE,
        IODataType.OBJECT_DETECTION,
        IODataType.SEMANTIC_SEGMENTATION,
        IODataType.DATA_DICT,
    )
    needs = (0,)
    params: InferParameters

    def __init__(self) -> None:
        super().__init__()
        self.params = InferParameters()
        self.perceiver = Perceiver()

    def init_long_process(self) -> None:
        """Loads the model now instead of at the first picture.

        Raises:
            YolopError: There are no such weights, or they cannot be run so.
        """
        self.perceiver.model(self.params)
        self.params = self.params.model_copy(update={"update": False})

    def begin(self, files: Sequence[str]) -> None:
        """Loads the model before the first frame."""
        self.init_long_process()

    def process(self, given: list[IO | None]) -> list[IO | None]:
        """Looks at the picture."""
        frame = cast(ImageIO, given[0]).frame
        scene = self.perceiver(frame, self.params)
        segmentation = SegmentationIO(scene)
        return [ImageIO(frame, segmentation.mask), DetectionIO(scene), segmentation, DataDictIO(lane_data(scene))]

"""The task infer_yolop_v2: what yolopv2 sees in an image, as outputs of Ikomia."""

import os

from ikomia.dataprocess.io.datadictIO import DataDictIO

import yolopv2
from ikomia import core, dataprocess
from yolopv2.ikomia.outputs import CLASSES, COLOURS, lane_data, merged_mask, objects
from yolopv2.ikomia.parameters import InferParameters
from yolopv2.ikomia.perceive import Perceiver
from yolopv2.media import Frame
from yolopv2.media.arrays import array_to_rgb

NAME = "infer_yolop_v2"


class InferYolopV2Param(core.CWorkflowTaskParam):
    """Parameters, as strings for Ikomia; see `yolopv2.ikomia.parameters.InferParameters`."""

    def __init__(self):
        core.CWorkflowTaskParam.__init__(self)
        self.values = InferParameters()

    def set_values(self, params):
        """Takes strings by name; unknown names and impossible values are refused."""
        self.values = self.values.updated(params, NAME)

    def get_values(self):
        """Gives strings by name."""
        return self.values.strings()


class InferYolopV2(dataprocess.CObjectDetectionTask):
    """Outputs: 0 the image with the merged mask over it, 1 detections, 2 the segmentation, 3 lane lines."""

    def __init__(self, name, param):
        dataprocess.CObjectDetectionTask.__init__(self, name)
        self.add_output(dataprocess.CSemanticSegmentationIO())
        self.add_output(DataDictIO())
        self.perceiver = Perceiver()
        self.set_param_object(param or InferYolopV2Param())

    def get_progress_steps(self):
        """Loading and looking."""
        return 2

    def init_long_process(self):
        """Loads the model."""
        param = self.get_param_object()
        self.perceiver.model(param.values)
        param.set_values({"update": "False"})
        super().init_long_process()

    def run(self):
        """Looks at the image of input 0."""
        image = self.get_input(0)
        if not image.is_data_available():
            raise RuntimeError(f"{NAME}: input 0 holds no image")
        self.begin_task_run()
        try:
            self.init_long_process()
            self.emit_step_progress()
            scene = self.perceiver(Frame(array_to_rgb(image.get_image()), self.name), self.get_param_object().values)
            self.forward_input_image(0, 0)
            self.give_detections(scene)
            self.give_segmentation(scene)
            self.get_output(3).data = lane_data(scene)
            self.emit_step_progress()
        finally:
            self.end_task_run()

    def give_detections(self, scene):
        """Fills output 1."""
        detection = self.get_output(1)
        detection.init(self.name, 0)
        for found in objects(scene):
            box, colour = found["box"], [found["color"][channel] for channel in "rgb"]
            detection.add_object(
                found["id"],
                found["label"],
                float(found["confidence"]),
                float(box["x"]),
                float(box["y"]),
                float(box["width"]),
                float(box["height"]),
                [*colour, 255],
            )

    def give_segmentation(self, scene):
        """Fills output 2, and lays the mask over output 0."""
        mask, segmentation = merged_mask(scene), self.get_output(2)
        segmentation.clear_data()
        if mask is None:
            return
        segmentation.set_class_names(list(CLASSES))
        segmentation.set_class_colors([list(colour) for colour in COLOURS])
        segmentation.set_mask(mask)
        self.get_output(0).set_overlay_mask(mask)
        self.set_output_color_map(0, 2, [list(colour) for colour in COLOURS[1:]], True)


class InferYolopV2Factory(dataprocess.CTaskFactory):
    """What Ikomia shows of the task, and how it is made."""

    def __init__(self):
        dataprocess.CTaskFactory.__init__(self)
        self.info.name = NAME
        self.info.short_description = "Vehicles, drivable area and lane markings of road images with YOLOPv2"
        self.info.description = self.info.short_description
        self.info.path = "Plugins/Python/Detection"
        self.info.icon_path = os.path.join(os.path.dirname(os.path.realpath(__file__)), "icons", "icon.png")
        self.info.version = yolopv2.__version__
        self.info.authors = "the yolopv2 authors; network by C. Han, Q. Zhao, S. Zhang, Y. Chen, Z. Zhang, J. Yuan"
        self.info.article = "YOLOPv2: Better, Faster, Stronger for Panoptic Driving Perception"
        self.info.journal = "arXiv"
        self.info.year = 2022
        self.info.article_url = "https://arxiv.org/abs/2208.11434"
        self.info.license = "MIT License"
        self.info.original_repository = "https://github.com/CAIC-AD/YOLOPv2"
        self.info.keywords = "YOLOP, driving, vehicle, road, lane, detection, segmentation, panoptic"
        self.info.algo_type = core.AlgoType.INFER
        self.info.algo_tasks = "OBJECT_DETECTION,SEMANTIC_SEGMENTATION"

    def create(self, param=None):
        """Makes the task."""
        return InferYolopV2(self.info.name, param)

"""The task train_yolop_v2: trains YOLOPv2 on the data set that Ikomia gives it."""

import os
from datetime import datetime
from pathlib import Path

from ikomia.core import config
from ikomia.core.task import TaskParam
from ikomia.dnn import dnntrain

import yolopv2
from ikomia import core, dataprocess
from yolopv2.ikomia.learn import Stopped, learn
from yolopv2.ikomia.parameters import TrainParameters

NAME = "train_yolop_v2"


class TrainYolopV2Param(TaskParam):
    """Parameters in ``cfg``; see `yolopv2.ikomia.parameters.TrainParameters`."""

    def __init__(self):
        TaskParam.__init__(self)
        self.cfg.update(TrainParameters().model_dump())

    def set_values(self, params):
        """Takes strings by name; unknown names and impossible values are refused."""
        self.cfg.update(self.checked(params).model_dump())

    def checked(self, params):
        """What ``cfg`` says, with some of it changed.

        ``cfg`` is open to everybody, so it is looked through again here.
        """
        return TrainParameters().updated({**self.cfg, **params}, NAME)


class TrainYolopV2(dnntrain.TrainProcess):
    """Input 0: a data set. The weights are written into the folder of the run, ``run/best.safetensors``."""

    def __init__(self, name, param):
        param = param or TrainYolopV2Param()
        dnntrain.TrainProcess.__init__(self, name, param)
        self.set_param_object(param)  # the constructor keeps a copy that has lost its class
        self.asked_to_stop = False
        self.weights = None

    def get_progress_steps(self):
        """A step for each round."""
        return self.get_param_object().checked({}).epochs

    def run(self):
        """Trains to the end, or until it is asked to stop."""
        self.asked_to_stop, self.weights = False, None
        dataset = self.get_input(0)
        if not dataset.is_data_available():
            raise RuntimeError(f"{NAME}: input 0 holds no data set: connect a task that loads one")
        params = self.get_param_object().checked({})
        parent = Path(params.output_folder or os.path.join(config.main_cfg["data"]["path"], NAME))
        folder = parent / datetime.now().strftime("%Y-%m-%dT%H-%M-%S.%f")
        self.begin_task_run()
        try:
            self.weights = learn(dataset.data, params, folder, self.on_epoch, lambda: self.asked_to_stop)
            self.log_artifact(str(self.weights))
        except Stopped:
            pass
        finally:
            self.end_task_run()

    def on_epoch(self, epoch, metrics):
        """Passes a round's numbers on."""
        self.log_metrics(metrics, step=epoch)
        self.emit_step_progress()

    def stop(self):
        """Stops after the step that is being taken."""
        super().stop()
        self.asked_to_stop = True


class TrainYolopV2Factory(dataprocess.CTaskFactory):
    """What Ikomia shows of the task, and how it is made."""

    def __init__(self):
        dataprocess.CTaskFactory.__init__(self)
        self.info.name = NAME
        self.info.short_description = "Train YOLOPv2: vehicles, drivable area and lane markings"
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
        self.info.keywords = "YOLOP, driving, vehicle, road, lane, detection, segmentation, train"
        self.info.algo_type = core.AlgoType.TRAIN
        self.info.algo_tasks = "OBJECT_DETECTION,SEMANTIC_SEGMENTATION"

    def create(self, param=None):
        """Makes the task."""
        return TrainYolopV2(self.info.name, param)

"""The widget of infer_yolop_v2 in Ikomia STUDIO."""

from ikomia.utils import pyqtutils, qtconversion
from PyQt6.QtWidgets import QGridLayout

from ikomia import core, dataprocess
from infer_yolop_v2.infer_yolop_v2_process import InferYolopV2Param
from yolopv2.checkpoints import CATALOGUE

PRECISIONS = ("auto", "float32", "bfloat16", "float16")


class InferYolopV2Widget(core.CWorkflowTaskWidget):
    """A row for each parameter."""

    def __init__(self, param, parent):
        core.CWorkflowTaskWidget.__init__(self, parent)
        self.parameters = param or InferYolopV2Param()
        values = self.parameters.values
        self.grid = QGridLayout()
        self.model_name = pyqtutils.append_combo(self.grid, "Model")
        self.model_name.addItems([*CATALOGUE])
        self.model_name.setCurrentText(values.model_name)
        self.weights = pyqtutils.append_browse_file(
            self.grid, "Weights instead of a model", values.model_weight_file, "Weights (*.safetensors *.onnx *.pt)"
        )
        self.input_size = pyqtutils.append_spin(self.grid, "Input size", values.input_size, min=32, max=4096, step=32)
        self.confidence = pyqtutils.append_double_spin(
            self.grid, "Confidence threshold", values.conf_thres, min=0.0, max=1.0, step=0.05, decimals=2
        )
        self.overlap = pyqtutils.append_double_spin(
            self.grid, "IoU threshold", values.iou_thres, min=0.0, max=1.0, step=0.05, decimals=2
        )
        self.object = pyqtutils.append_check(self.grid, "Vehicles", values.object)
        self.road_lane = pyqtutils.append_check(self.grid, "Road and lanes", values.road_lane)
        self.cuda = pyqtutils.append_check(self.grid, "GPU", values.cuda)
        self.precision = pyqtutils.append_combo(self.grid, "Precision")
        self.precision.addItems([*PRECISIONS])
        self.precision.setCurrentText(values.precision)
        self.set_layout(qtconversion.PyQtToQt(self.grid))

    def on_apply(self):
        """Takes what stands in the rows."""
        self.parameters.set_values(
            {
                "model_name": self.model_name.currentText(),
                "model_weight_file": self.weights.path,
                "input_size": str(self.input_size.value()),
                "conf_thres": str(self.confidence.value()),
                "iou_thres": str(self.overlap.value()),
                "object": str(self.object.isChecked()),
                "road_lane": str(self.road_lane.isChecked()),
                "cuda": str(self.cuda.isChecked()),
                "precision": self.precision.currentText(),
                "update": "True",
            }
        )
        self.emit_apply(self.parameters)


class InferYolopV2WidgetFactory(dataprocess.CWidgetFactory):
    """Makes the widget."""

    def __init__(self):
        dataprocess.CWidgetFactory.__init__(self)
        self.name = "infer_yolop_v2"

    def create(self, param):
        """Makes the widget."""
        return InferYolopV2Widget(param, None)

"""The widget of train_yolop_v2 in Ikomia STUDIO."""

from ikomia.utils import pyqtutils, qtconversion
from PyQt6.QtWidgets import QFileDialog, QGridLayout

from ikomia import core, dataprocess
from train_yolop_v2.train_yolop_v2_process import TrainYolopV2Param

MODELS = ("nano", "official", "small", "base")


class TrainYolopV2Widget(core.CWorkflowTaskWidget):
    """A row for each parameter."""

    def __init__(self, param, parent):
        core.CWorkflowTaskWidget.__init__(self, parent)
        self.parameters = param or TrainYolopV2Param()
        cfg = self.parameters.cfg
        self.grid = QGridLayout()
        self.model_name = pyqtutils.append_combo(self.grid, "Model")
        self.model_name.addItems([*MODELS])
        self.model_name.setCurrentText(cfg["model_name"])
        self.weights = pyqtutils.append_browse_file(
            self.grid, "Weights instead of a model", cfg["model_weight_file"], "Weights (*.safetensors *.pt)"
        )
        self.epochs = pyqtutils.append_spin(self.grid, "Epochs", cfg["epochs"], min=1, max=100_000)
        self.batch_size = pyqtutils.append_spin(self.grid, "Batch size", cfg["batch_size"], min=1, max=4096)
        self.size = pyqtutils.append_spin(self.grid, "Image width", cfg["train_imgsz"], min=32, max=4096, step=32)
        self.share = pyqtutils.append_double_spin(
            self.grid, "Share to learn from", cfg["dataset_split_ratio"], min=0.01, max=1.0, step=0.05, decimals=2
        )
        self.output = pyqtutils.append_browse_file(
            self.grid, "Output folder", cfg["output_folder"], mode=QFileDialog.FileMode.Directory
        )
        self.set_layout(qtconversion.PyQtToQt(self.grid))

    def on_apply(self):
        """Takes what stands in the rows."""
        self.parameters.set_values(
            {
                "model_name": self.model_name.currentText(),
                "model_weight_file": self.weights.path,
                "epochs": str(self.epochs.value()),
                "batch_size": str(self.batch_size.value()),
                "train_imgsz": str(self.size.value()),
                "dataset_split_ratio": str(self.share.value()),
                "output_folder": self.output.path,
            }
        )
        self.emit_apply(self.parameters)


class TrainYolopV2WidgetFactory(dataprocess.CWidgetFactory):
    """Makes the widget."""

    def __init__(self):
        dataprocess.CWidgetFactory.__init__(self)
        self.name = "train_yolop_v2"

    def create(self, param):
        """Makes the widget."""
        return TrainYolopV2Widget(param, None)

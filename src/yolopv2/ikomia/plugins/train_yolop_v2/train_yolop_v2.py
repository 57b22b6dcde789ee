"""What Ikomia asks for first: who makes the task, and who makes its widget."""

from ikomia import dataprocess


class IkomiaPlugin(dataprocess.CPluginProcessInterface):
    """The plugin."""

    def __init__(self):
        dataprocess.CPluginProcessInterface.__init__(self)

    def get_process_factory(self):
        """Makes the task."""
        from train_yolop_v2.train_yolop_v2_process import TrainYolopV2Factory

        return TrainYolopV2Factory()

    def get_widget_factory(self):
        """Makes the widget, where Ikomia has windows."""
        from train_yolop_v2.train_yolop_v2_widget import TrainYolopV2WidgetFactory

        return TrainYolopV2WidgetFactory()

"""What Ikomia asks for first: who makes the task, and who makes its widget."""

from ikomia import dataprocess


class IkomiaPlugin(dataprocess.CPluginProcessInterface):
    """The plugin."""

    def __init__(self):
        dataprocess.CPluginProcessInterface.__init__(self)

    def get_process_factory(self):
        """Makes the task."""
        from infer_yolop_v2.infer_yolop_v2_process import InferYolopV2Factory

        return InferYolopV2Factory()

    def get_widget_factory(self):
        """Makes the widget, where Ikomia has windows."""
        from infer_yolop_v2.infer_yolop_v2_widget import InferYolopV2WidgetFactory

        return InferYolopV2WidgetFactory()

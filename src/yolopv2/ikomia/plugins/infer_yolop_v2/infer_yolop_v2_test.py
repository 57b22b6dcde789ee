"""What Ikomia runs to test the plugin."""

from ikomia.utils.tests import run_for_test


def test(t, data_dict):
    """Runs the task on an image of Ikomia's test data."""
    t.get_input(0).load_image(data_dict["images"]["detection"]["coco"])
    return run_for_test(t)

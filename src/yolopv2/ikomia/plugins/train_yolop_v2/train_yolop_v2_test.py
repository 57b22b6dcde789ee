"""What Ikomia runs to test the plugin."""

from ikomia.dataprocess.registry import ik_registry
from ikomia.utils.tests import run_for_test


def test(t, data_dict):
    """Trains a round on a data set of Ikomia's test data."""
    loader = ik_registry.create_algorithm(name="dataset_coco")
    loader.set_parameters(data_dict["datasets"]["detection"]["dataset_coco"])
    loader.run()
    t.set_input(loader.get_output(0), 0)
    t.set_parameters({"epochs": "1", "batch_size": "1"})
    return run_for_test(t)

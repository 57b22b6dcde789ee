"""The released TorchScript file, read without knowing what its tensors are called."""

from yolopv2.checkpoints.torchscript.importer import TOLERANCE, Import, import_torchscript

__all__ = ["TOLERANCE", "Import", "import_torchscript"]

"""Runtimes: engines that run the network, all giving the same candidates; their libraries are imported on use."""

from yolopv2.inference.runtimes.base import PRECISIONS, Runtime
from yolopv2.inference.runtimes.choose import RUNTIMES, choose_runtime

__all__ = ["PRECISIONS", "RUNTIMES", "Runtime", "choose_runtime"]

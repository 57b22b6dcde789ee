"""From frames to scenes: preprocessing, runtimes, postprocessing, and the predictor that joins them."""

from yolopv2.inference.candidates import Candidates
from yolopv2.inference.postprocess import Thresholds
from yolopv2.inference.predictor import Predictor
from yolopv2.inference.runtimes import Runtime

__all__ = ["Candidates", "Predictor", "Runtime", "Thresholds"]

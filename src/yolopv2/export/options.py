"""What is asked of an export."""

from dataclasses import dataclass

from yolopv2.errors import YolopError
from yolopv2.geometry.letterbox import Letterbox
from yolopv2.inference.postprocess import Thresholds

FORMATS = {"onnx": ".onnx", "openvino": ".xml", "torchscript": ".torchscript", "torch-export": ".pt2"}
"""Formats by name, with the suffix of their file."""

_GRAPHS = ("onnx", "openvino")
_ASPECT = (9, 16)
"""Height to width of the frames that a static canvas is made for: what cameras of cars record."""


@dataclass(frozen=True)
class Options:
    """What is asked of an export.

    Attributes:
        format: One of `FORMATS`.
        int8: Compute most layers in 8 bits, where that costs little; ``onnx`` and ``openvino``.
        half: Store float weights as float16, computing in float32 as ever; None means where the format can:
            ``onnx`` and ``openvino``.
        nms: Suppress overlapping boxes in the graph, with these thresholds; ``onnx`` and ``openvino``.
        dynamic: Take any batch, height and width; if not, one canvas of `size` for 16:9 frames.
        size: Long side of the canvas in pixels, a multiple of 32, on which the export is proved, and which a static
            export takes.

    Raises:
        YolopError: There is no such format or size, or the format cannot do what is asked.

    Example:
        >>> Options("openvino", int8=True).file_name("nano"), Options(dynamic=False).canvas
        ('nano-int8.xml', (384, 640))
    """

    format: str = "onnx"
    int8: bool = False
    half: bool | None = None
    nms: Thresholds | None = None
    dynamic: bool = True
    size: int = 640

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise YolopError(f"no format is called {self.format!r}; there are: {', '.join(FORMATS)}")
        if self.nms is not None and (self.nms.agnostic or self.nms.classes is not None):
            raise YolopError("suppression in the graph knows no choice of classes: leave agnostic and classes alone")
        _ = self.canvas
        if self.format in _GRAPHS:
            return
        if self.format == "torchscript" and not self.dynamic:
            raise YolopError("torchscript has no static form: what is traced takes any size; leave it dynamic")
        for asked, what, why in (
            (self.int8, "int8", "quantisation makes a graph of ONNX or OpenVINO"),
            (self.half, "half", "PyTorch would compute in float16, which few CPUs do: use the network's own .half()"),
            (self.nms is not None, "nms", "PyTorch has no suppression of its own"),
        ):
            if asked:
                raise YolopError(f"{self.format} cannot be written with {what}: {why}; choose {' or '.join(_GRAPHS)}")

    @property
    def half_weights(self) -> bool:
        """Whether float weights are stored as float16."""
        return self.format in _GRAPHS if self.half is None else self.half

    @property
    def precision(self) -> str:
        """``int8``, ``half`` or ``float32``: how exact the export can be expected to be."""
        return "int8" if self.int8 else "half" if self.half_weights else "float32"

    @property
    def canvas(self) -> tuple[int, int]:
        """Height and width of the canvas for 16:9 frames."""
        letterbox = Letterbox.fit(*_ASPECT, self.size)
        return letterbox.canvas_height, letterbox.canvas_width

    def fit(self, height: int, width: int, size: int) -> Letterbox:
        """How a frame is laid on the canvas: on the only one of a static export, else on the smallest that fits."""
        if self.dynamic:
            return Letterbox.fit(height, width, size)
        return Letterbox.into(height, width, *self.canvas)

    def file_name(self, stem: str) -> str:
        """The name of the file that weights of the name ``stem`` become."""
        parts = [stem, "int8" if self.int8 else "", "nms" if self.nms is not None else ""]
        return "-".join(part for part in parts if part) + FORMATS[self.format]

"""The network as files for other engines. Needs the extra ``export``."""

from importlib.util import find_spec

from yolopv2.errors import MissingExtra

if not all(map(find_spec, ("torch", "onnx", "onnxruntime"))):
    raise MissingExtra("export", "Export")

"""Suppression of overlapping boxes as a part of the graph, for programs that are to have nothing left to do."""

from collections.abc import Iterable, Mapping

import numpy as np
import onnx
from onnx import helper, parser

from yolopv2.inference.postprocess import Thresholds

# The rule is that of `yolopv2.inference.postprocess.to_vehicles`: boxes are cut at the canvas and have their best class
# only. Boxes of different classes do not touch each other, because each class is moved to a place of its own.
_RULE = """<ir_version: 8, opset_import: ["" : OPSET]>
rule (uint8[batch, height, width, 3] image, float[batch, anchors, 4] all_boxes, float[batch, anchors, c] all_scores)
    => (float[batch, detections, 4] boxes, float[batch, detections] scores, int64[batch, detections] class_ids,
        int64[batch] count)
<float conf = {CONF}, float iou = {IOU}, int64[1] most = {MOST}, float zero = {0}, float two = {2},
 int64[1] last = {-1}, int64[1] first = {1}, int64[4] whwh = {2, 1, 2, 1}, int64[2] canvas_and_anchor = {0, 2},
 int64[2] low = {0, 1}, int64[2] high = {2, 3}>
{
    image_shape = Shape (image)
    limits_int = Gather (image_shape, whwh)
    limits = Cast <to = 1> (limits_int)
    positive = Max (all_boxes, zero)
    cut = Min (positive, limits)

    corner = Gather <axis = 2> (cut, low)
    far_corner = Gather <axis = 2> (cut, high)
    sides = Sub (far_corner, corner)
    shorter = ReduceMin <keepdims = 0> (sides, last)
    has_area = Greater (shorter, zero)
    best = ReduceMax <keepdims = 0> (all_scores, last)
    score = Where (has_area, best, zero)
    class_id = ArgMax <axis = -1, keepdims = 0> (all_scores)

    longest = ReduceMax <keepdims = 0> (limits)
    step = Mul (longest, two)
    class_number = Cast <to = 1> (class_id)
    shift = Mul (class_number, step)
    shift_of_sides = Unsqueeze (shift, last)
    apart = Add (cut, shift_of_sides)
    as_one_class = Unsqueeze (score, first)
    selected = NonMaxSuppression (apart, as_one_class, most, iou, conf)

    places = Gather <axis = 1> (selected, canvas_and_anchor)
    selected_scores = GatherND (score, places)
    score_shape = Shape (score)
    nothing = ConstantOfShape (score_shape)
    surviving = ScatterND (nothing, places, selected_scores)
    anchors = Gather (score_shape, first)
    length = Min (anchors, most)
    scores, order = TopK <axis = 1> (surviving, length)
    kept = Unsqueeze (order, last)

    seen = Greater (scores, zero)
    seen_sides = Unsqueeze (seen, last)
    kept_boxes = GatherND <batch_dims = 1> (cut, kept)
    boxes = Where (seen_sides, kept_boxes, zero)
    class_ids = GatherND <batch_dims = 1> (class_id, kept)
    seen_number = Cast <to = 7> (seen)
    count = ReduceSum <keepdims = 0> (seen_number, first)
}"""


def add_suppression(
    model: onnx.ModelProto, thresholds: Thresholds, axes: Mapping[str, Mapping[int, str]]
) -> onnx.ModelProto:
    """A graph that gives the vehicles it sees instead of a box for every anchor.

    In place of ``boxes`` and ``scores`` come, with D the most boxes of a canvas (fewer on a canvas of fewer anchors):
    ``boxes`` float32 ``[N, D, 4]``, ``x1 y1 x2 y2`` in pixels of the canvas; ``scores`` float32 ``[N, D]``, falling;
    ``class_ids`` int64 ``[N, D]``; ``count`` int64 ``[N]``, how many of the D are boxes: the others are zeros. Other
    outputs with an entry per anchor have one per box, in the same order.

    Args:
        model: With a detection head, from `yolopv2.export.graph.to_graph`.
        thresholds: What counts as seen.
        axes: The free axes of every output, from `yolopv2.export.graph.free_axes`.
    """
    outputs = {port.name: port for port in model.graph.output}
    of_anchors = [name for name in outputs if axes[name].get(1) == "anchors" and name not in ("boxes", "scores")]
    rule = _rule(thresholds, model.opset_import[0].version)
    for name in of_anchors:
        rule.node.append(helper.make_node("GatherND", [f"all_{name}", "kept"], [name], batch_dims=1))
    replaced = ("boxes", "scores", *of_anchors)
    result = onnx.ModelProto()
    result.CopyFrom(model)
    _rename(result.graph.node, {name: f"all_{name}" for name in replaced})
    public = {"image", *(port.name for port in rule.output), *replaced, *(f"all_{name}" for name in replaced)}
    inner = {name for node in rule.node for name in (*node.input, *node.output)} - public
    _rename(rule.node, {name: f"suppression/{name}" for name in inner})
    for tensor in rule.initializer:
        tensor.name = f"suppression/{tensor.name}"
    for node in rule.node:
        node.name = f"suppression/{node.output[0]}"
    result.graph.node.extend(rule.node)
    result.graph.initializer.extend(rule.initializer)
    others = [port for name, port in outputs.items() if name not in ("boxes", "scores")]
    del result.graph.output[:]
    result.graph.output.extend([*rule.output, *others])
    batch, anchors, _ = outputs["boxes"].type.tensor_type.shape.dim
    for port in result.graph.output:
        dims = port.type.tensor_type.shape.dim
        dims[0].CopyFrom(batch)
        if port.name in ("boxes", "scores", "class_ids", *of_anchors):
            length = helper.make_tensor_value_info("", 1, [min(thresholds.max_det, anchors.dim_value) or "detections"])
            dims[1].CopyFrom(length.type.tensor_type.shape.dim[0])
    return result


def _rule(thresholds: Thresholds, opset: int) -> onnx.GraphProto:
    text = _RULE.replace("OPSET", str(opset))
    # The operator wants scores above its threshold, `to_vehicles` takes those that equal it.
    below = float(np.nextafter(np.float32(thresholds.conf), np.float32(0)))
    for word, value in (("CONF", below), ("IOU", thresholds.iou), ("MOST", thresholds.max_det)):
        text = text.replace(word, repr(value))
    return parser.parse_model(text).graph


def _rename(nodes: Iterable[onnx.NodeProto], names: Mapping[str, str]) -> None:
    for node in nodes:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]

"""Reads a TorchScript graph as weighted layers and who feeds whom; everything in between is looked through."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

_LOOKED_THROUGH = {  # what may stand between a parameter and its use without changing its values
    "aten::expand", "aten::expand_as", "aten::to", "aten::type_as", "aten::contiguous", "aten::detach", "aten::clone",
}  # fmt: skip
_CONSTRUCTS = {"prim::TupleConstruct", "prim::ListConstruct"}
_TAKES = {"prim::TupleUnpack", "prim::ListUnpack", "prim::TupleIndex", "aten::__getitem__"}


class Parameter(NamedTuple):
    """A tensor of the file.

    Attributes:
        name: Its attribute path, ``model.0.conv.weight``; empty for a constant inside the graph.
        value: The tensor.
    """

    name: str
    value: Tensor


@dataclass(eq=False)
class Layer:
    """A convolution (a linear layer counts as a 1x1 one) or a normalisation that follows no convolution.

    Attributes:
        label: Kind, kernel, channels and stride; layers can only correspond when their labels are equal.
        parameters: By role: ``weight``, ``bias``; of a normalisation that follows: ``norm.weight``, ``norm.bias``,
            ``norm.running_mean``, ``norm.running_var``; constants around it: ``add`` (before), ``multiply`` (after).
        eps: The normalisation's epsilon.
        sources: The layers whose outputs reach this one's input, in the order in which the graph names them.
    """

    label: str
    parameters: dict[str, Parameter]
    eps: float = 0.0
    sources: list["Layer"] = field(default_factory=list, repr=False)

    @property
    def name(self) -> str:
        """What the file calls the layer, as far as it says."""
        path = self.parameters.get("weight", self.parameters.get("norm.weight", Parameter("", torch.empty(0)))).name
        return path.rpartition(".")[0] or "unnamed"


class LayerGraph:
    """The layers of a TorchScript module's forward method.

    Args:
        module: Traced or frozen, on the CPU.

    Attributes:
        layers: In order of execution.
        outputs: For every tensor the module returns, nested tuples flattened: the layers that reach it.
        branches: True where the graph has control flow, which this class cannot look into.
    """

    def __init__(self, module: torch.jit.ScriptModule) -> None:
        self._module = module
        graph = module.graph.copy()
        torch._C._jit_pass_inline(graph)
        self._made: dict[str, Layer] = {}
        self._reached: dict[str, list[Layer]] = {}
        self.branches = False
        for node in graph.nodes():
            self.branches |= any(True for _ in node.blocks())
            self._read(node)
        self.layers = list(dict.fromkeys(self._made.values()))
        self.outputs = [self._sources(leaf) for value in graph.outputs() for leaf in _leaves(value)]

    def _read(self, node: Any) -> None:
        """Makes a layer of the node, or adds it to the layer that it belongs to, or passes it over."""
        kind, inputs = node.kind(), list(node.inputs())
        if kind in ("aten::_convolution", "aten::conv2d", "aten::conv_transpose2d"):
            self._convolution(node, inputs)
        elif kind in ("aten::linear", "aten::matmul", "aten::mm", "aten::addmm"):
            self._linear(node, inputs)
        elif kind == "aten::batch_norm":
            self._norm(node, inputs)
        elif kind == "aten::mul":
            self._multiply(node, inputs)

    def _convolution(self, node: Any, inputs: list[Any]) -> None:
        weight = self._constant(inputs[1])
        if weight is None:
            return
        named = dict(zip(_argument_names(node), inputs, strict=True))
        transposed = "transpose" in node.kind() or ("transposed" in named and named["transposed"].toIValue())
        rows, columns = weight.value.shape[2:]
        c_out, c_in = weight.value.shape[:2][:: -1 if transposed else 1]
        groups, stride = named["groups"].toIValue(), _ints(named["stride"])[0]
        label = _label("deconv" if transposed else "conv", rows, columns, c_in * groups, c_out, stride)
        expected = [0, 0] if transposed else [rows // 2, columns // 2]
        padding, dilation = _ints(named["padding"]), _ints(named["dilation"])
        if padding not in (expected, expected[:1], ["same"]):
            label += f" padding {padding}"
        if set(dilation) != {1}:
            label += f" dilation {dilation}"
        if groups != 1:
            label += f" groups {groups}"
        self._add(node, label, inputs[0], weight, self._constant(inputs[2]))

    def _linear(self, node: Any, inputs: list[Any]) -> None:
        bias = None
        if node.kind() == "aten::linear":
            x, weight, bias = inputs[0], self._constant(inputs[1]), self._constant(inputs[2])
        else:
            if node.kind() == "aten::addmm":
                bias = self._constant(inputs.pop(0))
            x, weight = inputs[0], self._constant(inputs[1])
            weight = weight and Parameter(weight.name, weight.value.t())
        if weight is not None and weight.value.ndim == 2:
            c_out, c_in = weight.value.shape
            self._add(node, _label("conv", 1, 1, c_in, c_out, 1), x, weight, bias)

    def _norm(self, node: Any, inputs: list[Any]) -> None:
        roles = ("norm.weight", "norm.bias", "norm.running_mean", "norm.running_var")
        found = [self._constant(value) for value in inputs[1:5]]
        parameters = {role: parameter for role, parameter in zip(roles, found, strict=True) if parameter is not None}
        if len(parameters) < len(roles):
            return
        eps = inputs[7].toIValue()
        before = self._made.get(inputs[0].debugName())
        if before is not None and "weight" in before.parameters and len(inputs[0].uses()) == 1 and before.eps == 0:
            before.parameters.update(parameters)
            before.eps = eps
            self._made[node.output().debugName()] = before
            return
        layer = Layer(f"norm {len(parameters['norm.weight'].value)}", parameters, eps, self._sources(inputs[0]))
        self._made[node.output().debugName()] = layer

    def _multiply(self, node: Any, inputs: list[Any]) -> None:
        """A constant factor per channel belongs to the convolution before it."""
        for factor, x in (inputs[:2], inputs[1::-1]):
            constant, before = self._constant(factor), self._made.get(x.debugName())
            if constant is not None and constant.value.numel() > 1 and before is not None and before.eps == 0:
                before.parameters["multiply"] = constant
                self._made[node.output().debugName()] = before
                return

    def _add(self, node: Any, label: str, x: Any, weight: Parameter, bias: Parameter | None) -> None:
        parameters = {"weight": weight}
        if bias is not None:
            parameters["bias"] = bias
        if x.node().kind() == "aten::add":  # a constant offset per channel belongs to the convolution after it
            first, second = list(x.node().inputs())[:2]
            for constant, other in ((self._constant(first), second), (self._constant(second), first)):
                if constant is not None and constant.value.numel() > 1:
                    parameters["add"], x = constant, other
                    break
        self._made[node.output().debugName()] = Layer(label, parameters, sources=self._sources(x))

    def _constant(self, value: Any) -> Parameter | None:
        """The tensor that a value always has, or None when it depends on the input."""
        node = value.node()
        if node.kind() in _LOOKED_THROUGH:
            return self._constant(node.inputsAt(0))
        if node.kind() == "aten::t":
            found = self._constant(node.inputsAt(0))
            return found and Parameter(found.name, found.value.t())
        if node.kind() == "prim::Constant":
            constant = value.toIValue()
            return Parameter("", constant) if isinstance(constant, Tensor) else None
        if node.kind() != "prim::GetAttr":
            return None
        attribute, path = self._attribute(value)
        return Parameter(path, attribute) if isinstance(attribute, Tensor) else None

    def _attribute(self, value: Any) -> tuple[Any, str]:
        """What a chain of attribute accesses leads to, and its path."""
        if value.node().kind() != "prim::GetAttr":
            return self._module, ""
        owner, path = self._attribute(value.node().inputsAt(0))
        name = value.node().s("name")
        return getattr(owner, name), f"{path}.{name}" if path else name

    def _sources(self, value: Any) -> list[Layer]:
        """The layers whose outputs reach a value without another layer in between."""
        value = _origin(value)
        name = value.debugName()
        if name in self._made:
            return [self._made[name]]
        if name not in self._reached:
            reached = (layer for feed in _feeds(value) for layer in self._sources(feed))
            self._reached[name] = list(dict.fromkeys(reached))
        return self._reached[name]


def _label(kind: str, rows: int, columns: int, c_in: int, c_out: int, stride: int) -> str:
    return f"{kind} {rows}x{columns} {c_in}->{c_out}" + (f" stride {stride}" if stride != 1 else "")


def _argument_names(node: Any) -> list[str]:
    """The names of an operator's arguments, from its schema ``aten::f(Tensor input, int[] stride) -> Tensor``."""
    return [argument.name for argument in torch._C.parse_schema(node.schema()).arguments]


def _ints(value: Any) -> list[Any]:
    if value.node().kind() == "prim::ListConstruct":
        return [item.toIValue() for item in value.node().inputs()]
    constant = value.toIValue()
    return list(constant) if isinstance(constant, list | tuple) else [constant]


def _leaves(value: Any) -> Iterator[Any]:
    """The tensors of a nested tuple or list, in order."""
    value = _origin(value)
    if value.node().kind() in _CONSTRUCTS:
        for item in value.node().inputs():
            yield from _leaves(item)
    else:
        yield value


def _feeds(value: Any) -> list[Any]:
    """The tensors (or collections of tensors) that a value is computed from."""
    return [item for item in value.node().inputs() if "Tensor" in item.type().annotation_str]


def _origin(value: Any) -> Any:
    """The item itself where a value is taken out of a tuple or list that was made of known items; else the value."""
    node = value.node()
    if node.kind() not in _TAKES:
        return value
    container = _origin(node.inputsAt(0)).node()
    if container.kind() not in _CONSTRUCTS:
        return value
    if node.kind() in ("prim::TupleUnpack", "prim::ListUnpack"):
        position = [output.debugName() for output in node.outputs()].index(value.debugName())
    else:
        position = node.inputsAt(1).toIValue()
    return _origin(list(container.inputs())[position])

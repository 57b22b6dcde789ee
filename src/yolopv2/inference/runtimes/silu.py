"""SiLU by a polynomial, in graphs that compute in bfloat16.

An engine's own ``x * sigmoid(x)`` takes an exponential and a division for every value, more time than the convolution
before it where that is thin. Where results are rounded to eight bits a polynomial serves as well, in half of the time.
"""

from typing import Any

import numpy as np

_BOUND = 8.0
"""Beyond it the sigmoid is taken to be 0 or 1."""

LEAST = 240_000
"""Values of a layer from which the time that is spared is worth the memory that its code takes."""

COEFFICIENTS = (1.9799109, -9.502128, 43.310547, -141.72011, 311.08035, -441.34586, 385.77844, -188.21323, 39.132065)
"""Of the odd powers of x / `_BOUND`, for sigmoid(x) - 1/2 within the bound.

The minimax solution of degree 17 that is exactly 1/2 at the bound, by linear programming: of all polynomials the one
whose largest error of ``x * sigmoid(x)`` is least, where an error at the bound counts a third of one below 5.
"""


def polynomial_silu(model: Any, opset: Any, least: int = LEAST) -> int:
    """Replaces ``x * sigmoid(x)`` in a graph, in place, by what differs from it by less than 0.003.

    A graph in 8 bits stays as it is: it gains little, and takes memory for every layer all the same.

    Args:
        model: An ``openvino.Model``.
        opset: OpenVINO's operations, such as ``openvino.opset13``.
        least: Layers of fewer values, and those of unknown size, stay.

    Returns:
        How many it replaced.
    """
    operations = model.get_ordered_ops()
    if any(operation.get_type_name() == "FakeQuantize" for operation in operations):
        return 0
    numbers = [opset.constant(np.float32(value)) for value in (1 / _BOUND, 0.5, *COEFFICIENTS)]
    count = 0
    for product in operations:
        if product.get_type_name() != "Multiply":
            continue
        x, gate = product.input_value(0), product.input_value(1)
        if gate.get_node().get_type_name() != "Sigmoid":
            x, gate = gate, x
        sigmoid, shape = gate.get_node(), product.get_output_partial_shape(0)
        if shape.is_dynamic or np.prod(shape.to_shape()) < least:
            continue
        if sigmoid.get_type_name() == "Sigmoid" and sigmoid.input_value(0) == x:
            silu = _silu(x, numbers, opset)
            silu.set_friendly_name(product.get_friendly_name())
            product.output(0).replace(silu.output(0))
            count += 1
    return count


def _silu(x: Any, numbers: list[Any], opset: Any) -> Any:
    """``x * (1/2 + t * p(t * t))`` with ``t`` the bounded x; p by Horner's scheme."""
    scale, half, *lower, value = numbers
    t = opset.multiply(opset.clamp(x, -_BOUND, _BOUND), scale)
    square = opset.multiply(t, t)
    for coefficient in reversed(lower):
        value = opset.add(opset.multiply(value, square), coefficient)
    return opset.multiply(x, opset.add(opset.multiply(t, value), half))

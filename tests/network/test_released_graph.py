"""`base` is the released network: the same graph, layer by layer.

The table holds the facts of the public export of the released file: one line per convolution with what follows it,
and one per concatenation or pooling, in the export's order. ``< a b`` names the lines of the inputs, in order.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from yolopv2.network import Network, fuse

TABLE = """
0: input
# stem, to stride 4
1: conv 3x3 3->32, silu < 0
2: conv 3x3 32->64 /2, silu < 1
3: conv 3x3 64->64, silu < 2
4: conv 3x3 64->128 /2, silu < 3
# ELAN
5: conv 1x1 128->64, silu < 4
6: conv 1x1 128->64, silu < 4
7: conv 3x3 64->64, silu < 6
8: conv 3x3 64->64, silu < 7
9: conv 3x3 64->64, silu < 8
10: conv 3x3 64->64, silu < 9
11: cat < 10 8 6 5
12: conv 1x1 256->256, silu < 11
# down to stride 8
13: maxpool 2 /2 < 12
14: conv 1x1 256->128, silu < 13
15: conv 1x1 256->128, silu < 12
16: conv 3x3 128->128 /2, silu < 15
17: cat < 16 14
# ELAN: P3
18: conv 1x1 256->128, silu < 17
19: conv 1x1 256->128, silu < 17
20: conv 3x3 128->128, silu < 19
21: conv 3x3 128->128, silu < 20
22: conv 3x3 128->128, silu < 21
23: conv 3x3 128->128, silu < 22
24: cat < 23 21 19 18
25: conv 1x1 512->512, silu < 24
# down to stride 16
26: maxpool 2 /2 < 25
27: conv 1x1 512->256, silu < 26
28: conv 1x1 512->256, silu < 25
29: conv 3x3 256->256 /2, silu < 28
30: cat < 29 27
# ELAN: P4
31: conv 1x1 512->256, silu < 30
32: conv 1x1 512->256, silu < 30
33: conv 3x3 256->256, silu < 32
34: conv 3x3 256->256, silu < 33
35: conv 3x3 256->256, silu < 34
36: conv 3x3 256->256, silu < 35
37: cat < 36 34 32 31
38: conv 1x1 1024->1024, silu < 37
# down to stride 32
39: maxpool 2 /2 < 38
40: conv 1x1 1024->512, silu < 39
41: conv 1x1 1024->512, silu < 38
42: conv 3x3 512->512 /2, silu < 41
43: cat < 42 40
# ELAN
44: conv 1x1 1024->256, silu < 43
45: conv 1x1 1024->256, silu < 43
46: conv 3x3 256->256, silu < 45
47: conv 3x3 256->256, silu < 46
48: conv 3x3 256->256, silu < 47
49: conv 3x3 256->256, silu < 48
50: cat < 49 47 45 44
51: conv 1x1 1024->1024, silu < 50
# SPPCSPC: P5
52: conv 1x1 1024->512, silu < 51
53: conv 3x3 512->512, silu < 52
54: conv 1x1 512->512, silu < 53
55: maxpool 5 < 54
56: maxpool 9 < 54
57: maxpool 13 < 54
58: cat < 54 55 56 57
59: conv 1x1 2048->512, silu < 58
60: conv 3x3 512->512, silu < 59
61: conv 1x1 1024->512, silu < 51
62: cat < 60 61
63: conv 1x1 1024->512, silu < 62
# top-down: F4, the drivable head's tap
64: conv 1x1 512->256, silu, up 2 < 63
65: conv 1x1 1024->256, silu < 38
66: cat < 65 64
# ELAN-W: T4
67: conv 1x1 512->256, silu < 66
68: conv 1x1 512->256, silu < 66
69: conv 3x3 256->128, silu < 68
70: conv 3x3 128->128, silu < 69
71: conv 3x3 128->128, silu < 70
72: conv 3x3 128->128, silu < 71
73: cat < 72 71 70 69 68 67
74: conv 1x1 1024->256, silu < 73
# top-down: F3, the lane head's tap
75: conv 1x1 256->128, silu, up 2 < 74
76: conv 1x1 512->128, silu < 25
77: cat < 76 75
# ELAN-W: N3
78: conv 1x1 256->128, silu < 77
79: conv 1x1 256->128, silu < 77
80: conv 3x3 128->64, silu < 79
81: conv 3x3 64->64, silu < 80
82: conv 3x3 64->64, silu < 81
83: conv 3x3 64->64, silu < 82
84: cat < 83 82 81 80 79 78
85: conv 1x1 512->128, silu < 84
# bottom-up to stride 16
86: maxpool 2 /2 < 85
87: conv 1x1 128->128, silu < 86
88: conv 1x1 128->128, silu < 85
89: conv 3x3 128->128 /2, silu < 88
90: cat < 89 87 74
# ELAN-W: N4
91: conv 1x1 512->256, silu < 90
92: conv 1x1 512->256, silu < 90
93: conv 3x3 256->128, silu < 92
94: conv 3x3 128->128, silu < 93
95: conv 3x3 128->128, silu < 94
96: conv 3x3 128->128, silu < 95
97: cat < 96 95 94 93 92 91
98: conv 1x1 1024->256, silu < 97
# bottom-up to stride 32
99: maxpool 2 /2 < 98
100: conv 1x1 256->256, silu < 99
101: conv 1x1 256->256, silu < 98
102: conv 3x3 256->256 /2, silu < 101
103: cat < 102 100 63
# ELAN-W: N5
104: conv 1x1 1024->512, silu < 103
105: conv 1x1 1024->512, silu < 103
106: conv 3x3 512->256, silu < 105
107: conv 3x3 256->256, silu < 106
108: conv 3x3 256->256, silu < 107
109: conv 3x3 256->256, silu < 108
110: cat < 109 108 107 106 105 104
111: conv 1x1 2048->512, silu < 110
# detection head
112: conv 3x3 128->256, silu < 85
113: conv 3x3 256->512, silu < 98
114: conv 3x3 512->1024, silu < 111
115: add parameter 256 < 112
116: conv 1x1 256->255, mul parameter 255 < 115
117: add parameter 512 < 113
118: conv 1x1 512->255, mul parameter 255 < 117
119: add parameter 1024 < 114
120: conv 1x1 1024->255, mul parameter 255 < 119
# drivable head
121: conv 3x3 512->256, silu, up 2 < 66
122: conv 1x1 256->64, silu < 121
123: conv 1x1 64->64, silu < 122
124: conv 3x3 64->64, silu < 123
125: conv 1x1 64->64 nobias < 124
126: conv 1x1 256->64 nobias < 121
127: cat, norm 128, leaky 0.1 < 125 126
128: conv 1x1 128->128, silu < 127
129: conv 3x3 128->64, silu, up 2 < 128
130: conv 3x3 64->32, silu, up 2 < 129
131: conv 3x3 32->16, silu < 130
132: conv 1x1 16->4, silu < 131
133: conv 1x1 4->4, silu < 132
134: conv 3x3 4->4, silu < 133
135: conv 1x1 4->4 nobias < 134
136: conv 1x1 16->4 nobias < 131
137: cat, norm 8, leaky 0.1 < 135 136
138: conv 1x1 8->8, silu, up 2 < 137
139: conv 3x3 8->2, sigmoid < 138
# lane head: channel attention
140: gap < 77
141: linear 256->512 nobias, silu < 140
142: linear 512->256 nobias, sigmoid < 141
143: mul < 142 77
144: add < 143 77
# lane head
145: conv 3x3 256->128, silu < 144
146: deconv 2x2 128->128 /2, silu < 145
147: conv 1x1 128->32, silu < 146
148: conv 1x1 32->32, silu < 147
149: conv 3x3 32->32, silu < 148
150: conv 1x1 32->32 nobias < 149
151: conv 1x1 128->32 nobias < 146
152: cat, norm 64, leaky 0.1 < 150 151
153: conv 1x1 64->64, silu < 152
154: conv 3x3 64->32, silu < 153
155: deconv 2x2 32->32 /2, silu < 154
156: conv 3x3 32->16, silu < 155
157: conv 1x1 16->4, silu < 156
158: conv 1x1 4->4, silu < 157
159: conv 3x3 4->4, silu < 158
160: conv 1x1 4->4 nobias < 159
161: conv 1x1 16->4 nobias < 156
162: cat, norm 8, leaky 0.1 < 160 161
163: conv 1x1 8->8, silu < 162
164: deconv 2x2 8->8 /2, silu < 163
165: conv 3x3 8->1, sigmoid < 164
"""
OUTPUTS = (116, 118, 120, 139, 165)  # detection at strides 8, 16, 32, drivable, lanes

SHARED = Path(__file__).parents[2].parent / "shared" / "reference" / "graph_signature.json"


class Node(NamedTuple):
    """An operation with its numbers, and the positions of its inputs in the list of nodes."""

    operation: str
    inputs: tuple[int, ...]


class Graph(NamedTuple):
    nodes: list[Node]
    outputs: tuple[int, ...]

    @property
    def convolutions(self) -> list[str]:
        return [node.operation for node in self.nodes if node.operation.startswith(("conv", "deconv"))]


def table_graph() -> Graph:
    nodes: list[Node] = []
    last_of_line: list[int] = []
    for line in TABLE.strip().splitlines():
        if line.startswith("#"):
            continue
        operations, _, inputs = line.partition(": ")[2].partition(" < ")
        feeds = tuple(last_of_line[int(i)] for i in inputs.split())
        for operation in operations.split(", "):
            nodes.append(Node(operation, feeds))
            feeds = (len(nodes) - 1,)
        last_of_line.append(len(nodes) - 1)
    return Graph(nodes, tuple(last_of_line[i] for i in OUTPUTS))


def shared_graph() -> Graph:
    """The machine-readable facts, where they are at hand, in the words of the table."""
    facts = json.loads(SHARED.read_text())
    entries = facts["nodes"]
    parameters = {entry["id"]: entry["channels"] for entry in entries if entry["op"] == "param"}
    position: dict[int, int] = {}
    nodes: list[Node] = []
    for entry in entries:
        if entry["id"] in parameters:
            continue
        position[entry["id"]] = len(nodes)
        offsets = [f" parameter {parameters[i]}" for i in entry["inputs"] if i in parameters]
        inputs = tuple(position[i] for i in entry["inputs"] if i not in parameters)
        nodes.append(Node(_words(entry) + "".join(offsets), inputs))
    return Graph(nodes, tuple(position[i] for i in facts["outputs"].values()))


def _words(entry: dict) -> str:
    operation = entry["op"]
    if operation in ("conv", "deconv"):
        assert entry["groups"] == 1
        assert entry["padding"] == (entry["kernel"] // 2 if operation == "conv" else 0)
        channels = f"{entry['in']}->{entry['out']}"
        return f"{operation} {entry['kernel']}x{entry['kernel']} {channels}{_stride(entry)}{_bias(entry['bias'])}"
    if operation == "linear":
        return f"linear {entry['in']}->{entry['out']}{_bias(entry['bias'])}"
    if operation == "maxpool":
        return f"maxpool {entry['kernel']}{_stride(entry)}"
    numbers = {"bn": "channels", "leaky": "slope", "up": "factor"}
    names = {"bn": "norm"}
    number = f" {entry[numbers[operation]]}" if operation in numbers else ""
    return names.get(operation, operation) + number


def _stride(entry: dict) -> str:
    return "" if entry["stride"] == 1 else f" /{entry['stride']}"


def _bias(there: bool) -> str:
    return "" if there else " nobias"


def differences(ours: Graph, theirs: Graph) -> Iterator[str]:
    """Walks both graphs from the outputs, in step; nothing is yielded when they are isomorphic."""
    pairs: dict[int, int] = {}
    queue = list(zip(ours.outputs, theirs.outputs, strict=True))
    while queue:
        a, b = queue.pop()
        first, second = ours.nodes[a], theirs.nodes[b]
        if pairs.get(a, b) != b:
            yield f"{a} is {b} and {pairs[a]}"
        elif a not in pairs:
            pairs[a] = b
            if first.operation != second.operation or len(first.inputs) != len(second.inputs):
                yield f"{a} {first} is not {b} {second}"
            queue.extend(zip(first.inputs, second.inputs, strict=False))
    if len(set(pairs.values())) != len(pairs):
        yield "two nodes of the one are one of the other"
    for graph, seen in ((ours, set(pairs)), (theirs, set(pairs.values()))):
        yield from (f"{i} {graph.nodes[i]} is not reached" for i in range(len(graph.nodes)) if i not in seen)


@pytest.fixture(scope="module")
def base(record) -> Graph:
    return recorded_graph(record, Network("base", classes=80))


def recorded_graph(record, network: Network) -> Graph:
    operations, outputs = record(fuse(network))
    return Graph([Node(*operation) for operation in operations], outputs)


def test_base_is_the_table(base):
    assert list(differences(base, table_graph())) == []
    assert base.convolutions == table_graph().convolutions
    assert len(base.convolutions) == 128


@pytest.mark.skipif(
    not SHARED.exists(), reason="the machine-readable facts of the release are not beside this checkout"
)
def test_the_table_is_the_released_graph(base):
    shared = shared_graph()
    assert list(differences(table_graph(), shared)) == []
    assert list(differences(base, shared)) == []
    assert shared.convolutions == table_graph().convolutions


def test_a_difference_would_be_seen(record):
    other = Network("base", classes=80)
    other.encoder.context.pools = other.encoder.context.pools[::-1]
    assert any("maxpool 5" in line for line in differences(recorded_graph(record, other), table_graph()))


@pytest.mark.parametrize(("classes", "parameters"), [(80, 38_954_661), (1, 38_528_535)])
def test_parameters(classes, parameters):
    with torch.device("meta"):
        network = Network("base", classes)
        assert sum(p.numel() for p in fuse(network).parameters()) == parameters


def test_training_form():
    with torch.device("meta"):
        assert sum(p.numel() for p in Network("base", 80).parameters()) == 39_670_680

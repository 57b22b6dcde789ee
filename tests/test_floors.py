"""The house stands: rooms import from the floors below them, and files stay short.

Imports are read from the syntax tree, those within functions included; those for type checkers alone do not count.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "src" / "yolopv2"

FLOORS = [
    {"errors"},
    {"files", "geometry"},
    {"scene", "web"},
    {"network", "media"},
    {"checkpoints", "inference", "data"},
    {"evaluation"},
    {"export", "training"},
    {"model"},
    {"benchmark", "serving", "ikomia"},
    {"studio"},
    {"cli"},
    {"__main__"},
]
"""From the ground up; a room imports from floors below its own, and from itself."""

TORCH_ROOMS = ("network/", "training/", "export/", "inference/runtimes/torch_runtime.py", "checkpoints/", "data/")
"""Where PyTorch may be imported; the core install has none."""

LONGEST = 400

FILES = sorted(ROOT.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def floor(name: str) -> int:
    return next(height for height, rooms in enumerate(FLOORS) if name in rooms)


def imported(path: Path) -> Iterator[str]:
    """Full names of the modules a file imports when it runs."""
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = path.parents[node.level - 1].relative_to(ROOT.parent).parts if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending += node.orelse
        else:
            pending += ast.iter_child_nodes(node)


def test_every_room_has_a_floor():
    unplaced = {room(path) for path in FILES} - set().union(*FLOORS) - {"__init__"}
    assert not unplaced, "place them in FLOORS and in docs/house.md"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_imports_only_from_below(path):
    if path == ROOT / "__init__.py":
        return  # the face, which reaches the rooms lazily
    for name in imported(path):
        package, _, rest = name.partition(".")
        if package != "yolopv2" or not rest:
            continue
        other = rest.split(".")[0]
        if other in {"__version__", room(path)}:
            continue
        assert floor(other) < floor(room(path)), f"{room(path)} must not import {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pytorch_is_imported_only_where_it_may_be(path):
    if path.relative_to(ROOT).as_posix().startswith(TORCH_ROOMS):
        return
    assert not [name for name in imported(path) if name.split(".")[0] == "torch"]


def test_files_are_short():
    lengths = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert not {path: length for path, length in lengths.items() if length > LONGEST}


def test_the_reader_of_imports_finds_them_wherever_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "room").mkdir()
    path = tmp_path / "room" / "a.py"
    path.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import hidden\nelse:\n    import shown\n"
        "def f():\n    with g():\n        from a.b import c\n"
        "try:\n    import x.y\nexcept ImportError:\n    from . import near\n"
        "from .. import far\n"
    )
    top = tmp_path.name
    found = {"typing.TYPE_CHECKING", "shown", "a.b.c", "x.y", f"{top}.room.near", f"{top}.far"}
    assert set(imported(path)) == found

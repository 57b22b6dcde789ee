"""The documentation says what is true: its commands exist, its links lead somewhere, its Python compiles."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from yolopv2.cli.main import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "recipes").rglob("*.md"))]
COMMAND = re.compile(r"(?:^|`)(yolopv2 [a-z][^`\n#]*)", re.MULTILINE)


def commands() -> list[str]:
    """Every command line of every page, up to its first gap of two spaces."""
    found = (match for page in PAGES for match in COMMAND.findall(page.read_text()))
    return sorted({re.split(r"\s{2,}", line)[0].strip() for line in found})


@pytest.mark.parametrize("line", commands())
def test_commands_and_their_options_exist(line: str) -> None:
    words = shlex.split(line)[1:]
    command: Any = get_command(app)
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, line
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    for word in words:
        if word.startswith("--"):
            assert word.split("=")[0] in known, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_compiles(page: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        compile(block, str(page), "exec")

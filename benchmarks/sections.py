"""The page of results: each benchmark replaces its own section and leaves the others."""

import re
from pathlib import Path

from yolopv2.files import write_text_atomic

RESULTS = Path(__file__).with_name("results.md")


def write_section(title: str, text: str, page: Path = RESULTS) -> None:
    """Puts a section into the page, in the place of the one with the same title, or at the end.

    Args:
        title: Its heading.
        text: What stands below.
        page: The page, which must exist.
    """
    section = f"## {title}\n\n{text.strip()}\n"
    old = page.read_text()
    pattern = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
    there = pattern.search(old) is not None
    new = pattern.sub(lambda _: f"{section}\n", old) if there else f"{old.rstrip()}\n\n{section}"
    write_text_atomic(page, new.rstrip() + "\n")

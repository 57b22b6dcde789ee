"""The page as it is written: nothing from elsewhere, every control named, every colour readable."""

import itertools
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import yolopv2.studio.app

PAGE = Path(yolopv2.studio.app.__file__).parent / "page"
FILES = sorted(path for path in PAGE.rglob("*") if path.suffix in (".html", ".css", ".js", ".svg"))
HTML = (PAGE / "index.html").read_text()
COLOURS = {
    name: pair
    for name, *pair in re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", (PAGE / "base.css").read_text())
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_are_short_and_load_nothing_from_elsewhere(path):
    text = path.read_text()
    assert len(text.splitlines()) < 400
    addresses = set(re.findall(r"https?://[\w.]+", text)) - {"http://www.w3.org"}  # SVG's name, not an address
    assert not addresses
    assert "@import" not in text


def test_every_module_that_is_imported_is_there():
    names = {path.name for path in PAGE.glob("*.js")}
    imported = set()
    for path in PAGE.glob("*.js"):
        imported |= set(re.findall(r'from "\./([\w.]+)"', path.read_text()))
    assert imported | {"main.js"} == names


class Controls(HTMLParser):
    """Collects the elements with what surrounds them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.texts: dict[int, str] = {}
        self._open: list[tuple[str, int]] = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs), [name for name, _ in self._open]))
        if tag not in ("meta", "link", "img", "input", "path", "rect", "br"):
            self._open.append((tag, len(self.found) - 1))

    def handle_endtag(self, tag):
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        for _, index in self._open:
            self.texts[index] = self.texts.get(index, "") + data


def controls() -> Controls:
    parser = Controls()
    parser.feed(HTML)
    return parser


def test_every_control_has_a_name():
    parser = controls()
    labelled = {attrs["for"] for tag, attrs, _ in parser.found if tag == "label" and "for" in attrs}
    for index, (tag, attrs, inside) in enumerate(parser.found):
        text = re.sub(r"[^\w]", "", parser.texts.get(index, ""))
        if tag == "button":
            assert text or attrs.get("aria-label"), attrs
        if tag in ("input", "select"):
            assert "label" in inside or attrs.get("id") in labelled or attrs.get("aria-label"), attrs
        if tag in ("canvas", "output", "ul", "section", "aside", "dialog"):
            assert {"aria-label", "aria-labelledby", "id"} & attrs.keys(), attrs
        if tag == "img":
            assert "alt" in attrs


def test_nothing_is_inline():
    for tag, attrs, _ in controls().found:
        assert "style" not in attrs
        assert not [name for name in attrs if name.startswith("on")]
        assert tag != "script" or "src" in attrs


def test_ids_are_unique_and_those_that_are_asked_for_exist():
    ids = [attrs["id"] for _, attrs, _ in controls().found if "id" in attrs]
    assert len(ids) == len(set(ids))
    asked = set()
    for path in PAGE.glob("*.js"):
        asked |= set(re.findall(r'element\("([\w-]+)"\)', path.read_text()))
    assert asked - set(ids) == {"row-masks"}  # which panel.js makes


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    """WCAG 2's contrast ratio."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


GROUNDS = ("ground", "surface", "raised", "stage")
TEXTS = [*itertools.product(("ink", "soft", "accent"), GROUNDS), ("on-accent", "accent"), ("alarm", "alarm-ground")]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read(theme):
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    poor = {pair: contrast(*(COLOURS[name][theme] for name in pair)) for pair in TEXTS}
    assert not {pair: ratio for pair, ratio in poor.items() if ratio < 4.5}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_controls_can_be_told_from_their_ground(theme):
    for ground in ("surface", "ground"):
        assert contrast(COLOURS["edge"][theme], COLOURS[ground][theme]) >= 3

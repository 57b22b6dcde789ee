"""The report: one HTML page of an evaluation or a comparison, which loads nothing and runs nothing."""

import os
from pathlib import Path
from typing import Any

import yolopv2
from yolopv2.errors import MissingExtra
from yolopv2.evaluation.compare import Comparison
from yolopv2.evaluation.report.comparison import comparison_page
from yolopv2.evaluation.report.gallery import Group
from yolopv2.evaluation.report.page import evaluation_page
from yolopv2.evaluation.result import Evaluation
from yolopv2.files import write_text_atomic

_TEMPLATES = Path(__file__).parent / "templates"


def write_report(path: str | os.PathLike[str], evaluation: Evaluation, gallery: list[Group] | None = None) -> None:
    """Writes the page of an evaluation.

    Args:
        path: The HTML file.
        evaluation: What was measured.
        gallery: The worst frames, see `yolopv2.evaluation.report.gallery.picture_frames`.

    Raises:
        MissingExtra: It needs the extra ``evaluate``.
        YolopError: The file cannot be written.
    """
    write_text_atomic(path, render("evaluation.html.j2", evaluation_page(evaluation, gallery or [])))


def write_comparison(path: str | os.PathLike[str], comparison: Comparison, names: tuple[str, str]) -> None:
    """Writes the page of a comparison.

    Args:
        path: The HTML file.
        comparison: Of two evaluations.
        names: What they are called.

    Raises:
        MissingExtra: It needs the extra ``evaluate``.
        YolopError: The file cannot be written.
    """
    write_text_atomic(path, render("comparison.html.j2", comparison_page(comparison, names)))


def require_jinja() -> None:
    """Asks for the template engine, so that its absence is told before long work and not after it.

    Raises:
        MissingExtra: It needs the extra ``evaluate``.
    """
    try:
        import jinja2  # noqa: F401
    except ImportError:
        raise MissingExtra("evaluate", "A report") from None


def render(template: str, page: dict[str, Any]) -> str:
    """A page as HTML; whatever comes from outside is escaped.

    Args:
        template: Its name.
        page: What the template shows.

    Raises:
        MissingExtra: It needs the extra ``evaluate``.
    """
    require_jinja()
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(page, version=yolopv2.__version__)

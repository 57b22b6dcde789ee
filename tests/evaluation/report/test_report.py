"""The page as a browser's parser sees it."""

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from yolopv2.errors import MissingExtra
from yolopv2.evaluation.compare import compare_evaluations
from yolopv2.evaluation.evaluate import evaluate
from yolopv2.evaluation.report import render, write_comparison, write_report
from yolopv2.evaluation.report.gallery import picture_frames
from yolopv2.evaluation.result import Evaluation
from yolopv2.evaluation.robustness import measure_robustness
from yolopv2.evaluation.speed import measure_speed

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>{{ 7*7 }}"

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Elements with their attributes, and the text; open elements must be closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def ids(self) -> list[str]:
        return [str(attributes["id"]) for _, attributes in self.elements if "id" in attributes]


@pytest.fixture
def measured(painted, listed, street) -> Iterator[tuple[Evaluation, list]]:
    dataset = listed([street(seed, attributes={"weather": ["rainy", "clear"][seed % 2]}) for seed in range(6)])
    predictor = painted()
    plain = evaluate(predictor, dataset)
    full = replace(
        plain,
        command="yolopv2 evaluate nano data.yaml",
        robustness=measure_robustness(plain, predictor, dataset, ["fog"], 2),
        speed=measure_speed(predictor, dataset),
    )
    return full, picture_frames(full, predictor, dataset)


def read(path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def test_every_section_is_there_and_leads_somewhere(measured, tmp_path) -> None:
    write_report(tmp_path / "page.html", *measured)
    page = read(tmp_path / "page.html")
    wanted = [
        "headline",
        "vehicles",
        "masks",
        "confusion",
        "panoptic",
        "slices",
        "robustness",
        "speed",
        "worst",
        "made",
    ]
    assert page.ids == wanted
    assert [link["href"] for link in page.all("a")] == [f"#{name}" for name in wanted]
    evaluation = measured[0]
    low, high = evaluation.intervals["lane_iou"]
    for said in (
        f"{evaluation.metrics['ap50']:.3f}",
        f"{low:.3f} to {high:.3f}",
        "Protocol dataset",
        "yolopv2 evaluate nano data.yaml",
        "rainy",
        "fog",
        "Expected calibration error",
        "throughput",
    ):
        assert said in page.text


def test_it_loads_nothing_and_runs_nothing(measured, tmp_path) -> None:
    write_report(tmp_path / "page.html", *measured)
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    page = Page(html)
    assert not page.all("script")
    assert not page.all("link")
    assert not re.search(r"https?://|url\(|@import|javascript:", html)
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")]
    assert page.all("img")
    for image in page.all("img"):
        assert str(image["src"]).startswith("data:image/jpeg;base64,")
        assert image["alt"]


def test_charts_are_told_in_words_and_stay_inside_their_frame(measured, tmp_path) -> None:
    write_report(tmp_path / "page.html", *measured)
    page = read(tmp_path / "page.html")
    plots = [svg for svg in page.all("svg") if svg.get("role") == "img"]
    assert len(plots) == 2
    assert all(len(str(svg["aria-label"])) > 40 for svg in plots)
    assert all("aria-hidden" in svg for svg in page.all("svg") if svg.get("role") != "img")
    for line in page.all("polyline"):
        points = [tuple(map(float, pair.split(","))) for pair in str(line["points"]).split()]
        assert all(46 <= x <= 346 and 10 <= y <= 290 for x, y in points)
    assert len(page.all("caption")) == len(page.all("table"))


def test_what_comes_from_outside_is_escaped(painted, listed, street, tmp_path) -> None:
    samples = [street(seed, source=f"{HOSTILE}{seed}", attributes={HOSTILE: HOSTILE}) for seed in range(2)]
    names = {0: HOSTILE}
    dataset, predictor = listed([*samples, HOSTILE], names), painted(names=names)
    evaluation = evaluate(predictor, dataset)
    evaluation = replace(
        evaluation,
        command=HOSTILE,
        notes=(HOSTILE,),
        model={**evaluation.model, "weights": HOSTILE},
        data={**evaluation.data, "path": HOSTILE, "split": HOSTILE},
    )
    write_report(tmp_path / "page.html", evaluation, picture_frames(evaluation, predictor, dataset))
    write_comparison(tmp_path / "compared.html", compare_evaluations(evaluation, evaluation, 1000), (HOSTILE, HOSTILE))
    for name in ("page.html", "compared.html"):
        page = read(tmp_path / name)
        assert not page.all("script")
        assert all(str(image["src"]).startswith("data:") for image in page.all("img"))
        assert not any("onerror" in attributes for _, attributes in page.elements)
        assert HOSTILE in page.text


def test_tasks_without_labels_are_left_out_with_a_sentence(painted, listed, street, tmp_path) -> None:
    dataset = listed([street(0, boxes=None, class_ids=None)])
    write_report(tmp_path / "page.html", evaluate(painted(heads=("drivable",)), dataset))
    page = read(tmp_path / "page.html")
    assert page.ids == ["headline", "masks", "confusion", "panoptic", "slices", "made"]
    assert "Not measured: Lane markings, because no frame has such labels, or the network has no such head" in page.text
    assert "AP50" not in page.text


@pytest.mark.parametrize("protocol", ["yolop", "yolopv2", "hybridnets", "rmt-ppad-8px", "bdd100k-official"])
def test_every_protocol_has_a_page(protocol: str, painted, listed, street, tmp_path) -> None:
    evaluation = evaluate(painted(), listed([street(seed) for seed in range(3)]), protocol)
    write_report(tmp_path / "page.html", evaluation)
    assert f"Protocol {protocol}" in read(tmp_path / "page.html").text


def test_a_page_is_made_of_a_saved_evaluation_as_of_a_fresh_one(measured, tmp_path) -> None:
    evaluation, gallery = measured
    evaluation.save(tmp_path / "e.json")
    write_report(tmp_path / "fresh.html", evaluation, gallery)
    write_report(tmp_path / "saved.html", Evaluation.load(tmp_path / "e.json"), gallery)
    assert (tmp_path / "fresh.html").read_text() == (tmp_path / "saved.html").read_text()


def test_a_comparison_is_told_in_words(painted, listed, street, tmp_path) -> None:
    dataset = listed([street(seed) for seed in range(8)])
    good, blind = evaluate(painted(), dataset), evaluate(painted(boxes=[(0, 0, 5, 5)]), dataset)
    write_comparison(tmp_path / "c.html", compare_evaluations(good, blind, 1000), ("good.json", "blind.json"))
    page = read(tmp_path / "c.html")
    assert "The second is worse: Vehicles, AP50." in page.text
    assert "No difference beyond the luck of the frames: Drivable area, mIoU" in page.text
    assert page.ids == ["differences", "curves", "made"]


def test_without_the_template_engine_the_extra_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtra, match=r'pip install "yolopv2\[evaluate\]"'):
        render("evaluation.html.j2", {})

"""The studio in a real browser: what people do with it."""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from yolopv2 import YOLOPv2
from yolopv2.data.synthetic import Drive, render_scene
from yolopv2.files import encode_image
from yolopv2.geometry.boxes import iou_matrix
from yolopv2.inference import Thresholds
from yolopv2.media import Frame, VideoWriter
from yolopv2.scene import palette
from yolopv2.studio.look import Look

SIZE = 320
FRAMES = 4
SEEN = "#numbers dd"
SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return render_scene(119, height=360, width=640).image


@pytest.fixture(scope="module")
def model() -> YOLOPv2:
    return YOLOPv2("nano", size=SIZE)


def give(page: Page, data: bytes, name: str = "street.png") -> None:
    """Gives the page a file, as if it were picked."""
    page.set_input_files("#files", files=[{"name": name, "mimeType": "application/octet-stream", "buffer": data}])


def give_picture(page: Page, image: np.ndarray) -> None:
    give(page, encode_image(image, ".png"))
    expect(page.locator("#vehicles li").first).to_be_visible(timeout=30_000)


def move(page: Page, slider: str, value: float) -> None:
    page.locator(f"#slider-{slider}").fill(str(value))


def canvas_pixels(page: Page, canvas: str = "#canvas-a") -> np.ndarray:
    """What a canvas shows, uint8 [H, W, 3]."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    address = page.evaluate("(name) => document.querySelector(name).toDataURL()", canvas)
    png = np.frombuffer(base64.b64decode(address.partition(",")[2]), np.uint8)
    return cv2.cvtColor(cv2.imdecode(png, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def green_share(pixels: np.ndarray) -> float:
    """Share of pixels in which green clearly leads, as where the drivable area is painted."""
    red, green, blue = (pixels[..., i].astype(int) for i in range(3))
    return float(((green > red + 12) & (green > blue + 4)).mean())


def number(page: Page, position: int) -> float:
    return float(page.locator(SEEN).nth(position).inner_text().rstrip(" %"))


def test_a_picture_is_seen_and_sliders_act_without_the_network(page, image, model, tmp_path, saved):
    give_picture(page, image)
    assert "street.png" in page.title()
    expect(page.locator("#speed")).to_contain_text("fps")
    scene = model(image)
    expect(page.locator(SEEN).first).to_have_text(str(len(scene.vehicles)))
    assert number(page, 1) == pytest.approx(100 * scene.drivable.mean(), abs=0.11)
    shown = canvas_pixels(page)
    assert (np.abs(shown.astype(int) - palette.SKY_BLUE).sum(axis=-1) < 12).sum() > 100  # boxes
    assert green_share(shown) > 0.05
    page.keyboard.press("3")
    assert green_share(canvas_pixels(page)) < 0.01
    expect(page.locator("#layer-drivable")).not_to_be_checked()
    page.keyboard.press("3")

    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for options in ({"conf": 0.6}, {"iou": 0.9, "conf": 0.1}, {"drivable_conf": 0.9, "lane_conf": 0.1}):
        for name, value in options.items():
            move(page, name, value)
    sliders = {"conf": 0.1, "iou": 0.9, "drivable_conf": 0.9, "lane_conf": 0.1}
    strict = model(image, **sliders)
    expect(page.locator(SEEN).first).to_have_text(str(len(strict.vehicles)))
    assert number(page, 1) == pytest.approx(100 * strict.drivable.mean(), abs=0.11)
    assert number(page, 2) == pytest.approx(100 * strict.lanes.mean(), abs=0.06)
    assert asked == []

    scene_file = saved(page, "#take-json", tmp_path)
    assert json.loads(scene_file.read_text()) == {**strict.to_dict(), "source": "street.png"}
    picture = cv2.imread(str(saved(page, "#take-png", tmp_path)))
    assert picture.shape == image.shape


def test_deciding_in_the_browser_is_deciding_in_the_library(page, image, model):
    frame = Frame(image, "street.png")
    (looked,) = model.predictor.look([image])
    looks = [Look.of(looked, frame, model.names, 1.0)]
    rng = np.random.default_rng(4)
    for classes in (1, 3):
        corners = rng.uniform(0, 500, (400, 2))
        boxes = np.concatenate([corners, corners + rng.uniform(5, 200, (400, 2))], axis=1).astype(np.float32)
        scores = rng.random(400, np.float32)
        order = np.argsort(-scores, kind="stable")
        vehicles = type(looks[0].vehicles)(boxes[order], scores[order], rng.integers(0, classes, 400))
        looks.append(Look(vehicles, None, None, looks[0].letterbox, {0: "a", 1: "b", 2: "c"}, 1.0))
    pairs = [(conf, iou) for conf in (0.05, 0.3, 0.61) for iou in (0.0, 0.2, 0.45, 0.7, 1.0)]
    for look in looks:
        kept = page.evaluate(
            """async ([candidates, pairs]) => {
              const { suppress } = await import("/page/decide.js");
              return pairs.map((pair) => suppress(candidates, ...pair).map((row) => candidates[row].slice(0, 4)));
            }""",
            [look.to_json()["candidates"], pairs],
        )
        for (conf, iou), boxes in zip(pairs, kept, strict=True):
            expected = look.decide(Thresholds(conf, iou), frame).vehicles.xyxy
            np.testing.assert_array_equal(np.array(boxes, np.float32).reshape(-1, 4), expected)


def test_a_vehicle_has_the_same_colour_in_both_panes(page):
    a, b, c = ({"x1": x, "y1": 0, "x2": x + 10, "y2": 10} for x in (0, 100, 200))
    found = page.evaluate(
        """async (panes) => {
          const { counterparts } = await import("/page/decide.js");
          return counterparts(...panes);
        }""",
        [[c, {**a, "x2": 12}, a, {**b, "x1": 106}], [a, b, c]],
    )
    assert found == [2, 0, None, None]  # each has one counterpart at most, and too small an overlap is none


def test_masks_in_the_browser_are_those_of_the_library(page, image, model):
    give_picture(page, image)
    for threshold in (0.2, 0.5, 0.83):
        browser = page.evaluate(
            """async (threshold) => {
              const { state } = await import("/page/state.js");
              const { decide } = await import("/page/decide.js");
              const sliders = { conf: 0.3, iou: 0.45, drivable_conf: threshold, lane_conf: threshold };
              const seen = decide(state.item.look, sliders);
              return [seen.drivable.on.join(""), seen.lanes.on.join("")];
            }""",
            threshold,
        )
        scene = model(image, drivable_conf=threshold, lane_conf=threshold)
        for mask, expected in zip(browser, (scene.drivable, scene.lanes), strict=True):
            on = np.frombuffer(mask.encode(), np.uint8).reshape(expected.shape) == ord("1")
            different = (on != expected).mean()
            assert different < 2e-4  # rounding at the edges


def test_instance_masks_are_read_and_shown(page):
    mask = np.zeros((40, 60), bool)
    mask[10:30, 20:41] = True
    mask[15, 25] = False
    from yolopv2.geometry.masks import rle_encode

    on = page.evaluate(
        """async (runs) => {
          const { decodeRuns } = await import("/page/decide.js");
          return Array.from(decodeRuns(runs).on);
        }""",
        rle_encode(mask),
    )
    np.testing.assert_array_equal(np.array(on, bool).reshape(mask.shape), mask)


def test_before_and_after_zoom_and_the_list_of_vehicles(page, image):
    give_picture(page, image)
    whole = green_share(canvas_pixels(page))
    page.keyboard.press("b")
    line = page.locator("#split")
    expect(line).to_have_attribute("aria-valuenow", "50")
    line.focus()
    page.keyboard.press("End")
    bare = green_share(canvas_pixels(page))
    page.keyboard.press("Home")
    assert bare < whole / 3
    assert green_share(canvas_pixels(page)) == pytest.approx(whole, abs=0.01)
    page.keyboard.press("b")
    expect(line).to_be_hidden()
    page.keyboard.press("+")
    expect(page.locator("#zoom")).to_have_text("140 %")
    page.keyboard.press("0")
    expect(page.locator("#zoom")).to_have_text("100 %")
    page.focus("#vehicles")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#tip")).to_contain_text("px")
    expect(page.locator("#vehicle-0")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#vehicles")).to_have_attribute("aria-activedescendant", "vehicle-1")
    page.keyboard.press("Escape")
    expect(page.locator("#tip")).to_be_hidden()


def run(code: str, folder: Path, shell: bool = False) -> str:
    """Runs what was copied, in a folder that holds the file."""
    python = str(Path(sys.executable).parent)
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PATH": f"{python}:{os.environ['PATH']}"}
    script = f'yolopv2() {{ python -m yolopv2 "$@"; }}\n{code}' if shell else code
    command = ["bash", "-ec", script] if shell else [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_copied_code_gives_what_is_seen(page, image, tmp_path, saved):
    give_picture(page, image)
    move(page, "conf", 0.15)
    move(page, "drivable_conf", 0.7)
    scene = json.loads(saved(page, "#take-json", tmp_path).read_text())
    (tmp_path / "street.png").write_bytes(encode_image(image, ".png"))
    page.click("#copy")
    expect(page.locator("#copy")).to_have_text("Copied")
    python = page.evaluate("navigator.clipboard.readText()")
    printed = [json.loads(line) for line in run(python, tmp_path).splitlines() if line.startswith("{")]
    assert printed == [scene]
    assert (tmp_path / "seen.png").is_file()
    page.click("#code-cli")
    page.click("#copy")
    run(page.evaluate("navigator.clipboard.readText()"), tmp_path, shell=True)
    lines = (tmp_path / "runs" / "predict" / "scenes.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [scene]


def test_two_models_side_by_side(page, image):
    give_picture(page, image)
    page.keyboard.press("c")
    expect(page.locator("#caption-b")).to_contain_text("fps", timeout=30_000)
    expect(page.locator("#caption-a")).to_contain_text("nano, 320 px")
    page.select_option("#size-b", "480")
    expect(page.locator("#caption-b")).to_contain_text("fps", timeout=30_000)
    assert green_share(canvas_pixels(page, "#canvas-b")) > 0.03
    first, second, caption = (
        page.locator(name).bounding_box() for name in ("#canvas-a", "#canvas-b", "#pane-b figcaption")
    )
    assert (first["width"], first["height"]) == (second["width"], second["height"])
    assert caption["y"] >= second["y"] + second["height"] - 0.5  # it hides nothing of the picture
    before = canvas_pixels(page, "#canvas-b")
    page.click("#zoom-in")
    page.click("#zoom-in")
    assert (canvas_pixels(page, "#canvas-b") != before).mean() > 0.2  # both panes move together
    page.keyboard.press("c")
    expect(page.locator("#pane-b")).to_be_hidden()
    page.select_option("#size", "480")
    expect(page.locator("#code")).to_contain_text("size=480", timeout=30_000)


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drive") / "drive.mp4"
    with VideoWriter(path, 10, 320, 180) as video:
        for sample in Drive(119, 10, 180, 320).frames(FRAMES):
            video.write(sample.image)
    return path


def test_a_video_from_upload_to_download(page, drive, model, tmp_path, saved):
    give(page, drive.read_bytes(), "drive.mp4")
    expect(page.locator("#clock")).to_contain_text(f"Frame 1 of {FRAMES}", timeout=30_000)
    expect(page.locator("#progress-text")).to_have_text("", timeout=60_000)
    scenes = list(model.stream(drive))
    expect(page.locator(SEEN).first).to_have_text(str(len(scenes[0].vehicles)))
    page.keyboard.press("ArrowRight")
    expect(page.locator("#clock")).to_contain_text(f"Frame 2 of {FRAMES} · 0.10 s")
    expect(page.locator(SEEN).first).to_have_text(str(len(scenes[1].vehicles)))
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#clock")).to_contain_text(f"Frame {FRAMES} of")
    plots = page.locator("#plots").bounding_box()
    page.mouse.click(plots["x"] + 100, plots["y"] + 30)
    expect(page.locator("#clock")).to_contain_text("Frame 1 of")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    expect(page.locator("#clock")).to_contain_text(f"Frame {FRAMES} of", timeout=20_000)
    expect(page.locator("#play")).to_have_attribute("aria-label", "Play")
    lines = saved(page, "#take-jsonl", tmp_path).read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{**scene.to_dict(), "source": "drive.mp4"} for scene in scenes]
    assert saved(page, "#take-mp4", tmp_path).read_bytes()[4:8] == b"ftyp"


def test_vehicles_of_a_video_keep_their_colours(page, drive, model):
    give(page, drive.read_bytes(), "drive.mp4")
    expect(page.locator("#clock")).to_contain_text(f"Frame 1 of {FRAMES}", timeout=30_000)
    expect(page.locator("#progress-text")).to_have_text("", timeout=60_000)
    boxes = [scene.vehicles.xyxy for scene in model.stream(drive)]
    colours, places = [], []
    for number, seen in enumerate(boxes):
        expect(page.locator("#clock")).to_contain_text(f"Frame {number + 1} of")
        expect(page.locator("#vehicles li")).to_have_count(len(seen))
        colours.append(page.locator("#vehicles li i").evaluate_all("(dots) => dots.map((dot) => dot.style.background)"))
        if number:
            overlap = iou_matrix(boxes[number - 1], seen)
            same = np.argwhere((overlap > 0.7) & (overlap == overlap.max(0)) & (overlap == overlap.max(1)[:, None]))
            assert all(colours[-2][before] == colours[-1][now] for before, now in same)
            places += [before != now for before, now in same]
        page.keyboard.press("ArrowRight")
    assert any(places)  # by their place in the list they would have changed


def test_a_generated_drive_and_the_live_region(page):
    page.locator(".seeds summary").click()
    page.fill("#seed", "119")
    page.fill("#frames", "2")
    page.click("#seeds button[value=drive]")
    expect(page.locator("#clock")).to_contain_text("of 2", timeout=60_000)
    expect(page.locator("#progress-text")).to_have_text("", timeout=60_000)
    said = re.compile(
        r"drive-119.mp4: 2 frames were looked at|Frame 1: \d+ vehicles?, drivable area .* %, lane markings .* %"
    )
    expect(page.locator("#live")).to_have_text(said, timeout=10_000)  # whichever was said last
    page.click("#code-cli")
    expect(page.locator("#code")).to_contain_text("yolopv2 data render drive-119.mp4 --frames 2 --seed 119")


def test_the_camera(page):
    page.click("#camera")
    expect(page.locator("#speed")).to_contain_text("fps", timeout=30_000)
    expect(page.locator("#code")).to_contain_text("model.stream(0)")
    page.click("#new")
    expect(page.locator("#empty")).to_be_visible()


def test_errors_are_sentences(page):
    give(page, b"this is text", "notes.jpg")
    expect(page.locator("#toast")).to_contain_text("notes.jpg: it is not an image but text.", timeout=20_000)
    page.click("#toast-close")
    expect(page.locator("#toast")).to_be_hidden()
    expect(page.locator("#empty")).to_be_visible()


def test_light_and_dark(open_page: Any):
    def ground(page: Page) -> str:
        return page.evaluate("getComputedStyle(document.documentElement).backgroundColor")

    light, dark = open_page(color_scheme="light"), open_page(color_scheme="dark")
    assert (ground(light), ground(dark)) == ("rgb(246, 246, 243)", "rgb(16, 18, 21)")
    light.keyboard.press("t")
    assert ground(light) == ground(dark)
    light.reload()
    assert ground(light) == ground(dark)


def test_a_phone(open_page: Any, image):
    page = open_page(360, 740, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    give_picture(page, image)
    page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.tap("#compare")
    expect(page.locator("#caption-b")).to_contain_text("fps", timeout=30_000)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    outside = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select")].filter((control) => {
          const { left, right, width } = control.getBoundingClientRect();
          return width > 1 && !control.closest(".tray") && (left < 0 || right > 361);
        }).map((control) => control.id)"""
    )
    assert outside == []


def test_the_keyboard_reaches_everything_and_shows_where_it_is(page):
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    reached = set()
    for _ in range(50):
        page.keyboard.press("Tab")
        name, outline = page.evaluate(
            """() => [document.activeElement.id, getComputedStyle(document.activeElement.type === "checkbox"
              ? document.activeElement.nextElementSibling : document.activeElement).outlineStyle]"""
        )
        if name:
            reached.add(name)
            assert outline != "none", name
    assert {
        "weights",
        "compare",
        "try-drive",
        "pick",
        "camera",
        "url",
        "layer-vehicles",
        "slider-conf",
        "copy",
    } <= reached

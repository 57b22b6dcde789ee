"""Workflows in a real browser: built, run, edited by keyboard, saved, loaded, and copied as Python."""

import base64
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from yolopv2.data.synthetic import render_scene
from yolopv2.files import encode_image
from yolopv2.ikomia import Workflow
from yolopv2.media import decode_image

SOURCE = Path(__file__).parents[2] / "src"
STREET = encode_image(render_scene(119, height=180, width=320).image, ".png")


Saved = Callable[[Page, str, Path], Path]


def open_workflow(page: Page) -> None:
    page.set_input_files("#files", files=[{"name": "street.png", "mimeType": "image/png", "buffer": STREET}])
    expect(page.locator("#vehicles li").first).to_be_visible(timeout=30_000)
    expect(page.locator("#live")).to_contain_text("drivable area")  # said once, after a moment
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("w")
    expect(page.locator("#box-0")).to_be_visible()


def run(page: Page) -> None:
    page.click("#flow-run")
    expect(page.locator("#box-0")).to_contain_text("ms", timeout=30_000)


def boxes(page: Page) -> list[str]:
    return page.locator(".box b").all_inner_texts()


def library(path: Path) -> Workflow:
    wf = Workflow()
    wf.load(path)
    return wf


def test_each_task_shows_what_the_library_gives(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saved: Saved
) -> None:
    open_workflow(page)
    assert boxes(page) == ["Input", "infer_yolop_v2", "filter", "draw", "write"]
    page.click("#box-1")
    page.fill("#parameter-confidence", "0.6")
    run(page)
    page.click("#flow-save")
    wf = library(saved(page, "#flow-save", tmp_path))
    monkeypatch.chdir(tmp_path)
    wf.run_on(array=decode_image(STREET).image)
    seen, kept = (wf.find_task(name, 0).get_output(1).get_objects() for name in ("infer_yolop_v2", "filter"))
    assert len(seen) > len(kept) > 0
    expect(page.locator("#box-0")).to_contain_text(f"{len(seen)} vehicle")
    expect(page.locator("#box-1")).to_contain_text(f"{len(kept)} vehicle")
    rows = page.locator("#flow-result table").first.locator("tbody tr")
    expect(rows).to_have_count(len(kept))
    expect(rows.first).to_contain_text(f"{100 * kept[0]['confidence']:.0f} %")
    shown = page.evaluate(
        """async () => {
          const picture = document.querySelector("#flow-result img");
          await picture.decode();
          const canvas = document.createElement("canvas");
          Object.assign(canvas, { width: picture.naturalWidth, height: picture.naturalHeight });
          canvas.getContext("2d").drawImage(picture, 0, 0);
          return canvas.toDataURL("image/png");
        }"""
    )
    picture = decode_image(base64.b64decode(shown.partition(",")[2])).image
    expected = wf.find_task("filter", 0).get_image_with_mask_and_graphics()
    assert np.abs(picture.astype(int) - expected).mean() < 5
    page.click("#box-3")
    with zipfile.ZipFile(saved(page, "#flow-files", tmp_path)) as files:
        assert set(files.namelist()) == {"street.jpg", "scenes.jsonl"}
        assert len(json.loads(files.read("scenes.jsonl"))["vehicles"]) == len(kept)


def test_a_click_on_a_box_counts_while_a_field_is_left(page: Page) -> None:
    open_workflow(page)
    page.fill("#flow-name", "near")
    page.click("#box-1")
    expect(page.locator("#parameter-confidence")).to_be_visible()
    page.fill("#parameter-confidence", "0.6")
    page.locator("#box-2 b").click(force=True)
    expect(page.locator("#box-2")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#box-1")).to_contain_text("confidence 0.6")
    expect(page.locator("#flow-name")).to_have_value("near")


def test_the_copied_python_does_the_same(page: Page, tmp_path: Path, saved: Saved) -> None:
    open_workflow(page)
    page.click("#box-1")
    page.fill("#parameter-confidence", "0.6")
    page.click("#box-0")
    page.locator("#task-add").get_by_text("draw").click()  # before the filter, so what is kept must go round it
    page.click("#box-3")
    page.select_option("#input-1", label="infer_yolop_v2")
    run(page)
    with zipfile.ZipFile(saved(page, "#flow-files", tmp_path)) as files:
        scene = json.loads(files.read("scenes.jsonl"))
    page.click("#flow-copy")
    expect(page.locator("#flow-copy")).to_have_text("Copied")
    code = page.evaluate("navigator.clipboard.readText()")
    assert "connect_tasks(looked, written, [(1, 1)])" in code
    (tmp_path / "street.png").write_bytes(STREET)
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "runs" / "workflow" / "scenes.jsonl").read_text()) == scene


def test_it_is_edited_by_keyboard_alone(page: Page) -> None:
    open_workflow(page)
    page.focus("#box-1")
    page.keyboard.press("Enter")
    expect(page.locator("#task-title")).to_have_text("filter")
    page.focus("#task-later")
    page.keyboard.press("Enter")
    assert boxes(page) == ["Input", "infer_yolop_v2", "draw", "filter", "write"]
    page.focus("#task-earlier")
    page.keyboard.press("Enter")
    assert boxes(page) == ["Input", "infer_yolop_v2", "filter", "draw", "write"]
    page.focus("#box-2")
    page.keyboard.press("Delete")
    assert boxes(page) == ["Input", "infer_yolop_v2", "filter", "write"]
    page.focus("#box--1")
    page.keyboard.press("Space")
    expect(page.locator("#task-title")).to_have_text("Input")
    page.locator("#task-add").get_by_text("draw").focus()
    page.keyboard.press("Enter")
    assert boxes(page)[1] == "draw"
    expect(page.locator("#live")).to_have_text("draw is chosen; 4 tasks")
    page.focus("#flow-run")
    page.keyboard.press("Enter")
    expect(page.locator("#box-0")).to_contain_text("ms", timeout=30_000)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("w")
    expect(page.locator("#panes")).to_be_visible()


def test_what_is_wrong_is_told_at_once(page: Page) -> None:
    open_workflow(page)
    page.click("#box-1")
    page.fill("#parameter-region", "1,2,3")
    page.keyboard.press("Tab")
    expect(page.locator("#task-error")).to_contain_text("3 numbers are neither a rectangle nor corners")
    page.fill("#parameter-region", "")
    page.keyboard.press("Tab")
    expect(page.locator("#task-error")).to_be_hidden()
    page.select_option("#input-1", label="nothing")
    expect(page.locator("#box-1")).to_contain_text("needs vehicles")
    page.click("#flow-run")
    expect(page.locator("#toast")).to_contain_text("is not connected", timeout=20_000)


def test_files_of_the_library_are_loaded_and_others_refused(page: Page, tmp_path: Path, saved: Saved) -> None:
    wf = Workflow("from the library")
    looked = wf.add_task(name="infer_yolop_v2", params={"input_size": 320}, auto_connect=True)
    kept = wf.add_task(name="filter", params={"min_area": 50}, auto_connect=True)
    wf.save(tmp_path / "a.json", exposed_params={kept: {"min_area": {"name": "area"}}})
    open_workflow(page)
    page.set_input_files("#flow-file", tmp_path / "a.json")
    expect(page.locator("#flow-name")).to_have_value("from the library")
    assert boxes(page) == ["Input", "infer_yolop_v2", "filter"]
    back = saved(page, "#flow-save", tmp_path)
    assert back.name == "from_the_library.json"
    assert json.loads(back.read_text()) == json.loads((tmp_path / "a.json").read_text())
    assert looked.name == "infer_yolop_v2"
    page.set_input_files("#flow-file", files=[{"name": "b.json", "mimeType": "application/json", "buffer": b"{}"}])
    expect(page.locator("#toast")).to_contain_text("is no workflow")
    assert boxes(page) == ["Input", "infer_yolop_v2", "filter"]


def test_any_edits_leave_a_sound_workflow(page: Page) -> None:
    """Whatever is added, moved, connected and removed, the library takes it."""
    wrong = page.evaluate(
        """async () => {
          const api = await import("/page/api.js");
          const made = await import("/page/flow.js");
          const specs = await api.workflowTasks();
          let seed = 7;
          const random = (below) => (seed = (seed * 16807) % 2147483647) % below;
          const any = (list) => list[random(list.length)];
          let flow = made.startingFlow(specs);
          for (let step = 0; step < 150; step++) {
            const ids = flow.tasks.map((task) => task.task_id);
            const id = ids.length ? any(ids) : made.ROOT;
            const before = JSON.stringify(flow);
            const what = ids.length > 9 ? 1 : random(ids.length ? 5 : 1);
            if (what === 0) flow = made.insertAfter(flow, specs, any([made.ROOT, ...ids]), any(specs).name).flow;
            if (what === 1) flow = made.remove(flow, specs, id);
            if (what === 2 && made.canMoveEarlier(flow, id)) flow = made.moveEarlier(flow, specs, id);
            if (what === 3 && made.childOf(flow, id) !== null) flow = made.moveLater(flow, specs, id);
            if (what === 4) {
              const { inputs } = made.specOf(flow, specs, id);
              const input = random(inputs.length);
              const offers = made.offersFor(flow, specs, id, input);
              const offer = offers.length ? any(offers) : null;
              flow = made.connect(flow, id, input, offer ? offer.source : null, offer?.output);
            }
            try {
              await api.workflowCheck(new Blob([JSON.stringify(flow)]));
            } catch (error) {
              return [what, error.message, before, JSON.stringify(flow)];
            }
          }
          return null;
        }"""
    )
    assert wrong is None


def test_a_batch_runs_through_it(page: Page, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(STREET)
    page.set_input_files("#folder", tmp_path)
    expect(page.locator("#batch-text")).to_contain_text("3 files", timeout=60_000)
    page.click("#workflow")
    run(page)
    page.click("#box-3")
    expect(page.locator("#flow-files")).to_contain_text("4 files")
    with page.expect_download() as download:
        page.click("#flow-files")
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as files:
        assert len(files.read("scenes.jsonl").splitlines()) == 3


def test_a_phone_shows_it_without_scrolling_sideways(open_page: Any) -> None:
    page = open_page(360, 740, has_touch=True, is_mobile=True)
    page.click("#workflow")
    expect(page.locator("#flow-hint")).to_contain_text("Open a picture")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    for number in range(4):
        box = page.locator(f"#box-{number}").bounding_box()
        assert 0 <= box["x"] <= 360 - box["width"]

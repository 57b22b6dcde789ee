"""Batches in a real browser: a folder is looked at, sorted, opened, decided anew, and taken away."""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from yolopv2 import YOLOPv2
from yolopv2.data.synthetic import Drive, render_scene
from yolopv2.files import write_image
from yolopv2.media import VideoWriter

SIZE = 320
SOURCE = Path(__file__).parents[2] / "src"
NAMES = ["road/2.png", "road/10.png", "road/far/1.png", "road/broken.jpg", "road/drive.mp4"]


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures, one of them broken, a folder, a video, and what is passed over."""
    road = tmp_path_factory.mktemp("batch") / "road"
    for name, seed in (("2.png", 119), ("10.png", 7), ("far/1.png", 33)):
        write_image(road / name, render_scene(seed, height=180, width=320).image)
    (road / "broken.jpg").write_bytes(b"this is text")
    (road / "notes.txt").write_bytes(b"this is text")
    (road / ".hidden.png").write_bytes((road / "2.png").read_bytes())
    with VideoWriter(road / "drive.mp4", 10, 320, 180) as video:
        for sample in Drive(119, 10, 180, 320).frames(3):
            video.write(sample.image)
    return road


def look_at(page: Page, folder: Path, files: int = len(NAMES)) -> None:
    page.set_input_files("#folder", folder)
    expect(page.locator("#batch-text")).to_contain_text(f"{files} files", timeout=60_000)
    expect(page.locator("#batch-progress")).to_be_hidden()


def names(page: Page) -> list[str]:
    return page.locator("#batch-rows button.file").evaluate_all("(rows) => rows.map((row) => row.title)")


def cells(page: Page, column: int) -> list[str]:
    return page.locator(f"#batch-rows tr:has(td:nth-child(5)) td:nth-child({column})").all_inner_texts()


def taken(page: Page, path: Path) -> zipfile.ZipFile:
    with page.expect_download(timeout=60_000) as download:
        page.click("#take-zip")
    assert download.value.suggested_filename == "road_seen.zip"
    download.value.save_as(path)
    return zipfile.ZipFile(path)


def test_a_folder_from_the_picker_to_the_archive(page: Page, road: Path, tmp_path: Path) -> None:
    look_at(page, road)
    assert names(page) == ["road/2.png", "road/10.png", "road/broken.jpg", "road/drive.mp4", "road/far/1.png"]
    expect(page.locator("#batch-text")).to_contain_text("1 could not be read")
    expect(page.locator("#batch-rows")).to_contain_text("it is not an image but text")
    model = YOLOPv2("nano", size=SIZE)
    scene = model(road / "2.png")
    assert cells(page, 2)[0] == str(len(scene.vehicles))
    page.fill("#slider-conf", "0.1")
    expect(page.locator("#batch-rows tr:first-child td").first).to_have_text(
        str(len(model(road / "2.png", conf=0.1).vehicles))
    )
    page.click("text=with pictures and videos drawn")
    page.click("#row-masks .switch")
    with taken(page, tmp_path / "seen.zip") as archive:
        drawn = {"road/2.jpg", "road/10.jpg", "road/far/1.jpg", "road/drive.mp4"}
        assert set(archive.namelist()) == {*drawn, "scenes.jsonl", "summary.csv"}
        rows = list(csv.DictReader(io.StringIO(archive.read("summary.csv").decode())))
        lines = [json.loads(line) for line in archive.read("scenes.jsonl").splitlines()]
    assert [row["file"] for row in rows] == names(page)

    page.click("#code-cli")
    command = page.locator("#code").inner_text()
    assert command == f"yolopv2 predict road --size {SIZE} --conf 0.1\n"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    words = [sys.executable, "-m", *command.split()]
    done = subprocess.run(words, cwd=road.parent, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stderr  # one could not be read
    written = (road.parent / "runs" / "predict" / "scenes.jsonl").read_text().splitlines()
    assert lines == [json.loads(line) for line in written]  # the same scenes, in the same order


def test_sorting_opening_and_going_back_by_keyboard(page: Page, road: Path) -> None:
    look_at(page, road)
    vehicles = page.locator("#sort-vehicles")
    vehicles.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#batch-head th").nth(1)).to_have_attribute("aria-sort", "descending")
    counts = [float(text) for text in cells(page, 2)]
    assert counts == sorted(counts, reverse=True)
    page.keyboard.press("Enter")
    assert [float(text) for text in cells(page, 2)] == counts[::-1]
    assert names(page)[-1] == "road/broken.jpg"  # what has no number comes last
    page.click("#sort-name")
    page.locator("#batch-rows button.file").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#vehicles li").first).to_be_visible(timeout=30_000)
    assert "10.png" in page.title()
    page.click("#back")
    expect(page.locator("#batch")).to_be_visible()
    assert page.evaluate("document.activeElement.title") in ("road/10.png", "road/2.png")
    page.keyboard.press("Enter")
    expect(page.locator("#stage")).to_be_visible()
    page.locator("#tray button").first.click()
    expect(page.locator("#batch")).to_be_visible()


def test_cancelled_it_goes_on_where_it_was(page: Page, road: Path) -> None:
    page.evaluate(
        """async () => {
          const { openBatch } = await import("/page/batch.js");
          const { looseFiles } = await import("/page/folder.js");
          const canvas = new OffscreenCanvas(320, 180);
          canvas.getContext("2d").fillRect(0, 0, 320, 180);
          const blob = await canvas.convertToBlob({ type: "image/png" });
          const files = Array.from({ length: 60 }, (_, number) => new File([blob], `${number}.png`));
          openBatch(looseFiles(files));
        }"""
    )
    expect(page.locator("#batch-rows tr").nth(3)).to_be_visible(timeout=30_000)
    page.click("#batch-cancel")
    expect(page.locator("#batch-on")).to_be_visible(timeout=20_000)
    expect(page.locator("#batch-text")).to_contain_text("of 60")
    page.click("#batch-on")
    expect(page.locator("#batch-text")).to_contain_text("60 files", timeout=60_000)
    assert sorted(names(page), key=lambda name: int(name[:-4])) == [f"{number}.png" for number in range(60)]
    expect(page.locator("#code")).to_contain_text('model.stream("*.png")')


def test_thousands_of_rows_come_in_parts(page: Page) -> None:
    page.evaluate(
        """async () => {
          const { drawRows, updateRow } = await import("/page/table.js");
          const row = (number) => ({ number, name: `${number}.png`, state: "done", frames: 1, vehicles: number % 9,
            drivable: 0.1, lanes: null, milliseconds: 5 });
          const rows = Array.from({ length: 1200 }, (_, number) => [number, row(number)]);
          const item = { rows: new Map(rows), sort: null };
          document.getElementById("batch").hidden = false;
          drawRows(item, () => {});
          item.rows.set(1200, row(1200));
          updateRow(item, row(1200), () => {});
        }"""
    )
    rows, more = page.locator("#batch-rows tr"), page.locator("#batch-more")
    expect(rows).to_have_count(500)
    expect(more).to_have_text("Show 500 more of 701")
    more.focus()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1000)
    assert page.evaluate("document.activeElement.title") == "500.png"
    page.click("#sort-vehicles")
    expect(rows.first.locator("td").first).to_have_text("8")
    more.click()
    expect(rows).to_have_count(1201)
    expect(more).to_be_hidden()


def test_another_model_looks_again(page: Page, road: Path) -> None:
    look_at(page, road)
    expect(page.locator("#batch-anew")).to_be_hidden()
    page.select_option("#size", "480")
    page.click("#batch-anew")
    expect(page.locator("#batch-text")).to_contain_text(f"{len(NAMES)} files", timeout=60_000)
    expect(page.locator("#code")).to_contain_text("size=480")
    expect(page.locator("#batch-anew")).to_be_hidden()


def test_a_dropped_folder_is_walked_through(page: Page) -> None:
    """A browser lets no script drop a folder, so what it would give stands for it; parts of a folder come in turn."""
    found = page.evaluate(
        """async () => {
          const { droppedFolder } = await import("/page/folder.js");
          const last = (path) => path.split("/").at(-1);
          const given = (done) => done(new File(["x"], "x"));
          const file = (path) => ({ isFile: true, name: last(path), fullPath: path, file: given });
          const folder = (path, ...parts) => ({
            isDirectory: true, name: last(path), fullPath: path,
            createReader: () => { const left = [...parts, []]; return { readEntries: (done) => done(left.shift()) }; },
          });
          const sub = folder("/road/far", [file("/road/far/1.jpeg")]);
          const hidden = folder("/road/.git", [file("/road/.git/b.png")]);
          const parts = [[file("/road/10.png"), sub], [file("/road/2.png"), file("/road/a.txt"), hidden]];
          const transfer = (...entries) => ({ items: entries.map((entry) => ({ webkitGetAsEntry: () => entry })) });
          const { name, files } = await droppedFolder(transfer(folder("/road", ...parts)));
          const empty = await droppedFolder(transfer(folder("/empty"))).catch((error) => error.message);
          return [name, files.map(({ path }) => path), await droppedFolder(transfer(file("/a.png"))), empty];
        }"""
    )
    assert found == [
        "road",
        ["road/2.png", "road/10.png", "road/far/1.jpeg"],
        None,
        "There is no picture and no video in this folder.",
    ]


def test_a_phone_shows_it_without_scrolling_sideways(open_page: Any, road: Path) -> None:
    page = open_page(360, 740, has_touch=True, is_mobile=True)
    look_at(page, road)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    box = page.locator("#batch-rows td").first.bounding_box()
    assert box["x"] + box["width"] <= 360

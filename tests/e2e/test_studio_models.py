"""The studio's catalogue in a real browser: download, cancel, use."""

import dataclasses
import threading
from typing import Any

import pytest
from playwright.sync_api import expect

from yolopv2.checkpoints.catalogue import CATALOGUE
from yolopv2.data.synthetic import render_scene
from yolopv2.files import encode_image


@pytest.fixture
def page(open_page: Any, address_with_far: str) -> Any:
    return open_page(at=address_with_far)


def test_the_catalogue_tells_what_there_is(page: Any) -> None:
    page.click("#models")
    nano, official = page.locator("#entry-nano"), page.locator("#entry-official")
    expect(nano).to_contain_text("In use")
    expect(nano).to_contain_text("vehicles, drivable area, lane markings, instance masks")
    expect(nano).to_contain_text("BDD100K: research and non-profit use")
    expect(official.get_by_role("button")).to_have_text("Download 156 MB")
    expect(official).to_contain_text("CAIC-AD/YOLOPv2")
    page.keyboard.press("c")  # keys act on the page, not behind a dialog
    expect(page.locator("#compare")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Escape")
    expect(page.locator("#catalogue")).to_be_hidden()
    assert page.locator("#weights option").all_inner_texts() == ["nano"]


def test_a_model_is_downloaded_and_used(page: Any, far: threading.Event) -> None:
    page.click("#models")
    entry = page.locator("#entry-far")
    button = entry.get_by_role("button")
    button.click()
    expect(entry.locator("progress")).to_be_visible()
    expect(entry).to_contain_text("2.6 of 5.3 MB")
    expect(button).to_have_text("Cancel")
    expect(button).to_be_focused()
    page.reload()
    page.wait_for_selector("html[data-ready]")
    page.click("#models")  # it goes on, whatever page looks
    expect(entry.locator("progress")).to_be_visible()
    far.set()
    expect(button).to_have_text("Use", timeout=20_000)
    button.click()
    expect(page.locator("#catalogue")).to_be_hidden()
    expect(page.locator("#weights")).to_have_value("far")
    picture = encode_image(render_scene(119, height=180, width=320).image, ".png")
    page.set_input_files("#files", files=[{"name": "a.png", "mimeType": "image/png", "buffer": picture}])
    expect(page.locator("#vehicles li").first).to_be_visible(timeout=30_000)
    expect(page.locator("#code")).to_contain_text('YOLOPv2("far"')


def test_a_download_is_cancelled(page: Any, far: threading.Event) -> None:
    page.click("#models")
    button = page.locator("#entry-far").get_by_role("button")
    button.click()
    expect(button).to_have_text("Cancel")
    button.click()
    far.set()
    expect(button).to_have_text("Download 5.3 MB", timeout=20_000)
    expect(page.locator("#toast")).to_be_hidden()


def test_a_download_that_fails_says_why(page: Any, far: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CATALOGUE, "far", dataclasses.replace(CATALOGUE["far"], sha256="0" * 64))
    far.set()
    page.click("#models")
    entry = page.locator("#entry-far")
    entry.get_by_role("button").click()
    expect(entry.locator(".failure")).to_contain_text("another checksum", timeout=20_000)
    expect(entry.get_by_role("button")).to_have_text("Download 5.3 MB")

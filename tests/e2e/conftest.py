"""A studio on a free port, and a browser that looks at it."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="looking at the page needs playwright, of the extra 'dev'")
uvicorn = pytest.importorskip("uvicorn", reason="the studio needs the extra 'studio'")

SIZE = 320
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
FAKE_CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@contextmanager
def running_studio() -> Iterator[str]:
    """The address of a studio."""
    from yolopv2.studio import Settings, create_app
    from yolopv2.web import address_of, listen

    with listen("127.0.0.1", 0) as listening:
        server = uvicorn.Server(uvicorn.Config(create_app(Settings(size=SIZE)), log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield address_of(listening)
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """A running studio, whose generated pictures are small."""
    from yolopv2.data.synthetic import Drive, render_scene

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("yolopv2.studio.videos.Drive", partial(Drive, height=180, width=320))
        patch.setattr("yolopv2.studio.pictures.render_scene", partial(render_scene, height=180, width=320))
        with running_studio() as address:
            yield address


@pytest.fixture
def address_with_far(far: threading.Event) -> Iterator[str]:
    """A studio whose catalogue has weights that are to be downloaded."""
    with running_studio() as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here: install it, or name it in the variable CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *FAKE_CAMERA])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Opens the studio's page; what the page's code complains of fails the test."""
    contexts, errors = [], []

    def open_one(width: int = 1280, height: int = 800, at: str = address, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.grant_permissions(["clipboard-read", "clipboard-write", "camera"], origin=at)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if "Content Security" in message.text else None)
        page.goto(at)
        page.wait_for_selector("html[data-ready]")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def page(open_page: Callable[..., Any]) -> Any:
    return open_page()


@pytest.fixture
def saved() -> Callable[..., Path]:
    """Clicks a button that saves a file, and returns the file in a folder."""

    def save(page: Any, button: str, folder: Path) -> Path:
        with page.expect_download(timeout=60_000) as download:
            page.click(button)
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        return path

    return save

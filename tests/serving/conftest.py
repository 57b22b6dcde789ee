"""Services on real sockets: one with the bundled network, and quick ones with a network of a few lines."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")

import httpx

from yolopv2 import YOLOPv2
from yolopv2.data.synthetic import Drive, render_scene
from yolopv2.files import encode_image
from yolopv2.inference import Predictor
from yolopv2.inference.candidates import Candidates
from yolopv2.media import VideoWriter
from yolopv2.serving.application import create_app
from yolopv2.serving.server import Server
from yolopv2.serving.settings import Limits, Settings
from yolopv2.web import address_of, listen

SIZE = 320


class Runtime:
    """Sees one vehicle per canvas, as confident as the middle of the canvas is bright; slowly, or when it may."""

    names = {0: "car", 1: "truck"}  # noqa: RUF012
    description = "a runtime for tests"
    streams = 1

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds, self.batches = seconds, []
        self.may = threading.Event()
        self.may.set()

    def __call__(self, batch, alone=True):
        assert self.may.wait(30)
        time.sleep(self.seconds)
        count, height, width, _ = batch.shape
        self.batches.append(count)
        box = np.array([width * 0.4, height * 0.4, width * 0.6, height * 0.6], np.float32)
        scores = np.zeros((count, 1, 2), np.float32)
        scores[:, 0, 0] = batch[:, height // 2, width // 2, 0].astype(np.float32) / 255
        return Candidates(np.broadcast_to(box, (count, 1, 4)), scores, batch[..., 0], batch[..., 0])


def model_of(runtime: Runtime) -> YOLOPv2:
    model = YOLOPv2.__new__(YOLOPv2)
    model.predictor = Predictor(runtime, 64)
    return model


@contextmanager
def running(settings: Settings, model: YOLOPv2) -> Iterator[tuple[str, Server]]:
    """A service that runs in a thread, and its address."""
    app = create_app(settings, lambda weights: model)
    with listen("127.0.0.1", 0) as listening:
        server = Server(app, settings)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            deadline = time.monotonic() + 30
            while not server.started and thread.is_alive() and time.monotonic() < deadline:
                time.sleep(0.01)
            assert server.started
            yield address_of(listening), server
        finally:
            server.stop()
            thread.join(30)
            assert not thread.is_alive()


@pytest.fixture(scope="session")
def model() -> YOLOPv2:
    return YOLOPv2("nano", size=SIZE)


@pytest.fixture(scope="session")
def url(model, tmp_path_factory) -> Iterator[str]:
    """A service with the bundled network."""
    with running(Settings(jobs_folder=tmp_path_factory.mktemp("jobs")), model) as (address, _):
        yield address


@pytest.fixture
def http(url) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=20) as client:
        yield client


@pytest.fixture(scope="session")
def street() -> np.ndarray:
    """A generated street, uint8 RGB."""
    return render_scene(119).image


@pytest.fixture(scope="session")
def jpeg(street) -> bytes:
    return encode_image(street, ".jpg")


@pytest.fixture(scope="session")
def drive(tmp_path_factory) -> Path:
    """A video of six frames."""
    path = tmp_path_factory.mktemp("drive") / "drive.mp4"
    frames = [sample.image for sample in Drive(119, height=180, width=320).frames(6)]
    with VideoWriter(path, 10, 320, 180) as video:
        for frame in frames:
            video.write(frame)
    return path


@pytest.fixture(scope="session")
def grey() -> Callable[..., bytes]:
    """grey(brightness) -> a picture's file, in which `Runtime` sees a car with a confidence of ``brightness / 255``."""

    def grey(brightness: int, height: int = 64, width: int = 64) -> bytes:
        return encode_image(np.full((height, width, 3), brightness, np.uint8), ".png")

    return grey


@pytest.fixture
def runtime() -> Runtime:
    return Runtime()


@pytest.fixture
def start(runtime, tmp_path) -> Iterator[Callable[..., httpx.Client]]:
    """start(**settings) -> a client of a new service, `start.server`, which sees with the runtime of the test."""
    with ExitStack() as opened:

        def start(limits: dict[str, Any] | None = None, **settings: Any) -> httpx.Client:
            settings = {"jobs_folder": tmp_path / "jobs", **settings}
            service = running(Settings(limits=Limits(**limits or {}), **settings), model_of(runtime))
            address, start.server = opened.enter_context(service)
            return opened.enter_context(httpx.Client(base_url=address, timeout=20))

        yield start
        runtime.may.set()

"""What tests of several rooms share: a small untrained network with plausible numbers, and files made of it."""

import hashlib
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from yolopv2.inference.runtimes.openvino import OpenVinoRuntime
    from yolopv2.network import Network

NAMES = ["car", "truck"]


def pytest_configure() -> None:
    """Ctrl-C reaches commands under test even where the tests run in a shell's background, which ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def network() -> "Network":
    """A nano with two classes that sees something, though nothing sensible, in any frame."""
    torch = pytest.importorskip("torch")
    from yolopv2.network import Network
    from yolopv2.network.network import calibrate

    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = Network("nano", classes=len(NAMES))
    calibrate(network, torch.Generator().manual_seed(3))
    with torch.no_grad():
        for predict in network.detection.predict:
            predict.weight *= 0.3
            predict.bias.zero_()
    return network.eval()


@pytest.fixture(scope="session")
def nano_graph(network: "Network", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network as an exported graph."""
    from yolopv2.checkpoints.meta import CheckpointMeta
    from yolopv2.export.onnx import export_onnx

    path = tmp_path_factory.mktemp("graph") / "nano.onnx"
    export_onnx(network, path, CheckpointMeta.of(network, NAMES).to_dict(), half_weights=False)
    return path


@pytest.fixture(scope="session")
def nano_runtime(nano_graph: Path) -> "OpenVinoRuntime":
    """The graph in the core's engine; shared, because each size of canvas takes a while to compile."""
    from yolopv2.inference.runtimes.openvino import OpenVinoRuntime

    return OpenVinoRuntime(nano_graph)


@pytest.fixture(scope="session")
def nano_checkpoint(network: "Network", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same network as a checkpoint."""
    from yolopv2.checkpoints.meta import CheckpointMeta
    from yolopv2.checkpoints.weights import save_checkpoint

    path = tmp_path_factory.mktemp("checkpoint") / "nano.safetensors"
    save_checkpoint(network, path, CheckpointMeta.of(network, NAMES))
    return path


@pytest.fixture(scope="session")
def pictures() -> list[np.ndarray]:
    """Frames of several sizes and shapes with smooth and sharp content, uint8 RGB."""
    import cv2

    rng = np.random.default_rng(5)
    sizes = ((90, 160), (160, 90), (90, 160), (180, 320), (61, 203))
    coarse = [rng.integers(0, 256, (max(h // 8, 2), max(w // 8, 2), 3), dtype=np.uint8) for h, w in sizes]
    return [cv2.resize(c, (w, h), interpolation=cv2.INTER_CUBIC) for c, (h, w) in zip(coarse, sizes, strict=True)]


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests leave the user's cache alone, and start from an empty one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YOLOPV2_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[threading.Event]:
    """Puts weights called far into the catalogue, of which the second half comes once this event is set."""
    from yolopv2.checkpoints.catalogue import CATALOGUE, Entry

    weights, may_go_on = CATALOGUE["nano"].path.read_bytes(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(weights)))
            self.end_headers()
            self.wfile.write(weights[: len(weights) // 2])
            may_go_on.wait(60)
            self.wfile.write(weights[len(weights) // 2 :])

        def log_message(self, *_: object) -> None:
            """Says nothing."""

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                """The one who asked has gone."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        entry = Entry(
            name="far",
            variant="nano",
            description="from far away",
            source="the tests",
            licence="MIT",
            file="far.safetensors",
            url=f"http://127.0.0.1:{server.server_port}/far",
            size=len(weights),
            sha256=hashlib.sha256(weights).hexdigest(),
        )
        monkeypatch.setenv("YOLOPV2_CACHE", str(tmp_path / "cache"))
        monkeypatch.setitem(CATALOGUE, "far", entry)
        yield may_go_on
        may_go_on.set()
        server.shutdown()

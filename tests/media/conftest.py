"""Inputs that the media tests generate for themselves."""

import io
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def picture() -> np.ndarray:
    """A smooth, colourful RGB picture, 96 high and 128 wide, without any symmetry."""
    noise = np.random.default_rng(0).integers(0, 256, (96, 128, 3)).astype(np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)


@pytest.fixture(scope="session")
def encode() -> Callable[..., bytes]:
    """encode(array or PIL picture, format, **options) -> file content, by Pillow."""

    def encode(image: "np.ndarray | Image.Image", format: str, **options: object) -> bytes:
        buffer = io.BytesIO()
        (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(buffer, format, **options)
        return buffer.getvalue()

    return encode


@pytest.fixture(scope="session")
def files(picture: np.ndarray, encode: Callable[..., bytes]) -> dict[str, bytes]:
    """The picture as a file of every format that can be read, by Pillow's name of the format."""
    return {format: encode(picture, format) for format in ("JPEG", "PNG", "WebP", "TIFF", "BMP", "GIF", "PPM")}


@pytest.fixture(scope="session")
def make_video() -> Callable[..., Path]:
    """make_video(path, ...) -> path: frames that show their number as black and white squares (see `frame_number`)."""
    texture = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (480, 640, 3)).astype(np.uint8), (0, 0), 1)

    def make_video(
        path: Path,
        count: int = 50,
        size: tuple[int, int] = (128, 96),
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
        times: list[int] | None = None,
        rotation: tuple[float, bool] | None = None,
        faststart: bool = False,
    ) -> Path:
        """Write `count` frames at 25 fps, or at `times` in milliseconds."""
        with av.open(str(path), "w", options={"movflags": "+faststart"} if faststart else {}) as container:
            stream = container.add_stream(codec, rate=1000 if times else 25)
            stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
            stream.codec_context.gop_size = 10
            for number in range(count):
                image = np.roll(texture, (number * 53, number * 71), axis=(0, 1))[: size[1], : size[0]].copy()
                image[:24, :24] = (255, 0, 0)
                for bit in range(6):
                    image[-16:, 16 * bit : 16 * bit + 16] = 255 * (number >> bit & 1)
                frame = av.VideoFrame.from_ndarray(image)
                frame.pts = times[number] if times else number
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        if rotation:
            rotate(path, *rotation)
        return path

    return make_video


def rotate(path: Path, degrees: float, mirrored: bool) -> None:
    """Set an MP4's display matrix (ISO 14496-12, 8.3.2): turn counter-clockwise, then mirror left and right."""
    sine, cosine = round(np.sin(np.radians(degrees))), round(np.cos(np.radians(degrees)))
    side = -1 if mirrored else 1
    a, b, c, d = side * cosine, -sine, side * sine, cosine
    content = bytearray(path.read_bytes())
    start = content.index(b"tkhd") + 44
    one = 1 << 16
    struct.pack_into(">9i", content, start, a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    path.write_bytes(content)


@pytest.fixture(scope="session")
def frame_number() -> Callable[[np.ndarray], int]:
    """frame_number(image) -> which frame of `make_video` an upright image is."""
    return lambda image: sum(int(image[-8, 16 * bit + 8].mean() > 127) << bit for bit in range(6))


@pytest.fixture
def server() -> Iterator["Server"]:
    """A web server on this machine: `server.pages[path] = (content type, body or iterable)`; `server.url(path)`."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


class Server(ThreadingHTTPServer):
    """See the fixture `server`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, tuple[str, object]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests.append((self.path, dict(self.headers)))
        kind, body = self.server.pages.get(self.path, ("", None))
        if body is None:
            self.send_error(404)
        elif kind == "redirect":
            self.send_response(302)
            self.send_header("Location", str(body))
            self.end_headers()
        else:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            if isinstance(body, bytes):
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            for part in [body] if isinstance(body, bytes) else body:
                self.wfile.write(part)

    def log_message(self, *args: object) -> None:
        """Be quiet."""

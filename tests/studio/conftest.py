"""A studio with the bundled model at a small size, asked without a network."""

import json
from collections.abc import Callable, Iterator
from email import message_from_bytes
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the studio needs the extra 'studio'")
pytest.importorskip("httpx", reason="FastAPI's test client needs httpx")

import httpx
from fastapi.testclient import TestClient

from yolopv2.data.synthetic import render_scene
from yolopv2.files import encode_image
from yolopv2.studio import Settings, create_app
from yolopv2.studio.guard import SESSION_HEADER

SIZE = 320
CHOICE = {"weights": "nano", "size": SIZE}


class Studio:
    """One page's view of a studio."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.facts = client.post("/api/session", headers={SESSION_HEADER: "new"}).json()
        self.headers = {SESSION_HEADER: self.facts["session"]}

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        options.setdefault("params", CHOICE if method == "POST" else {})
        return self.client.request(method, path, headers={**self.headers, **options.pop("headers", {})}, **options)

    def open(self, data: bytes, name: str = "street.png") -> httpx.Response:
        headers = {"Content-Type": "application/octet-stream"}
        return self.ask("POST", "/api/sources", params={**CHOICE, "name": name}, content=data, headers=headers)

    def source(self, **source: Any) -> httpx.Response:
        return self.ask("POST", "/api/sources", json=source)


@pytest.fixture(scope="session")
def read_parts() -> Callable[[httpx.Response], dict[str, Any]]:
    """Gives the parts of an answer by name, facts as a dict; read by another program than the studio's own."""
    return _read_parts


@pytest.fixture(scope="session")
def choice() -> dict[str, Any]:
    return CHOICE


def _read_parts(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    parts = {}
    for part in message_from_bytes(head + answer.content).get_payload():
        payload = part.get_payload(decode=True)
        name = part.get_param("name", header="content-disposition")
        parts[name] = json.loads(payload) if name == "facts" else payload
    return parts


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(Settings(size=SIZE)), base_url="http://localhost:8765") as client:
        yield client


@pytest.fixture
def studio(client: TestClient) -> Studio:
    return Studio(client)


@pytest.fixture(scope="session")
def open_studio() -> Callable[[TestClient], Studio]:
    """Opens the page of another studio."""
    return Studio


@pytest.fixture(scope="session")
def street() -> bytes:
    """A generated street as a PNG."""
    return encode_image(render_scene(119, height=180, width=320).image, ".png")

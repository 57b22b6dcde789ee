"""Pictures by address: refused by default, and never from this machine's own network."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from yolopv2.media import public


@pytest.fixture
def cdn(jpeg):
    """The port of a web server on this machine, and the paths it was asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(jpeg)

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port, asked
        server.shutdown()
        thread.join()


def test_only_where_the_operator_allows_it_and_the_address_is_public(start, cdn, monkeypatch):
    port, asked = cdn
    http = start(url_hosts=(f"localhost:{port}",))

    def ask(url):
        return http.post("/v1/predict", json={"images": [{"url": url}]})

    for url, reason in (
        (f"http://localhost:{port}/a/street.jpg?size=2", "an address that is not public"),
        (f"http://127.0.0.1:{port}/a/street.jpg", "allows no such host"),
    ):
        answer = ask(url)
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("street.jpg: ")
        assert reason in answer.json()["detail"]
    assert not asked
    monkeypatch.setattr(public, "is_public", lambda address: True)
    answer = ask(f"http://localhost:{port}/a/street.jpg?size=2")
    assert answer.json()["scenes"][0]["source"] == "street.jpg"
    assert asked == ["/a/street.jpg?size=2"]

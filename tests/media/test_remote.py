"""Fetching from a web server on this machine."""

import base64
import socket

import pytest

from yolopv2.media import remote
from yolopv2.media.frame import Unreadable
from yolopv2.media.remote import fetch, serves_image


def test_fetch_and_content_type(server, files):
    server.pages["/x"] = ("image/png", files["PNG"])
    server.pages["/page"] = ("text/html; charset=utf-8", b"<html>")
    assert fetch(server.url("/x")) == files["PNG"]
    assert serves_image(server.url("/x"))
    assert not serves_image(server.url("/page"))
    assert not serves_image(server.url("/missing"))
    assert not serves_image("rtsp://127.0.0.1/x")


def test_redirections_lead_to_web_addresses_only(server, tmp_path):
    (tmp_path / "secret").write_text("secret")
    server.pages["/new"] = ("image/png", b"content")
    server.pages["/old"] = ("redirect", "/new")
    assert fetch(server.url("/old")) == b"content"
    server.pages["/loop"] = ("redirect", "/loop")
    for target in (f"file://{tmp_path}/secret", "ftp://127.0.0.1/x", "data:,x", "/loop"):
        server.pages["/bad"] = ("redirect", target)
        with pytest.raises(Unreadable, match="cannot be fetched"):
            fetch(server.url("/bad"))


def test_accounts_are_sent_to_their_host_alone(server):
    server.pages["/x"] = ("image/png", b"content")
    server.pages["/old"] = ("redirect", "/x")
    assert fetch(server.url("/old").replace("//", "//me:p%40ss@")) == b"content"
    first, second = (headers for _, headers in server.requests)
    assert base64.b64decode(first["Authorization"].removeprefix("Basic ")) == b"me:p@ss"
    assert "Authorization" not in second


def test_size_and_time_are_bounded(server, monkeypatch):
    server.pages["/endless"] = ("image/png", iter(lambda: bytes(1 << 16), None))
    with pytest.raises(Unreadable, match="larger than the 1 MiB"):
        fetch(server.url("/endless"), most_bytes=1 << 20)
    monkeypatch.setattr(remote, "_MOST_SECONDS", -1.0)
    server.pages["/slow"] = ("image/png", bytes(10))
    with pytest.raises(Unreadable, match="could not be fetched within"):
        fetch(server.url("/slow"))
    monkeypatch.setattr(remote, "TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Unreadable, match=r"timed out|no answer"):
        fetch(f"http://127.0.0.1:{silent.getsockname()[1]}/x.jpg")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/x.jpg", "refused"),
        ("http://no-such-host.invalid/x.jpg", "check the address and the network"),
        ("http:///x.jpg", "check the address"),
        ("http://[broken/x.jpg", "check the address"),
        ("http://127.0.0.1:99999999/x.jpg", "check the address"),
        ("http://127.0.0.1:port/x.jpg", "check the address"),
        ("http://a b/x.jpg", "check the address"),
    ],
)
def test_no_answer_is_one_clear_sentence(url, reason):
    with pytest.raises(Unreadable, match=reason) as caught:
        fetch(url)
    assert "\n" not in str(caught.value)
    assert not serves_image(url)


def test_errors_of_the_server(server):
    with pytest.raises(Unreadable, match="the server answered 404 Not Found"):
        fetch(server.url("/missing.jpg"))

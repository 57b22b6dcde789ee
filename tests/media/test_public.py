"""Strangers' addresses lead to public machines alone, by whatever name, redirection or later answer of a DNS server."""

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolopv2.media import public
from yolopv2.media.frame import Unreadable
from yolopv2.media.public import fetch_public, is_public

PRIVATE = [
    *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "0.0.0.0/8"),
    *("224.0.0.0/4", "240.0.0.0/4", "192.0.2.0/24", "198.18.0.0/15"),
    *("::/8", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "64:ff9b::/96", "2002::/16", "2001::/32"),
]
"""Special-purpose registries (RFC 6890), and IPv6 addresses that carry one of IPv4 inside."""


@given(st.sampled_from(PRIVATE), st.integers(0, 2**128 - 1))
def test_no_special_address_is_public(network, offset):
    network = ipaddress.ip_network(network)
    assert not is_public(str(network[offset % network.num_addresses]))


def test_public_addresses():
    assert all(is_public(address) for address in ("93.184.216.34", "1.1.1.1", "2606:4700::1111", "2a00:1450::200e"))
    assert not is_public("fe80::1%eth0")


@pytest.fixture
def names(monkeypatch):
    """Names of machines and the addresses they have, each asked for but once: 127.0.0.1 counts as a public one."""
    known = {}
    asked = []

    def look_up(host, port, *options, **more):
        asked.append(host)
        address = known.get(host, host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address.pop(0) if len(address) == 2 else address, port))]

    monkeypatch.setattr(public.socket, "getaddrinfo", look_up)
    monkeypatch.setattr(public, "is_public", lambda address: address == "127.0.0.1")
    known["asked"] = asked
    return known


def test_allowed_hosts_are_fetched_and_no_others(server, names):
    server.pages["/x"] = ("image/png", b"content")
    port = server.url("").rpartition(":")[2].strip("/")
    names["cdn.example"] = "127.0.0.1"
    hosts = [f"cdn.example:{port}"]
    assert fetch_public(f"http://cdn.example:{port}/x", hosts, 100) == b"content"
    with pytest.raises(Unreadable, match="larger than"):
        fetch_public(f"http://cdn.example:{port}/x", hosts, 3)
    for url in (
        server.url("/x"),
        "http://cdn.example/x",
        f"http://cdn.example:{port}@127.0.0.1:{port}/x",
        f"http://me:word@cdn.example:{port}/x",
        f"http://cdn.example.evil.example:{port}/x",
        f"http://127.0.0.1:{port}/cdn.example:{port}",
        f"http://127.0.0.1:{port}#@cdn.example:{port}/",
        f"http://127.0.0.1:{port}\\@cdn.example:{port}/",
        f"ftp://cdn.example:{port}/x",
        "file:///etc/passwd",
        "http://[::1",
        "http://cdn.example:99999999/x",
        "",
    ):
        with pytest.raises(Unreadable):
            fetch_public(url, hosts, 100)
    assert len(server.requests) == 2


def test_redirections_do_not_lead_astray(server, names):
    port = server.url("").rpartition(":")[2].strip("/")
    names.update({"cdn.example": "127.0.0.1", "inner.example": "127.0.0.2"})
    hosts = [f"cdn.example:{port}", f"inner.example:{port}"]
    server.pages["/x"] = ("image/png", b"content")
    server.pages["/good"] = ("redirect", f"http://cdn.example:{port}/x")
    assert fetch_public(f"http://cdn.example:{port}/good", hosts, 100) == b"content"
    for target, reason in (
        (f"http://127.0.0.1:{port}/x", "allows no such host"),
        ("http://169.254.169.254/latest/meta-data", "allows no such host"),
        (f"http://inner.example:{port}/x", "not public"),
        ("file:///etc/passwd", "fetched"),
        (f"//127.0.0.1:{port}/x", "allows no such host"),
    ):
        server.pages["/bad"] = ("redirect", target)
        server.requests.clear()
        with pytest.raises(Unreadable, match=reason):
            fetch_public(f"http://cdn.example:{port}/bad", hosts, 100)
        assert len(server.requests) == 1


def test_a_name_is_looked_up_once_for_check_and_connection(server, names):
    port = server.url("").rpartition(":")[2].strip("/")
    names["cdn.example"] = ["127.0.0.1", "127.0.0.2"]  # the next answer would be another one
    server.pages["/x"] = ("image/png", b"content")
    assert fetch_public(f"http://cdn.example:{port}/x", [f"cdn.example:{port}"], 100) == b"content"
    assert names["asked"].count("cdn.example") == 1


def test_a_name_with_one_private_address_is_refused(server):
    port = server.url("").rpartition(":")[2].strip("/")
    with pytest.raises(Unreadable, match="not public"):  # by this machine's own resolver
        fetch_public(f"http://localhost:{port}/x", [f"localhost:{port}"], 100)
    assert not server.requests

"""The socket of a server."""

import socket
import urllib.parse

import pytest

from yolopv2.errors import YolopError
from yolopv2.web import address_of, listen


def test_a_free_port_and_its_address():
    with listen("127.0.0.1", 0) as listening:
        parts = urllib.parse.urlsplit(address_of(listening))
        with socket.create_connection((parts.hostname, parts.port), timeout=5):
            pass


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_ipv6():
    with listen("::1", 0) as listening:
        assert address_of(listening).startswith("http://[::1]:")


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "x" * 300])
def test_no_address_of_this_machine(host):
    with pytest.raises(YolopError, match="cannot listen on"):
        listen(host, 0)


def test_a_port_that_is_taken():
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(YolopError, match=f"port {port}: .*in use"):
            listen("127.0.0.1", port)

"""Names that requests carry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolopv2.web import is_known_host, is_own_origin, plain_name


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "LOCALHOST.", "127.0.0.1:8765", "[::1]:8765", "10.0.0.7"])
def test_plain_addresses_and_localhost_are_known(host):
    assert is_known_host(host)


@pytest.mark.parametrize(
    "host", ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "[::1", "evil@localhost", ":80"]
)
def test_other_names_are_not(host):
    assert not is_known_host(host, ("street.example",))


def test_names_can_be_made_known():
    assert is_known_host("street.example:8000", ("street.example",))
    assert is_known_host("any.example", ("*",))
    assert not is_known_host("user@any.example", ("*",))


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://[", "http://localhost:1"])
def test_other_origins_are_not_ours(origin):
    assert not is_own_origin(origin, "localhost:8000", ("https://good.example",))


def test_own_and_allowed_origins():
    assert is_own_origin("http://localhost:8000", "localhost:8000")
    assert is_own_origin("https://good.example", "localhost:8000", ("https://good.example",))
    assert not is_own_origin("null", "")


@given(st.text())
def test_any_text_is_judged(text):
    assert is_known_host(text) in (True, False)
    assert is_own_origin(text, "localhost:1") in (True, False)


@given(st.one_of(st.none(), st.text()))
def test_a_plain_name_names_no_folder(name):
    plain = plain_name(name, "picture")
    assert plain
    assert plain.isprintable()
    assert not {"/", "\\"} & set(plain)
    assert len(plain) <= 200

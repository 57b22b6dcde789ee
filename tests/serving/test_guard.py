"""Who may ask, how much may come in, and how slowly."""

import json
import socket
import time
from contextlib import closing

import pytest

from yolopv2.serving import Client, ServiceError, server


def connect(http):
    return closing(socket.create_connection((http.base_url.host, http.base_url.port), timeout=15))


def answer_on(connection):
    """Status and problem of what comes until the other side closes."""
    received = b""
    while part := connection.recv(65536):
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])


def test_the_token(start, grey):
    http = start(token="s3cret")
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic s3cret"}, {"authorization": "é"}):
        headers = {name: value.encode() for name, value in headers.items()}
        for method, path in (("POST", "/v1/predict"), ("GET", "/metrics"), ("GET", "/v1/jobs"), ("GET", "/docs")):
            answer = http.request(method, path, headers=headers)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
            assert "token" in answer.json()["detail"]
    assert http.get("/health").status_code == http.get("/ready").status_code == 200
    with Client(str(http.base_url), token="s3cret") as client:
        assert len(client.run(grey(200)).vehicles) == 1
    with Client(str(http.base_url)) as client, pytest.raises(ServiceError, match="401"):
        client.run(grey(200))
    described = http.get("/openapi.json", headers={"authorization": "Bearer s3cret"}).json()
    assert described["security"] == [{"token": []}]
    assert "s3cret" not in json.dumps(described)


def test_names_of_the_service(start):
    http = start(hosts=("street.example",))
    for host in ("localhost:1", "127.0.0.1", "[::1]:80", "street.example", "STREET.example:8000", "192.168.1.7"):
        assert http.get("/health", headers={"host": host}).status_code == 200, host
    for host in ("evil.example", "street.example.evil.example", "localhost.evil.example", "", "[", "a@localhost"):
        answer = http.get("/health", headers={"host": host})
        assert answer.status_code in (400, 421), host


def test_pages_of_other_origins(start, grey):
    http = start(origins=("https://good.example",))
    own = f"http://{http.base_url.host}:{http.base_url.port}"
    asked = {"access-control-request-method": "POST"}
    for origin, status in ((own, 200), ("https://good.example", 200), ("https://evil.example", 403), ("null", 403)):
        answer = http.post("/v1/predict", content=grey(9), headers={"origin": origin})
        assert answer.status_code == status, origin
        preflight = http.options("/v1/predict", headers={"origin": origin, **asked})
        allowed = preflight.headers.get("access-control-allow-origin")
        assert allowed == (origin if origin == "https://good.example" else None)


def test_cors_is_off_by_default(http):
    answer = http.get("/health", headers={"origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_bytes_are_counted_while_they_come(start):
    http = start({"body_bytes": 100_000})
    sent = 0

    def blocks():
        nonlocal sent
        for _ in range(1000):
            sent += 10_000
            yield bytes(10_000)

    assert http.post("/v1/predict", content=bytes(100_001)).status_code == 413
    answer = http.post("/v1/predict", content=blocks())  # chunked: nothing tells how much will come
    assert answer.status_code == 413
    assert "100000 bytes" in answer.json()["detail"]
    with connect(http) as connection:  # the announced length alone is enough
        connection.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        assert answer_on(connection)[0] == 413


def test_slow_bodies_end(start):
    http = start({"read_timeout": 0.3})
    with connect(http) as connection:
        connection.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n")
        began = time.monotonic()
        for _ in range(4):  # never silent for long, and yet too slow
            connection.sendall(b"x")
            time.sleep(0.1)
        status, problem = answer_on(connection)
    assert (status, "slowly" in problem["detail"]) == (408, True)
    assert time.monotonic() - began < 5


def test_slow_heads_end(start, monkeypatch):
    monkeypatch.setattr(server, "_HEADER_SECONDS", 0.3)
    http = start()
    for head in (b"", b"GET /health HTTP/1.1\r\nHost: localhost\r\n"):
        with connect(http) as connection:
            connection.sendall(head)
            assert answer_on(connection)[0] == 408
    with connect(http) as connection:  # also after a first request on the same connection
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200 OK" in connection.recv(65536)
        connection.sendall(b"GET /hea")
        assert answer_on(connection)[0] == 408
    assert http.get("/health").status_code == 200


def test_what_is_no_http(http):
    for lines in (b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/9\r\n"):
        with connect(http) as connection:
            connection.sendall(lines + b"\r\n\r\n")
            status, problem = answer_on(connection)
        assert (status, problem["status"]) == (400, 400)
    assert http.get("/health").status_code == 200


def test_too_many_requests_at_the_same_time(start, runtime, grey):
    http = start({"requests": 1})
    with connect(http) as connection:
        connection.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n")
        time.sleep(0.2)
        answer = http.post("/v1/predict", content=grey(9))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert http.get("/health").status_code == 200
    deadline = time.monotonic() + 5
    while http.post("/v1/predict", content=grey(9)).status_code != 200:
        assert time.monotonic() < deadline

"""Named weights: whole when they are there, and one clear sentence when they cannot be got."""

import dataclasses
import hashlib
import http.server
import threading

import pytest

from yolopv2.checkpoints import catalogue
from yolopv2.checkpoints.catalogue import CATALOGUE, Entry, bundled_graph, facts, file_facts, pull, resolve
from yolopv2.errors import YolopError

CONTENT = bytes(range(256)) * 4000


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests += 1
        if self.path == "/missing":
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: len(CONTENT) // 2] if self.path == "/cut" else CONTENT)
        return None

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.requests = 0
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("YOLOPV2_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def entry(server, page: str = "x", checksum: str = hashlib.sha256(CONTENT).hexdigest()) -> Entry:
    url = f"http://127.0.0.1:{server.server_port}/{page}"
    return Entry("far", "base", "", "", "MIT", file="far.pt", url=url, sha256=checksum)


def test_downloaded_once_and_again_when_damaged(server, cache):
    wanted = entry(server)
    assert pull(wanted) == wanted.path == cache / "far.pt"
    assert wanted.path.read_bytes() == CONTENT
    pull(wanted)
    assert server.requests == 1
    wanted.path.write_bytes(CONTENT[:-1])
    assert pull(wanted).read_bytes() == CONTENT
    assert server.requests == 2
    assert [p.name for p in cache.iterdir()] == ["far.pt"]


def test_a_file_put_there_by_hand_counts(server, cache):
    cache.mkdir()
    (cache / "far.pt").write_bytes(CONTENT)
    assert pull(entry(server, "missing")) == cache / "far.pt"
    assert server.requests == 0


@pytest.mark.parametrize(
    ("page", "checksum", "reason"),
    [("missing", "0" * 64, "HTTPError"), ("x", "0" * 64, "another checksum"), ("cut", "0" * 64, "Could not get")],
)
def test_failures_leave_nothing_and_say_what_to_do(server, cache, page, checksum, reason):
    wanted = entry(server, page, checksum)
    with pytest.raises(YolopError, match=reason) as failure:
        pull(wanted)
    assert f"download {wanted.url} and put it at {wanted.path}" in str(failure.value)
    assert list(cache.iterdir()) == []


def test_without_network(cache, monkeypatch):
    nowhere = dataclasses.replace(CATALOGUE["official"], url="http://127.0.0.1:9/yolopv2.pt")
    monkeypatch.setitem(CATALOGUE, "official", nowhere)
    with pytest.raises(YolopError, match=r"ConnectionError.*download http.*put it at .*cache/yolopv2\.pt"):
        resolve("official")


def test_a_cache_that_cannot_be_written(server, cache):
    cache.write_text("a file")
    with pytest.raises(YolopError, match="Could not get"):
        pull(entry(server))


def test_resolve(tmp_path):
    (tmp_path / "x.safetensors").write_text("")
    assert resolve(tmp_path / "x.safetensors") == tmp_path / "x.safetensors"
    with pytest.raises(YolopError, match=r"'nanoo': neither a file nor a name of the catalogue \(nano, official\)"):
        resolve("nanoo")


def test_bundled_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "_BUNDLED", tmp_path)
    with pytest.raises(YolopError, match="lacks its bundled weights"):
        resolve("nano")
    assert facts(CATALOGUE["nano"])["here"] is False
    assert bundled_graph("nano") is None
    (tmp_path / "nano.safetensors").write_bytes(b"x")
    (tmp_path / "nano.onnx").write_bytes(b"x")
    assert resolve("nano") == tmp_path / "nano.safetensors"
    assert bundled_graph("nano") == tmp_path / "nano.onnx"
    assert bundled_graph("official") is None
    assert bundled_graph(tmp_path / "nano.safetensors") is None


def test_the_release(cache):
    official = facts(CATALOGUE["official"])
    assert official["size"] == 156_380_200
    assert official["sha256"].startswith("f2a8c837")
    assert official["path"] == str(cache / "yolopv2.pt")


def test_a_watcher_is_told_and_may_end_it(server, cache):
    told = []
    pull(entry(server), lambda done, total: told.append((done, total)))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    (cache / "far.pt").unlink()

    class Enough(Exception):  # noqa: N818
        pass

    def end(done, total):
        raise Enough

    with pytest.raises(Enough):
        pull(entry(server), end)
    assert list(cache.iterdir()) == []
    pull(entry(server))
    told.clear()
    pull(entry(server, "missing"), lambda done, total: told.append(done))
    assert told == []  # it is here


def test_what_a_file_says_of_itself():
    known = facts(CATALOGUE["nano"])
    of_file = file_facts(CATALOGUE["nano"].path)
    assert (of_file["variant"], of_file["names"], of_file["size"]) == ("nano", ["vehicle"], known["size"])
    assert of_file.items() <= known.items()
    assert not {"path", "provenance", "training"} & of_file.keys()
    assert file_facts(CATALOGUE["nano"].path.with_suffix(".onnx")).keys() == {"size"}
    assert facts(CATALOGUE["official"])["heads"] == ["detection", "drivable", "lanes"]

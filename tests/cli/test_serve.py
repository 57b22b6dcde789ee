"""yolopv2 serve, started wrongly: one line that says why. Its way as a process is in tests/e2e."""

import socket

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")

from yolopv2.cli.serve import TOKEN_VARIABLE, _token
from yolopv2.errors import YolopError
from yolopv2.serving.jobs.store import JobStore
from yolopv2.serving.settings import Limits


def test_started_wrongly_it_says_why(cli, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "strange").write_text("tökén", encoding="utf-8")
    used = JobStore(tmp_path / "used", Limits())
    good = ["serve", "--weights", "nano", "--size", 64, "--port", 0, "--jobs", tmp_path / "jobs"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for options, reason in (
            (["--port", taken.getsockname()[1]], "cannot listen on 127.0.0.1"),
            (["--host", "no.such.host.invalid"], "cannot listen on no.such.host.invalid"),
            (["--jobs", tmp_path / "used"], "another service keeps its jobs"),
            (["--jobs", tmp_path / "file"], "cannot be used"),
            (["--weights", tmp_path / "none.safetensors"], "none.safetensors"),
            (["--weights", "nano"], "different names"),
            (["--token-file", tmp_path / "none"], "the token cannot be read"),
            (["--token-file", tmp_path / "file"], "is empty, or not plain ASCII"),
            (["--token-file", tmp_path / "strange"], "is empty, or not plain ASCII"),
            (["--queue", 0], "queue must be above 0"),
        ):
            ran = cli(*good, *options)
            assert ran.code == 2, options
            assert reason in " ".join(ran.err.split()), (options, ran.err)
            assert "Traceback" not in ran.err
    used.close()


def test_the_token_comes_from_a_file_or_the_environment(tmp_path, monkeypatch):
    assert _token(None) is None
    (tmp_path / "token").write_text(" from-file\n")
    monkeypatch.setenv(TOKEN_VARIABLE, "from-environment")
    assert _token(None) == "from-environment"
    assert _token(tmp_path / "token") == "from-file"
    monkeypatch.setenv(TOKEN_VARIABLE, "")
    with pytest.raises(YolopError, match=TOKEN_VARIABLE):
        _token(None)

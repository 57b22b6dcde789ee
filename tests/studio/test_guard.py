import pytest

from yolopv2.studio.guard import SESSION_HEADER


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "[::1", "127.0.0.1.evil.example:80"])
@pytest.mark.parametrize("path", ["/", "/api/session", "/page/main.js"])
def test_foreign_names_are_refused(client, host, path):
    answer = client.get(path, headers={"Host": host, SESSION_HEADER: "new"})
    assert answer.status_code == 421
    assert "terminal" in answer.json()["error"]


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1:8765", "[::1]:8765"])
def test_this_machine_is_answered(client, host):
    assert client.get("/", headers={"Host": host}).status_code == 200


def test_other_origins_are_refused(client):
    for origin in ("https://evil.example", "null", "http://localhost:1"):
        answer = client.post("/api/session", headers={"Origin": origin, SESSION_HEADER: "new"})
        assert answer.status_code == 403, origin
    same = client.post("/api/session", headers={"Origin": "http://localhost:8765", SESSION_HEADER: "new"})
    assert same.status_code == 200


def test_a_form_of_another_page_cannot_ask(client):
    """It could send no header of its own; and no answer ever allows another origin to send it."""
    assert client.post("/api/session").status_code == 403
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Headers": SESSION_HEADER}
    answer = client.options("/api/sources", headers={**asked, "Access-Control-Request-Method": "POST"})
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/api/videos/x", "/nothing"])
def test_everything_comes_with_the_strict_headers(client, path):
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/page/../app.py", "/page/%2e%2e/app.py", "/page/..%2fapp.py", "/page//etc/passwd"])
def test_only_the_pages_own_files_are_served(client, path):
    assert client.get(path).status_code == 404


def test_there_is_no_list_of_addresses(client):
    for path in ("/docs", "/openapi.json", "/redoc"):
        assert client.get(path).status_code == 404

"""Weights of the catalogue come when a page asks for them: checked, ended when nobody wants them, from nowhere else."""

import threading
import time

import pytest
from fastapi.testclient import TestClient

from yolopv2.checkpoints.catalogue import CATALOGUE, Entry
from yolopv2.studio import Settings, create_app
from yolopv2.studio.guard import SESSION_HEADER

WEIGHTS = CATALOGUE["nano"].path.read_bytes()


class Page:
    def __init__(self, client):
        self.client = client
        self.facts = client.post("/api/session", headers={SESSION_HEADER: "new"}).json()
        self.headers = {SESSION_HEADER: self.facts["session"]}

    def ask(self, method, path, **options):
        return self.client.request(method, path, headers=self.headers, **options)

    def model(self, name):
        (found,) = (model for model in self.ask("GET", "/api/models").json()["weights"] if model["name"] == name)
        return found

    def until(self, wanted):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            work = self.ask("GET", "/api/models/far/download").json()
            if wanted(work):
                return work
            time.sleep(0.01)
        raise AssertionError(work)


@pytest.fixture
def page(far):
    with TestClient(create_app(Settings()), base_url="http://localhost") as client:
        yield Page(client)


def test_from_the_catalogue_to_a_look(far, page, street, choice):
    described = page.model("far")
    assert (described["here"], described["can_download"], described["download"]) == (False, True, None)
    assert (described["size"], described["licence"], described["source"]) == (len(WEIGHTS), "MIT", "the tests")
    assert page.ask("GET", "/api/models/far/download").json() is None
    asked = page.ask("POST", "/api/live", params={**choice, "weights": "far"}, content=street)
    assert "download them under Models" in asked.json()["error"]

    began = page.ask("POST", "/api/models/far/download").json()
    assert (began["state"], began["total"]) == ("downloading", len(WEIGHTS))
    page.until(lambda work: 0 < work["done"] < len(WEIGHTS))
    assert page.ask("POST", "/api/models/far/download").json()["done"] > 0  # the same one goes on
    far.set()
    assert page.until(lambda work: work["state"] == "done")["done"] == len(WEIGHTS)
    assert page.model("far")["here"] is True
    assert CATALOGUE["far"].path.read_bytes() == WEIGHTS
    assert page.ask("POST", "/api/live", params={**choice, "weights": "far"}, content=street).status_code == 200


def test_cancelled_nothing_is_kept_and_it_may_be_asked_for_again(far, page):
    page.ask("POST", "/api/models/far/download")
    page.until(lambda work: work["done"] > 0)
    page.ask("DELETE", "/api/models/far/download")
    far.set()
    page.until(lambda work: work["state"] == "cancelled")
    assert list(CATALOGUE["far"].path.parent.iterdir()) == []
    assert page.model("far")["here"] is False
    page.ask("POST", "/api/models/far/download")
    page.until(lambda work: work["state"] == "done")


def test_what_is_not_what_it_should_be_is_not_kept(far, page, monkeypatch):
    far.set()
    monkeypatch.setitem(CATALOGUE, "far", Entry(**{**vars(CATALOGUE["far"]), "sha256": "0" * 64}))
    page.ask("POST", "/api/models/far/download")
    failed = page.until(lambda work: work["state"] == "failed")
    assert "another checksum" in failed["error"]
    assert list(CATALOGUE["far"].path.parent.iterdir()) == []


@pytest.mark.parametrize("name", ["other", "..%2Fnano", "http:%2F%2Fevil.example%2Fx", "nano.safetensors"])
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_only_names_of_the_catalogue(page, name, method):
    assert page.ask(method, f"/api/models/{name}/download").status_code == 404


def test_what_comes_with_the_package_is_not_downloaded(page):
    answer = page.ask("POST", "/api/models/nano/download")
    assert answer.status_code == 409
    assert page.model("nano")["bundled"] is True
    assert page.model("nano")["heads"] == ["detection", "drivable", "lanes", "masks"]
    assert "path" not in page.model("nano")


def test_without_a_session_nothing_is_downloaded(page):
    for headers in ({}, {SESSION_HEADER: "stranger"}, {**page.headers, "Origin": "https://evil.example"}):
        answer = page.client.post("/api/models/far/download", headers=headers)
        assert answer.status_code in (403, 404, 410), answer.text
    assert page.model("far")["download"] is None


def test_a_studio_that_others_reach_downloads_nothing(far):
    with TestClient(create_app(Settings(addresses=False)), base_url="http://localhost") as client:
        page = Page(client)
        assert page.model("far")["can_download"] is False
        assert page.ask("POST", "/api/models/far/download").status_code == 403


def test_the_end_of_the_studio_ends_downloads(far):
    with TestClient(create_app(Settings()), base_url="http://localhost") as client:
        page = Page(client)
        page.ask("POST", "/api/models/far/download")
        page.until(lambda work: work["done"] > 0)
        threading.Timer(0.2, far.set).start()
    deadline = time.monotonic() + 10
    while list(CATALOGUE["far"].path.parent.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list(CATALOGUE["far"].path.parent.iterdir()) == []

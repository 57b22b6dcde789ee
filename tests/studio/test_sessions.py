from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from yolopv2.studio import Limits, Settings, create_app
from yolopv2.studio.errors import Refusal
from yolopv2.studio.guard import SESSION_HEADER
from yolopv2.studio.sessions import Disk, Sessions, Shelf


def test_sessions_do_not_see_each_other(client, studio, street, read_parts):
    picture_id = read_parts(studio.open(street))["facts"]["id"]
    other = client.post("/api/session", headers={SESSION_HEADER: "new"}).json()["session"]
    assert other != studio.headers[SESSION_HEADER]
    path = f"/api/pictures/{picture_id}/scene?weights=nano&size=320"
    assert client.post(path, json={}, headers={SESSION_HEADER: other}).status_code == 404
    assert client.post(path, json={}, headers=studio.headers).status_code == 200
    assert client.post(path, json={}, headers={SESSION_HEADER: "guess"}).status_code == 410


def test_ending_a_session_removes_its_files(client, studio, street):
    folder = Path(client.app.state.sessions._folder)
    before = {*folder.rglob("picture")}
    studio.open(street)
    (kept,) = {*folder.rglob("picture")} - before
    assert studio.ask("DELETE", "/api/session").status_code == 200
    assert not kept.exists()
    assert studio.open(street).status_code == 410


def test_the_end_of_the_studio_removes_everything(street):
    with TestClient(create_app(Settings()), base_url="http://localhost") as client:
        folder = Path(client.app.state.sessions._folder)
        client.post("/api/session", headers={SESSION_HEADER: "new"})
        assert folder.is_dir()
    assert not folder.exists()


def test_the_session_idle_longest_makes_room(tmp_path):
    sessions = Sessions(tmp_path, Limits(sessions=2))
    first, second = sessions.new(), sessions.new()
    sessions.find(first)
    sessions.new()
    sessions.find(first)
    with pytest.raises(Refusal, match="reload"):
        sessions.find(second)


def test_old_pictures_make_room(tmp_path, street):
    from yolopv2.studio.pictures import Picture

    limits = Limits(pictures=2)
    session = Sessions(tmp_path, limits)
    kept = session.find(session.new())
    pictures = [Picture(kept.shelf(), street, f"{i}.png", limits) for i in range(3)]
    for picture in pictures:
        kept.add_picture(picture)
    assert len([*tmp_path.rglob("picture")]) == 2
    with pytest.raises(Refusal, match="no longer kept"):
        kept.picture(pictures[0].id)
    assert kept.picture(pictures[2].id).frame().image.shape == (180, 320, 3)


def test_the_disk_is_bounded_and_given_back(tmp_path):
    disk = Disk(100)
    shelf = Shelf(tmp_path / "a", disk)
    shelf.write("x", bytes(80))
    with pytest.raises(Refusal, match="as much as it may"):
        Shelf(tmp_path / "b", disk).write("x", bytes(30))
    shelf.remove()
    shelf.remove()
    Shelf(tmp_path / "c", disk).write("x", bytes(100))

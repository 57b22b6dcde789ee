"""The clients give what the library gives, and import without the server."""

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from yolopv2.errors import YolopError
from yolopv2.serving import AsyncClient, Client, ServiceError


@pytest.fixture(scope="module")
def path(jpeg, tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "straße 1.jpg"
    path.write_bytes(jpeg)
    return path


def same(scene, own):
    return {**scene.to_dict(), "source": ""} == {**own.to_dict(), "source": ""}


def test_paths_bytes_and_arrays(url, model, path, street):
    own, own_array = model(path, conf=0.4), model(street, conf=0.4)
    grey = cv2.cvtColor(street, cv2.COLOR_RGB2GRAY)
    with Client(url) as client:
        for source, expected in (
            (path, own),
            (str(path), own),
            (path.read_bytes(), own),
            (street, own_array),
            (grey, model(grey, conf=0.4)),
        ):
            assert same(client.run(source, conf=0.4), expected)
        several = client.run([path, street], conf=0.4, classes=["vehicle"], max_det=300, agnostic=False, model="nano")
        assert [scene.source for scene in several] == ["straße 1.jpg", "array-1"]
        assert same(several[0], own)
        assert same(several[1], own_array)
        assert isinstance(client.run([path]), list)
        assert client.models()[0]["name"] == "nano"


def test_a_video(url, model, drive, tmp_path):
    told = []
    with Client(url) as client:
        job = client.submit(drive, conf=0.2)
        assert job.wait(lambda done, total: told.append((done, total)), interval=0.05).state == "done"
        assert told[-1] == (6, 6)
        own = list(model.stream(drive, conf=0.2))
        assert all(same(scene, expected) for scene, expected in zip(job.scenes(), own, strict=True))
        assert job.save_video(tmp_path / "out" / "seen.mp4").read_bytes()[4:8] == b"ftyp"
        assert [entry.id for entry in client.jobs()] == [job.id]
        assert client.job(job.id).refresh().state == "done"
        with pytest.raises(ServiceError, match="409"):
            job.cancel()
        job.delete()
        with pytest.raises(ServiceError, match="no job") as gone:
            list(job.scenes())
        assert gone.value.status == 404
        silent = client.submit(drive, annotate=False).wait(interval=0.05)
        with pytest.raises(ServiceError, match="no annotated video"):
            silent.save_video(tmp_path / "none.mp4")
        assert [entry.name for entry in tmp_path.iterdir()] == ["out"]
        silent.delete()


def test_the_asynchronous_client(url, model, path, drive, street, tmp_path):
    async def use():
        async with AsyncClient(url) as client:
            scenes = await asyncio.gather(*(client.run(source, conf=0.4) for source in (path, street, path)))
            several = await client.run([path, street])
            job = await (await client.submit(drive)).wait(interval=0.05)
            seen = [scene async for scene in job.scenes()]
            saved = await job.save_video(tmp_path / "seen.mp4")
            assert [entry.id for entry in await client.jobs()] == [job.id]
            assert (await (await client.job(job.id)).refresh()).state == "done"
            await job.delete()
            assert (await client.models())[0]["served"]
            with pytest.raises(ServiceError, match="422"):
                await client.run(b"no picture")
            return scenes, several, seen, saved

    with ThreadPoolExecutor(1) as thread:  # a browser driven by this process has a loop of its own in the main one
        scenes, several, seen, saved = thread.submit(asyncio.run, use()).result()
    own, own_array = model(path, conf=0.4), model(street, conf=0.4)
    assert same(scenes[0], own)
    assert same(scenes[1], own_array)
    assert same(scenes[2], own)
    assert len(several) == 2
    assert len(seen) == 6
    assert saved.read_bytes()[4:8] == b"ftyp"


def test_mistakes_are_told(url, tmp_path):
    with Client(url, retries=0) as client:
        for source, reason in (
            (tmp_path / "none.jpg", "none.jpg"),
            ([], "no picture"),
            (7, "not int"),
            (b"", "422"),
            (np.zeros((2, 2, 7), np.uint8), "shape"),
        ):
            with pytest.raises(YolopError, match=reason):
                client.run(source)
        with pytest.raises(ServiceError, match="conf"):
            client.run(np.zeros((64, 64, 3), np.uint8), conf=7)
        with pytest.raises(YolopError, match="is no file"):
            client.submit(tmp_path / "none.mp4")
    with Client("http://127.0.0.1:9", retries=1) as client, pytest.raises(ServiceError, match="cannot be reached"):
        client.models()


def test_importing_the_client_needs_neither_server_nor_torch():
    absent = ("fastapi", "starlette", "uvicorn", "torch", "openvino", "prometheus_client", "websockets")
    code = f"import sys\nfor name in {absent}: sys.modules[name] = None\n"
    code += "from yolopv2.serving import AsyncClient, Client, ServiceError\nClient().close()"
    subprocess.run([sys.executable, "-c", code], check=True)
    code = "import sys\nsys.modules['httpx'] = None\nfrom yolopv2.serving import Client"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stderr.strip().splitlines()[-1].startswith("yolopv2.errors.MissingExtra: ")

"""Predict as a process of its own: hostile folders, Ctrl-C, no PyTorch, long videos."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from yolopv2.media import VideoWriter, open_source, write_image

MAIN = "from yolopv2.cli.main import main; main()"
WITHOUT_TORCH = f"import sys; sys.modules['torch'] = None\n{MAIN}"


def command(*arguments, code=MAIN):
    return [sys.executable, "-c", code, *map(str, arguments)]


def make_hostile(folder: Path, good: np.ndarray) -> set[str]:
    """Ten files that a folder of pictures should not hold, by the names they have."""
    image = pytest.importorskip("PIL.Image")
    pil = image.fromarray(good)
    jpeg = cv2.imencode(".jpg", good)[1].tobytes()
    (folder / "empty.jpg").touch()
    (folder / "truncated.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    (folder / "text.jpg").write_text("this is no picture")
    cv2.imwrite(str(folder / "one-pixel.png"), good[:1, :1])
    pil.resize((12000, 9000)).save(folder / "huge.jpg", quality=30)
    pil.save(folder / "animated.gif", save_all=True, append_images=[pil.rotate(90)])
    cv2.imwrite(str(folder / "sixteen.png"), good.astype(np.uint16) * 257)
    pil.convert("CMYK").save(folder / "cmyk.jpg")
    (folder / "folder.png").mkdir()
    secret = folder / "unreadable.jpg"
    secret.write_bytes(jpeg)
    secret.chmod(0)
    if os.access(secret, os.R_OK):  # the superuser reads everything
        secret.unlink()
        secret.symlink_to(secret)
    return {path.name for path in folder.iterdir()}


def test_a_hostile_folder(tmp_path, nano_graph, pictures):
    folder = tmp_path / "in"
    folder.mkdir()
    hostile = make_hostile(folder, pictures[0])
    assert len(hostile) == 10
    for i in range(20):
        write_image(folder / f"good-{i:02d}.jpg", np.roll(pictures[0], i, axis=0))
    ran = subprocess.run(
        command("predict", folder, "--weights", nano_graph, "--size", 160, "--output", tmp_path / "out"),
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    named = {name for name in hostile if f"{name}: " in ran.stderr}
    assert named == hostile
    seen = [json.loads(line)["source"] for line in (tmp_path / "out" / "scenes.jsonl").read_text().splitlines()]
    good = {Path(source).name for source in seen}
    # Two of the ten can be read, and are, with a remark: 16 bits per channel and CMYK.
    assert good == {f"good-{i:02d}.jpg" for i in range(20)} | {"sixteen.png", "cmyk.jpg"}
    assert len(list((tmp_path / "out").glob("*.jpg"))) == 22


def test_without_pytorch(tmp_path, nano_graph, nano_checkpoint, drive):
    arguments = ["predict", drive, "--size", 160, "--output", tmp_path / "out", "--weights"]
    ran = subprocess.run(command(*arguments, nano_graph, code=WITHOUT_TORCH), capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "frames: 24 in" in ran.stdout
    ran = subprocess.run(command(*arguments, nano_checkpoint, code=WITHOUT_TORCH), capture_output=True, text=True)
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert 'pip install "yolopv2[torch]"' in ran.stderr


@pytest.fixture(scope="module")
def long_drive(tmp_path_factory, pictures):
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    with VideoWriter(path, 30, 320, 180) as video:
        for i in range(250):
            video.write(np.roll(pictures[3], i, axis=1))
    return path


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_ctrl_c_leaves_whole_files(tmp_path, nano_graph, long_drive):
    out = tmp_path / "out"
    process = subprocess.Popen(
        command("predict", long_drive, "--weights", nano_graph, "--size", 64, "--output", out, "--save", "image,coco"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not (out / "scenes.jsonl").exists() or (out / "scenes.jsonl").read_text().count("\n") < 20:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        shown, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    indices = [json.loads(line)["index"] for line in (out / "scenes.jsonl").read_text().splitlines()]
    assert indices == list(range(len(indices)))
    assert 20 <= len(indices) < 250
    assert f"frames: {len(indices)} in" in shown
    with open_source(out / "long.mp4") as video:
        assert abs(len(list(video)) - len(indices)) <= 1
    assert isinstance(json.loads((out / "results.json").read_text()), list)
    assert sorted(path.name for path in out.iterdir()) == ["long.mp4", "results.json", "scenes.jsonl"]


MEMORY = """
import sys, threading, time
samples = []
def watch():
    while True:
        pages = int(open('/proc/self/statm').read().split()[1])
        samples.append(pages * 4096 / 1e6)
        time.sleep(0.02)
threading.Thread(target=watch, daemon=True).start()
from yolopv2.cli.main import main
try:
    main()
finally:
    middle = len(samples) // 2
    print('RSS', max(samples[:middle]), max(samples[middle:]))
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads Linux's memory accounts")
def test_memory_is_flat_over_a_long_video(tmp_path, nano_graph, long_drive):
    arguments = ["predict", long_drive, "--weights", nano_graph, "--size", 64, "--output", tmp_path / "out"]
    ran = subprocess.run(command(*arguments, code=MEMORY), capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    first, second = map(float, ran.stdout.split("RSS")[1].split())
    assert second < first + 15  # megabytes; all 250 frames would be 43

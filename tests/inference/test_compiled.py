import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from yolopv2.inference.runtimes import compiled
from yolopv2.inference.runtimes.compiled import compiled_folder, entry_key, load_entry, release_pages, store_entry
from yolopv2.inference.runtimes.openvino import OpenVinoRuntime

CANVAS = np.random.default_rng(2).integers(0, 256, (1, 64, 96, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("YOLOPV2_CACHE", str(tmp_path / "cache"))


def entries():
    return sorted(compiled_folder().glob("*"))


def compiled_entry():
    """The one compiled graph; the other entry is the graph's description."""
    description, graph = sorted(entries(), key=lambda path: path.stat().st_size)
    assert description.stat().st_size < 10_000
    return graph


def test_gives_back_what_was_stored_and_nothing_else():
    assert load_entry("a") is None
    store_entry("a", b"first")
    store_entry("b", b"")
    store_entry("a", b"second")
    assert (load_entry("a"), load_entry("b"), load_entry("c")) == (b"second", b"", None)


def test_bytes_stay_whole_when_their_memory_is_given_back_and_when_the_entry_goes():
    content = np.random.default_rng(3).bytes(300_000)
    store_entry("a", content)
    kept = load_entry("a")
    release_pages(kept)
    assert kept == content
    for path in entries():
        path.unlink()
    release_pages(kept)
    assert kept == content


def test_keys_differ_with_everything_they_depend_on():
    facts = [("sum", 64, 96, "1.0"), ("sum", 96, 64, "1.0"), ("sum", 64, 96, "1.1"), ("su", "m", 64, 96, "1.0")]
    assert len({entry_key(*parts) for parts in facts}) == len(facts)


@pytest.mark.parametrize(
    "damage", [lambda c: b"", lambda c: c[:-1], lambda c: c + b"x", lambda c: c[:40] + b"?" + c[41:]]
)
def test_damaged_entries_count_as_absent_and_can_be_replaced(damage):
    store_entry("a", bytes(100))
    (path,) = entries()
    path.write_bytes(damage(path.read_bytes()))
    assert load_entry("a") is None
    store_entry("a", b"anew")
    assert load_entry("a") == b"anew"


def test_the_least_recently_used_go_when_the_cache_is_full(monkeypatch):
    monkeypatch.setattr(compiled, "LIMIT", 1000)
    for position, name in enumerate("abc"):
        store_entry(name, bytes(250))
        os.utime(compiled_folder() / f"{name}.blob", (position, position))
    assert load_entry("a") is not None  # used: now the youngest
    store_entry("d", bytes(250))
    assert [name for name in "abcd" if load_entry(name) is not None] == ["a", "c", "d"]
    store_entry("huge", bytes(2000))
    assert load_entry("huge") is None
    assert len(entries()) == 3


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path, monkeypatch, nano_graph):
    (tmp_path / "file").touch()
    monkeypatch.setenv("YOLOPV2_CACHE", str(tmp_path / "file"))
    store_entry("a", b"lost")
    assert load_entry("a") is None
    assert OpenVinoRuntime(nano_graph)(CANVAS).boxes.shape[0] == 1


def test_readers_see_whole_entries_while_many_write():
    contents = [bytes([number]) * 50_000 for number in range(8)]
    store_entry("a", contents[0])

    def work(content):
        for _ in range(10):
            store_entry("a", content)
            assert load_entry("a") in contents

    with ThreadPoolExecutor(len(contents)) as pool:
        list(pool.map(work, contents))
    assert [path.name for path in entries()] == ["a.blob"]


def test_a_graph_is_compiled_once_and_anew_when_its_entry_is_damaged(nano_graph):
    first = OpenVinoRuntime(nano_graph)(CANVAS)
    path = compiled_entry()
    written = path.read_bytes()
    stamp = path.stat().st_ino
    again = OpenVinoRuntime(nano_graph)(CANVAS)
    assert path.stat().st_ino == stamp  # not written again
    path.write_bytes(written[: len(written) // 2])
    rebuilt = OpenVinoRuntime(nano_graph)(CANVAS)
    assert load_entry(path.stem) is not None  # not to the byte: the engine numbers its layers as it goes
    for other in (again, rebuilt):
        np.testing.assert_array_equal(other.boxes, first.boxes)
        np.testing.assert_array_equal(other.lanes, first.lanes)


def test_bytes_that_the_engine_refuses_are_replaced(nano_graph):
    expected = OpenVinoRuntime(nano_graph)(CANVAS)
    path = compiled_entry()
    store_entry(path.stem, b"of another build")
    np.testing.assert_array_equal(OpenVinoRuntime(nano_graph)(CANVAS).scores, expected.scores)
    assert path.stat().st_size > 1000


SHARED = """
import sys, threading
from yolopv2.inference.runtimes.openvino import openvino_library
kind = openvino_library().Type.u8
sys.setswitchinterval(1e-6)
start = threading.Barrier(8)
threads = [threading.Thread(target=lambda: (start.wait(), kind.to_dtype()), daemon=True) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(60)
print(sum(thread.is_alive() for thread in threads))
"""


def test_the_first_calls_may_come_from_several_threads():
    # In the engine itself they lock each other out, in more than half of the runs of this program.
    ran = subprocess.run([sys.executable, "-c", SHARED], capture_output=True, text=True, timeout=120, check=True)
    assert ran.stdout == "0\n"


def test_calls_from_several_threads_give_what_single_calls_give(nano_graph):
    runtime = OpenVinoRuntime(nano_graph)
    canvases = np.random.default_rng(4).integers(0, 256, (12, 64, 96, 3), dtype=np.uint8)
    alone = [runtime(canvases[i : i + 1]) for i in range(12)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda i: runtime(canvases[i : i + 2], alone=False), range(0, 12, 2)))
    for i, pair in enumerate(together):
        for row in range(2):
            np.testing.assert_array_equal(pair.scores[row], alone[2 * i + row].scores[0])
            np.testing.assert_array_equal(pair.drivable[row], alone[2 * i + row].drivable[0])

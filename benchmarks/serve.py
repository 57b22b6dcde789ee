"""What HTTP costs: many clients against one service on this machine, beside the bare predictor on the same pictures.

    python benchmarks/serve.py [--seconds 60] [--clients 16] [--weights nano] [--size 640] [--write]

The service runs as a process of its own, as `yolopv2 serve` starts it; the clients, in a process of theirs, send JPEGs
of 1280x720 over loopback one after the other, and compare every answer with the library's own JSON. The bare
predictor gets the same pictures already decoded, in batches; the same work without HTTP is decoding, looking and
writing JSON on all cores. ``--write`` also puts the table into benchmarks/results.md.
"""

import argparse
import asyncio
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from itertools import count, cycle

import numpy as np
from sections import write_section

from yolopv2 import YOLOPv2
from yolopv2.benchmark.machine import processor_name
from yolopv2.data.synthetic import render_scene
from yolopv2.files import encode_image
from yolopv2.inference.video import in_parallel
from yolopv2.media import Frame, decode_image

SEEDS = range(1, 9)
BATCHES = (1, 4, 8)
HEADING = "HTTP service"


def bare(model: YOLOPv2, frames: list[Frame], seconds: float) -> float:
    """Frames per second of the bare predictor, at the batch that suits it best."""
    rates = []
    for batch in BATCHES:
        groups = [frames[start : start + batch] for start in range(0, len(frames), batch)]
        model.predictor(groups[0], model.thresholds())
        done, began = 0, time.perf_counter()
        while (took := time.perf_counter() - began) < seconds / len(BATCHES):
            for group in groups:
                model.predictor(group, model.thresholds())
                done += len(group)
        rates.append(done / took)
    return max(rates)


def without_http(model: YOLOPv2, jpegs: list[bytes], seconds: float) -> float:
    """Pictures per second from JPEG to JSON on all cores, without HTTP."""
    streams = model.predictor.runtime.streams

    def look(jpeg: bytes) -> str:
        frame = Frame(decode_image(jpeg).image, "image-0")
        return model.predictor([frame], model.thresholds(), alone=streams == 1)[0].to_json()

    done, began = 0, time.perf_counter()
    with closing(in_parallel(look, cycle(jpegs), max(streams, os.cpu_count() or 1))) as lines:
        for _ in lines:
            done += 1
            if (took := time.perf_counter() - began) > seconds:
                break
    return done / took


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, jpeg: bytes) -> bytes:
    """Sends a picture and returns the answer, with little work: the clients share the cores with the service."""
    head = "POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/jpeg\r\n"
    head += f"Content-Length: {len(jpeg)}\r\n\r\n"
    writer.write(head.encode() + jpeg)
    answer = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
    body = await reader.readexactly(int(length[1])) if length else b""
    return body if answer.startswith(b"HTTP/1.1 200") else b""


async def load(address: tuple[str, int], jpegs: list[bytes], expected: list[bytes], clients: int, seconds: float):
    """Has clients ask for a while.

    Returns:
        Seconds of every answer, the number of wrong or lost ones, and the seconds that all took.
    """
    times: list[float] = []
    wrong = 0

    async def client(number: int, ends: float) -> None:
        nonlocal wrong
        reader, writer = await asyncio.open_connection(*address)
        with closing(writer):
            for turn in count(number):
                if (began := time.perf_counter()) > ends:
                    break
                answer = await asyncio.wait_for(ask(reader, writer, jpegs[turn % len(jpegs)]), 60)
                times.append(time.perf_counter() - began)
                wrong += not answer.endswith(expected[turn % len(jpegs)])

    await client(0, time.perf_counter() + 3)  # warm
    times.clear()
    began = time.perf_counter()
    ended = await asyncio.gather(*(client(each, began + seconds) for each in range(clients)), return_exceptions=True)
    wrong += sum(isinstance(end, BaseException) for end in ended)
    return times, wrong, time.perf_counter() - began


def measure(options: argparse.Namespace) -> str:
    """The table, as Markdown."""
    model = YOLOPv2(options.weights, size=options.size)
    jpegs = [encode_image(render_scene(seed).image, ".jpg") for seed in SEEDS]
    frames = [Frame(decode_image(jpeg).image, "image-0") for jpeg in jpegs]
    scenes = model.predictor(frames, model.thresholds())
    expected = [f'"scenes":[{scene.to_json()}]}}'.encode() for scene in scenes]
    rate, same_work = bare(model, frames, options.seconds / 2), without_http(model, jpegs, options.seconds / 4)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "yolopv2", "serve", "--port", "0", "--jobs", folder]
        command += ["--weights", options.weights, "--size", str(options.size)]
        service = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert service.stdout is not None
            found = re.search(r"at http://([^:/\s]+):(\d+)", service.stdout.readline())
            if found is None:
                sys.exit("the service did not start")
            address = found[1], int(found[2])
            work = load(address, jpegs, expected, options.clients, options.seconds)
            times, wrong, took = asyncio.run(work)
        finally:
            service.terminate()
            service.communicate()
    rate = (rate + bare(model, frames, options.seconds / 2)) / 2  # before and after, for the machine may change
    served = len(times) / took
    p50, p99 = np.percentile(times, [50, 99]) * 1000
    return "\n".join(
        [
            f"{processor_name()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
            f"{model.predictor.runtime.description}, {options.weights} at {options.size}, 1280x720 JPEGs, "
            f"{options.clients} clients, {options.seconds:g} s",
            "",
            "| what | measured |",
            "|---|---|",
            f"| answers, wrong or lost | {len(times)}, {wrong} |",
            f"| service, pictures per second | {served:.1f} |",
            f"| bare predictor, frames per second | {rate:.1f} |",
            f"| service / bare predictor | {served / rate:.2f} |",
            f"| the same work without HTTP, pictures per second | {same_work:.1f} |",
            f"| service / the same work without HTTP | {served / same_work:.2f} |",
            f"| p50, p99 of an answer | {p50:.0f} ms, {p99:.0f} ms |",
        ]
    )


def main() -> None:
    """Measures and tells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--weights", default="nano")
    parser.add_argument("--size", type=int, default=640)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    table = measure(options)
    print(table)
    if options.write:
        write_section(HEADING, table)


if __name__ == "__main__":
    main()

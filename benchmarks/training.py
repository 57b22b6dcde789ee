"""How fast networks learn here, and where the time of a step goes.

    python benchmarks/training.py [nano small base] [--size 640x384] [--batch 8] [--device cpu]

Prints a Markdown table: milliseconds per frame for each part of a step, and frames per second of all parts one after
another. Frames are generated scenes, augmented as in training by this process; in training other processes do that
meanwhile. The first steps, in which memory is taken, do not count.
"""

import argparse
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from lightning_fabric import Fabric

from yolopv2.cli.terminal import width_and_height
from yolopv2.data.packed import pack_sample
from yolopv2.data.synthetic import render_scene
from yolopv2.network import Network
from yolopv2.training.config import make_config
from yolopv2.training.loader import AugmentedFrames, Source, collate
from yolopv2.training.losses import loss_sums, losses_of
from yolopv2.training.record import Silent
from yolopv2.training.run import precision_of
from yolopv2.training.trainer import Trainer

SKIPPED, TAKEN = 2, 5


def measure(variant: str, width: int, height: int, batch: int, device: str) -> dict[str, float]:
    """Milliseconds per frame of each part of a step, the median over some steps."""
    settings = {"variant": variant, "width": width, "height": height, "batch_size": batch, "device": device}
    config = make_config(settings, {"nominal_batch": batch})
    sources = [Source([pack_sample(render_scene(seed, height, width), height, width) for seed in range(8)], 1.0)]
    fabric = Fabric(accelerator=device, devices=1, precision=precision_of(config))  # type: ignore[arg-type]
    trainer = Trainer(Network(variant, classes=1), sources, config, fabric, Silent())
    frames = AugmentedFrames(sources, height, width, config.augment)
    times: dict[str, list[float]] = {}

    @contextmanager
    def timed(part: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.setdefault(part, []).append(1000 * (time.perf_counter() - started) / batch)

    for step in range(SKIPPED + TAKEN):
        with timed("augment"):
            made = collate([frames[step * batch + i] for i in range(batch)])
        made = made.to(fabric.device)
        x = (made.images.float() / 255).contiguous(memory_format=torch.channels_last)
        with timed("forward"):
            out = trainer.module(x)
        with timed("losses"):
            sums = loss_sums(out, made, trainer.network.anchors, config.loss)
            total = torch.stack(list(losses_of(sums, config.loss).values())).sum()
        with timed("backward"):
            fabric.backward(total)
        with timed("update"):
            trainer.optimizer.step()
            trainer.optimizer.zero_grad()
            trainer.ema.update(trainer.network)
    return {part: sorted(values[SKIPPED:])[TAKEN // 2] for part, values in times.items()}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("variants", nargs="*", default=["nano", "small", "base"])
    parser.add_argument("--size", default="640x384")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    width, height = width_and_height(given.size)
    print(f"{platform.machine()}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}")
    for number, variant in enumerate(given.variants):
        parts = measure(variant, width, height, given.batch, given.device)
        if not number:
            print("| ms per frame | " + " | ".join(parts) + " | frames/s |\n" + "|---" * (len(parts) + 2) + "|")
        rate = 1000 / sum(parts.values())
        print(f"| {variant} | " + " | ".join(f"{value:.1f}" for value in parts.values()) + f" | {rate:.1f} |")


if __name__ == "__main__":
    main()

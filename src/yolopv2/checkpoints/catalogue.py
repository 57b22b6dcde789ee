"""The weights that have a name: what they are, where they come from, and how to get them."""

import os
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yolopv2.checkpoints.files import OFFICIAL_SHA256, file_kind
from yolopv2.errors import YolopError
from yolopv2.files import cache_folder, sha256

_BUNDLED = Path(__file__).parent / "bundled"

Watch = Callable[[int, int | None], None]
"""Told of a download while it comes: bytes that are here, bytes in all where known. What it raises ends it."""


@dataclass(frozen=True)
class Entry:
    """Weights with a name.

    Attributes:
        name: What the user types.
        variant: The network's variant.
        description: One line.
        source: Who made them.
        licence: SPDX identifier, or what the data behind the weights allows.
        file: The file's name in the cache, or in the package when there is no ``url``.
        url: Where it is downloaded from; None if it is bundled.
        size: Bytes, where known beforehand.
        sha256: Checksum, where known beforehand; a download must match it.
        metrics: What its makers measured, by name.
        heads: What the network has, and
        names: its classes, where the file cannot be asked, because it is not here yet or only a program reads it.
    """

    name: str
    variant: str
    description: str
    source: str
    licence: str
    file: str
    url: str | None = None
    size: int | None = None
    sha256: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    heads: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Where the file is, or will be once it is pulled."""
        return (_BUNDLED if self.url is None else cache_folder()) / self.file


CATALOGUE = {
    entry.name: entry
    for entry in (
        Entry(
            name="nano",
            variant="nano",
            description="small and quick, for CPUs; comes with the package",
            source="trained by this project; see the model card",
            licence="BDD100K: research and non-profit use",
            file="nano.safetensors",
        ),
        Entry(
            name="official",
            variant="base",
            description="the released network of the YOLOPv2 authors",
            source="CAIC-AD/YOLOPv2, release V0.0.1",
            licence="MIT",
            file="yolopv2.pt",
            url="https://github.com/CAIC-AD/YOLOPv2/releases/download/V0.0.1/yolopv2.pt",
            size=156_380_200,
            sha256=OFFICIAL_SHA256,
            # Published (arXiv 2208.11434) on the validation split of BDD100K.
            metrics={"vehicle mAP50": 0.834, "drivable mIoU": 0.932, "lane recall": 0.873, "lane IoU": 0.272},
            heads=("detection", "drivable", "lanes"),
            names=("vehicle",),
        ),
    )
}


def entry(name: str) -> Entry:
    """The entry of that name.

    Raises:
        YolopError: There is none; the message lists those there are.
    """
    try:
        return CATALOGUE[name]
    except KeyError:
        raise YolopError(f"No weights are called {name!r}; there are: {', '.join(CATALOGUE)}.") from None


def facts(of: Entry) -> dict[str, Any]:
    """Everything known about an entry, in JSON types; what a bundled file says of itself is its own."""
    here = of.path.is_file()
    known = {
        "name": of.name,
        "variant": of.variant,
        "description": of.description,
        "source": of.source,
        "url": of.url,
        "licence": of.licence,
        "size": of.size,
        "sha256": of.sha256,
        "heads": list(of.heads),
        "names": list(of.names),
        "metrics": dict(of.metrics),
        "path": str(of.path),
        "bundled": of.url is None,
        "here": here,
    }
    return known | file_facts(of.path) | {"sha256": sha256(of.path)} if here and of.url is None else known


def file_facts(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a file of weights says of itself, but for where it lies and what it was made from.

    Args:
        path: The file.

    Returns:
        ``size`` in bytes; of a checkpoint also ``variant``, ``heads``, ``names`` and ``metrics``.

    Raises:
        YolopError: It cannot be read.
    """
    kind, size = file_kind(path), {"size": Path(path).stat().st_size}
    if kind != "safetensors":
        return size
    from yolopv2.checkpoints.meta import read_meta

    meta = read_meta(path).to_dict()
    return size | {
        "variant": meta["variant"],
        "heads": meta["heads"],
        "names": meta["names"],
        "metrics": meta["metrics"],
    }


def resolve(weights: str | os.PathLike[str]) -> Path:
    """The file behind a name of the catalogue (downloaded if need be) or a path.

    Args:
        weights: ``"nano"``, ``"official"``, or a path.

    Raises:
        YolopError: Neither a name nor a file; or the download failed.
    """
    if str(weights) in CATALOGUE:
        return pull(CATALOGUE[str(weights)])
    path = Path(weights).expanduser()
    if path.is_file():
        return path
    raise YolopError(
        f"No weights called {str(weights)!r}: neither a file nor a name of the catalogue ({', '.join(CATALOGUE)})."
    )


def bundled_graph(weights: str | os.PathLike[str]) -> Path | None:
    """The ONNX graph that the package holds beside bundled weights, for runtimes that need no PyTorch.

    Args:
        weights: As for `resolve`.

    Returns:
        The file, or None where the weights are not bundled.
    """
    named = CATALOGUE.get(str(weights))
    if named is None or named.url is not None:
        return None
    graph = named.path.with_suffix(".onnx")
    return graph if graph.is_file() else None


def pull(wanted: Entry, watch: Watch | None = None) -> Path:
    """The entry's file, downloaded unless it is there and whole.

    Args:
        wanted: The entry.
        watch: Is told of the download; if None, a bar on the terminal is.

    Raises:
        YolopError: The download failed; the message says what to download by hand and where to put it.
    """
    if wanted.url is None:
        if not wanted.path.is_file():
            raise YolopError(f"This installation lacks its bundled weights ({wanted.path}); install yolopv2 again.")
        return wanted.path
    import pooch
    from requests.exceptions import RequestException

    pooch.get_logger().setLevel("WARNING")
    try:
        with _Bar(wanted.file) if watch is None else nullcontext(watch) as told:
            downloader = pooch.HTTPDownloader(progressbar=_Progress(told), chunk_size=1 << 18)
            folder, file = wanted.path.parent, wanted.file
            found = pooch.retrieve(wanted.url, f"sha256:{wanted.sha256}", file, folder, downloader=downloader)
    except RequestException as error:
        reason = type(error).__name__
    except ValueError:
        reason = "what arrived has another checksum"
    except OSError as error:
        reason = error.strerror or str(error)
    else:
        return Path(found)
    raise YolopError(
        f"Could not get the weights '{wanted.name}' ({reason}): download {wanted.url} and put it at {wanted.path}."
    )


class _Progress:
    """What pooch tells of a download, as a `Watch` takes it."""

    def __init__(self, watch: Watch) -> None:
        self.total = 0  # set by pooch
        self._watch, self._done = watch, 0

    def update(self, amount: int) -> None:
        """More has come; pooch counts whole chunks, of which the last one is smaller."""
        self._done += amount
        self._watch(min(self._done, self.total) if self.total else self._done, self.total or None)

    def reset(self) -> None:
        """Called before the last `update`, which counts the whole again."""
        self._done = 0

    def close(self) -> None:
        """The end, of which the watcher is not told."""


class _Bar:
    """A `Watch` on the terminal, there from the first byte on."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: Any = None

    def __enter__(self) -> "_Bar":
        return self

    def __call__(self, done: int, total: int | None) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

            columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
            self._bar = Progress(*columns, console=Console(stderr=True))
            self._bar.start()
            self._bar.add_task(self._label, total=total)
        self._bar.update(0, completed=done)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

"""How a studio is set up."""

from dataclasses import dataclass, field

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What a studio takes and keeps.

    Attributes:
        picture_bytes: Bytes of one picture file.
        video_bytes: Bytes of one video file.
        pixels: Pixels of one picture or frame.
        frames: Frames of one video; of longer ones the first are looked at.
        disk_bytes: Bytes of all files kept for all sessions together.
        sessions: Sessions kept; the one that was idle longest makes room for a new one.
        pictures: Pictures kept per session; the oldest make room.
        videos: Videos kept per session; the oldest make room.
        batches: Batches kept per session; the oldest make room.
        files: Files of one batch.
        runs: Runs of workflows kept per session; the oldest make room.
    """

    picture_bytes: int = 32 * MIB
    video_bytes: int = 1024 * MIB
    pixels: int = 34_000_000
    frames: int = 3000
    disk_bytes: int = 4096 * MIB
    sessions: int = 16
    pictures: int = 12
    videos: int = 3
    batches: int = 2
    files: int = 10_000
    runs: int = 2


@dataclass(frozen=True)
class Settings:
    """Which models a studio offers, and to whom.

    Attributes:
        weights: Names of the catalogue or files to offer besides those that are at hand; the first is chosen at start.
        device: As for `yolopv2.YOLOPv2`.
        size: Long side the network sees at start.
        hosts: Names under which the page may be asked for, besides those of this machine.
        addresses: Whether pictures are fetched from web addresses, and weights of the catalogue downloaded; not for a
            studio that others can reach, whom it would lend its place in the network.
        limits: What it takes and keeps.
    """

    weights: tuple[str, ...] = ("nano",)
    device: str = "auto"
    size: int = 640
    hosts: tuple[str, ...] = ()
    addresses: bool = True
    limits: Limits = field(default_factory=Limits)

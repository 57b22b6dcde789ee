"""What a service is started with: its models, who may ask, and how much it takes on."""

from dataclasses import dataclass, field, fields
from pathlib import Path

from yolopv2.errors import YolopError

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """How much one request, and all of them together, may take. What is over a limit is refused with the reason.

    Attributes:
        body_bytes: Bytes of one request with pictures.
        pixels: Pixels of one picture, and of one frame of a video.
        images: Pictures in one request.
        memory_bytes: Bytes that bodies and decoded pictures of all requests take together.
        queue: Pictures taken on and not yet answered, of all requests together.
        batch: Pictures in a batch, whoever sent them, where the engine takes batches.
        wait: Seconds that a picture waits for others of its batch.
        timeout: Seconds from a request's last byte to its answer.
        read_timeout: Seconds without a byte after which a request is given up; it may take as long in all, and a
            second more for every 16 KiB.
        requests: Requests at the same time.
        streams: WebSockets and event streams at the same time.
        frame_bytes: Bytes of one live frame.
        video_bytes: Bytes of one video.
        jobs: Jobs kept, finished ones included.
        jobs_waiting: Jobs not yet finished.
        disk_bytes: Bytes of all jobs' files together.

    Raises:
        YolopError: One is not above zero.

    Example:
        >>> Limits(images=4).images
        4
    """

    body_bytes: int = 32 * MIB
    pixels: int = 25_000_000
    images: int = 16
    memory_bytes: int = 1024 * MIB
    queue: int = 64
    batch: int = 8
    wait: float = 0.004
    timeout: float = 30.0
    read_timeout: float = 20.0
    requests: int = 256
    streams: int = 32
    frame_bytes: int = 4 * MIB
    video_bytes: int = 2048 * MIB
    jobs: int = 200
    jobs_waiting: int = 20
    disk_bytes: int = 20_480 * MIB

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if not value > 0 and not (entry.name == "wait" and value == 0):
                raise YolopError(f"the limit {entry.name} must be above 0, not {value}")


@dataclass(frozen=True)
class Settings:
    """What a service is started with.

    Attributes:
        weights: What `yolopv2.YOLOPv2` takes. The first is what requests without a model's name get, and is loaded at
            the start; the others when they are first asked for.
        device: As for `yolopv2.YOLOPv2`.
        runtime: See there.
        size: See there.
        precision: See there.
        limits: How much is taken on.
        token: What requests must carry as ``Authorization: Bearer TOKEN``, or None if anyone may ask.
        jobs_folder: Where the jobs of videos are kept, so that they outlive the service.
        hosts: Names in the ``Host`` header under which the service may be asked, beside ``localhost`` and plain
            addresses, or ``*`` for any. Others are refused: a page in a browser could reach the service by a name of
            its own that resolves to this machine (DNS rebinding).
        origins: Web origins, such as ``https://example.org``, whose pages may use the service from a browser.
        url_hosts: Hosts from which pictures may be fetched by address, ``cdn.example.org`` or with a port
            ``cdn.example.org:8443``; none if empty.
    """

    weights: tuple[str, ...] = ("nano",)
    device: str = "auto"
    runtime: str = "auto"
    size: int = 640
    precision: str = "auto"
    limits: Limits = field(default_factory=Limits)
    token: str | None = field(default=None, repr=False)
    jobs_folder: Path = Path("runs/serve")
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    url_hosts: tuple[str, ...] = ()

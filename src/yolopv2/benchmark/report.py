"""What a benchmark measured: its rows, and the machine they come from; read and written as JSON."""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from yolopv2.errors import YolopError
from yolopv2.files import write_text_atomic

SCHEMA = 1
"""Version of the JSON that this program writes, and the newest that it reads."""


class Setup(BaseModel):
    """One way to run one network.

    Attributes:
        weights: Name or file.
        runtime: As for `yolopv2.YOLOPv2`, like the next three.
        precision: See there.
        size: Long side of the network's canvas, pixels.
        device: See there.
        threads: Cores its process may use.

    Example:
        >>> str(Setup(weights="runs/nano.onnx", runtime="openvino", precision="bfloat16", size=640, threads=2))
        'nano.onnx openvino bfloat16 640 2 threads'
    """

    model_config = ConfigDict(frozen=True)

    weights: str
    runtime: str = "auto"
    precision: str = "auto"
    size: int = Field(640, gt=0)
    device: str = "auto"
    threads: int = Field(gt=0)

    def __str__(self) -> str:
        device = [] if self.device == "auto" else [self.device]
        cores = f"{self.threads} thread{'s' * (self.threads > 1)}"
        return " ".join([Path(self.weights).name, self.runtime, self.precision, str(self.size), *device, cores])


class Row(BaseModel):
    """What was measured of one setup, from frame to scene, one frame at a time.

    Attributes:
        setup: What ran.
        engine: What the runtime says of itself.
        ms: Median milliseconds of a frame, one number per round; the n-th rounds of all rows are neighbours in time.
        p50: Median milliseconds of a frame, over all rounds.
        p90: What nine of ten frames stay below, milliseconds.
        ratio: How many times as quick as the first row: the median over the rounds of the quotient within a round.
        ratio_low: Lower quartile of that quotient.
        ratio_high: Upper quartile.
        memory: Resident megabytes of its process; None where the system does not tell.
        first_frame: Seconds from the start of a process to its first scene, with what earlier processes left in caches.
        scores: On labelled frames, by name, where they were asked for.
    """

    model_config = ConfigDict(frozen=True)

    setup: Setup
    engine: str
    ms: tuple[float, ...]
    p50: float = Field(gt=0)
    p90: float = Field(gt=0)
    ratio: float = Field(gt=0)
    ratio_low: float = Field(gt=0)
    ratio_high: float = Field(gt=0)
    memory: float | None
    first_frame: float
    scores: dict[str, float] = Field(default_factory=dict)

    @property
    def frames_per_second(self) -> float:
        """Of one frame after the other."""
        return 1000 / self.p50


class LeftOut(BaseModel):
    """A setup that could not be measured, and why."""

    model_config = ConfigDict(frozen=True)

    setup: Setup
    reason: str


class Report(BaseModel):
    """One run of the benchmark.

    Attributes:
        format: Version of the JSON.
        machine: See `yolopv2.benchmark.machine.machine`.
        versions: Of the engines.
        frame: Width and height of the frames.
        date: When, ISO 8601.
        rows: What was measured; the first one is the yardstick of the ratios.
        left_out: What could not be.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    format: int = SCHEMA
    machine: dict[str, str]
    versions: dict[str, str]
    frame: tuple[int, int]
    date: str
    rows: tuple[Row, ...]
    left_out: tuple[LeftOut, ...] = ()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it as JSON, whole or not at all.

        Raises:
            YolopError: It cannot be written.
        """
        write_text_atomic(path, self.model_dump_json(indent=1) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Report":
        """Reads what `save` wrote.

        Raises:
            YolopError: It is missing, damaged, of a newer format, or no such report; the message names the field.
        """
        try:
            report = cls.model_validate_json(Path(path).read_bytes())
        except OSError as error:
            raise YolopError(f"cannot read {path}: {error.strerror or error}") from None
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or "the whole"
            raise YolopError(
                f"{path} is no benchmark or a damaged one, at '{field}': {first['msg']}; "
                "write one with 'yolopv2 bench --json FILE'"
            ) from None
        if report.format > SCHEMA:
            raise YolopError(f"{path} has format {report.format}, this program reads up to {SCHEMA}: update yolopv2")
        return report

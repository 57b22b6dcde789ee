"""Videos that a page has given: looked at in the background, frame by frame, and written with what was seen."""

import secrets
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from yolopv2.data.synthetic import Drive
from yolopv2.inference import Thresholds
from yolopv2.inference.video import ahead
from yolopv2.media import Frame, VideoWriter, decode_image
from yolopv2.media.video import open_video, probe_video
from yolopv2.scene import Scene
from yolopv2.studio.errors import Refusal
from yolopv2.studio.look import Look
from yolopv2.studio.models import Choice, Models
from yolopv2.studio.pictures import check_pixels, jpeg
from yolopv2.studio.settings import Limits
from yolopv2.studio.work import Work, end_all

if TYPE_CHECKING:
    from yolopv2.studio.sessions import Shelf

DRIVE_FPS = 30.0
"""Of generated drives, as ``yolopv2 data render`` makes them."""

UNKNOWN_RATE = 25.0
"""Frames per second of what is written of a video that does not tell its own."""

_MOST_AT_ONCE = 200
"""Frames whose curves are sent in one answer."""

_slots = threading.Semaphore(2)
"""Videos and files of batches that are worked on at the same time; further ones wait."""


class Video:
    """A video and what was seen in it so far.

    Args:
        shelf: Where it is kept, as the file ``video`` if it is there already.
        name: How results call it.
        models: Look at it.
        limits: What is taken.
        drive: A generated drive to render first, and how many frames of it.

    Raises:
        YolopError: It cannot be read.
        Refusal: Its frames are too large.
    """

    def __init__(
        self, shelf: "Shelf", name: str, models: Models, limits: Limits, drive: tuple[Drive, int] | None = None
    ) -> None:
        self.id, self.name = secrets.token_hex(8), name
        self.path = shelf.folder / "video"
        self.work, self.export = Work(), Work("done")
        self._shelf, self._models, self._limits, self._drive = shelf, models, limits, drive
        self._engine = ""
        self._looks: list[Look] = []
        self._times: list[float | None] = []
        self._fps, self._size, self._estimate = DRIVE_FPS, (0, 0), None if drive is None else drive[1]
        self._lock = threading.Lock()
        if drive is None:
            try:
                self._probe()
            except BaseException:
                shelf.remove()
                raise

    def _probe(self) -> None:
        info = probe_video(self.path)
        check_pixels(*info.size, self._limits)
        self._fps, self._size = info.fps or UNKNOWN_RATE, info.size
        self._estimate = None if info.total is None else min(info.total, self._limits.frames)

    def start(self, choice: Choice) -> None:
        """Looks at it from the first frame on, with a model; what another model saw is forgotten."""
        self.cancel()
        with self._lock:
            self._looks, self._times = [], []
            self.work, self.export = Work(total=self._estimate), Work("done")
            self.work.start(self._see, self.work, choice)

    def start_export(self, thresholds: Thresholds, layers: list[str]) -> None:
        """Writes ``export.mp4`` and ``scenes.jsonl`` of the frames that were looked at.

        Raises:
            Refusal: One is being written, or nothing was seen yet.
        """
        with self._lock:
            if self.export.is_running:
                raise Refusal(409, "This video is being written already.")
            if not self._looks:
                raise Refusal(409, "No frame of this video was looked at yet.")
            self.export = Work(total=len(self._looks))
            self.export.start(self._write, self.export, thresholds, layers)

    def cancel(self) -> None:
        """Ends looking and writing; what was seen stays."""
        end_all(self.work, self.export)

    def close(self) -> None:
        """Ends all and removes the files."""
        self.cancel()
        self._shelf.remove()

    def describe(self, since: int = 0) -> dict[str, Any]:
        """Progress, and the curves of some frames from one on."""
        with self._lock:
            looks = self._looks[since : since + _MOST_AT_ONCE]
            return {
                "kind": "video",
                "id": self.id,
                "name": self.name,
                "fps": self._fps,
                "width": self._size[0],
                "height": self._size[1],
                "engine": self._engine,
                **self.work.describe(),
                "export": self.export.describe(),
                "curves": [look.to_curves() for look in looks],
            }

    def look(self, index: int) -> Look:
        """What was seen in one frame.

        Raises:
            Refusal: It was not looked at yet.
        """
        with self._lock:
            if not 0 <= index < len(self._looks):
                raise Refusal(404, f"Frame {index} was not looked at yet.")
            return self._looks[index]

    def picture(self, index: int) -> bytes:
        """One frame as JPEG."""
        self.look(index)
        return self._picture(index).read_bytes()

    def time(self, index: int) -> float | None:
        """When a frame that was looked at comes, in seconds."""
        return self._times[index]

    def frame(self, index: int) -> Frame:
        """One frame as it was kept."""
        image = decode_image(self.picture(index)).image
        return Frame(image, self.name, index, self._times[index], self._fps, is_video=True)

    def look_anew(self, index: int, choice: Choice) -> Look:
        """What another model sees in one frame."""
        return self._models.look(choice, self.frame(index))

    def scene(self, index: int, thresholds: Thresholds) -> Scene:
        """What is seen in one frame with these thresholds."""
        return self.look(index).decide(thresholds, self.frame(index))

    def _picture(self, index: int) -> Path:
        return self._shelf.folder / f"{index:06d}.jpg"

    def _see(self, work: Work, choice: Choice) -> None:
        with a_turn(work):
            if self._drive is not None and not self.path.is_file():
                self._render(work, *self._drive)
            work.state, work.done = "looking", 0
            self._engine = self._models.engine(choice)
            with closing(ahead(self.frames())) as frames:
                for frame in frames:
                    work.check()
                    look = self._models.look(choice, frame)
                    if not self._picture(frame.index).is_file():
                        self._shelf.write(f"{frame.index:06d}.jpg", jpeg(frame))
                    with self._lock:
                        self._looks.append(look)
                        self._times.append(frame.time)
                    work.done += 1
                    time.sleep(0)  # whoever waits for the model gets it
            work.total = work.done

    def _render(self, work: Work, drive: Drive, frames: int) -> None:
        work.state = "rendering"
        unfinished, work.total = self.path.with_name("drive.mp4"), frames
        with VideoWriter(unfinished, drive.fps, drive.width, drive.height) as video:
            for sample in drive.frames(frames):
                work.check()
                video.write(sample.image)
                work.done += 1
        self._shelf.take(unfinished.stat().st_size)
        unfinished.rename(self.path)
        self._probe()

    def _write(self, work: Work, thresholds: Thresholds, layers: list[str]) -> None:
        folder, looks, lines = self._shelf.folder, [*self._looks], []
        path = folder / "export.mp4"
        with a_turn(work), VideoWriter(path, self._fps, *self._size) as video, closing(self.frames()) as frames:
            work.state = "looking"
            for frame, look in zip(frames, looks, strict=False):
                work.check()
                scene = look.decide(thresholds, frame)
                video.write(scene.draw(layers=layers))
                lines.append(scene.to_json() + "\n")
                work.done += 1
        self._shelf.take(path.stat().st_size)
        self._shelf.write("scenes.jsonl", "".join(lines).encode())

    def frames(self) -> Generator[Frame, None, None]:
        """The frames of the video itself, as far as they are looked at."""
        return video_frames(self.path, self.name, self._limits.frames)

    def exported(self, name: Literal["export.mp4", "scenes.jsonl"]) -> Path:
        """A file that was written.

        Raises:
            Refusal: It was not.
        """
        path = self._shelf.folder / name
        if self.export.state != "done" or not path.is_file():
            raise Refusal(404, "This video was not written yet.")
        return path


def video_frames(path: Path, name: str, most: int) -> Generator[Frame, None, None]:
    """The first frames of a video file.

    Args:
        path: The file.
        name: How results call it.
        most: How many at most.
    """
    with open_video(path) as video:
        for index, (image, at) in enumerate(video.frames()):
            if index == most:
                return
            yield Frame(image, name, index, at, video.fps, is_video=True)


@contextmanager
def a_turn(work: Work) -> Iterator[None]:
    """A turn to work."""
    while not _slots.acquire(timeout=0.2):
        work.check()
    try:
        yield
    finally:
        _slots.release()


def generated_drive(seed: int, weather: str | None, time_of_day: str | None) -> Drive:
    """A drive as ``yolopv2 data render`` makes it.

    Raises:
        YolopError: A value that cannot be.
    """
    return Drive(seed, DRIVE_FPS, weather=weather, time_of_day=time_of_day)

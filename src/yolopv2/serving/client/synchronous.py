"""Client: the service from a program that waits for its answers."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import httpx

from yolopv2.scene import Scene
from yolopv2.serving.client import wire
from yolopv2.serving.client.exchanges import Ask, Exchange, Exchanges, Outcome, Progress, T

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Client:
    """The service, from a program that waits for its answers. Close it, or use it as a context manager.

    Args:
        url: Where the service is.
        token: Its token, if it has one.
        timeout: Seconds to wait for an answer.
        retries: How often a request is tried again when the service is busy (429, 503), after the time it asks for,
            or cannot be connected to.

    Example:
        >>> client = Client("http://127.0.0.1:8000", timeout=5)
        >>> scene = client.run("street.jpg", conf=0.4)  # doctest: +SKIP
        >>> client.close()
    """

    def __init__(
        self, url: str = "http://127.0.0.1:8000", token: str | None = None, timeout: float = 60.0, retries: int = 5
    ) -> None:
        self._exchanges = Exchanges(url, retries)
        self._http = httpx.Client(base_url=self._exchanges.url, headers=wire.headers(token), timeout=timeout)

    def run(self, source: Any, **options: "Unpack[wire.Options]") -> Scene | list[Scene]:
        """Looks at one picture, or at several.

        Args:
            source: A path, the bytes of a picture's file, an array (RGB); or a list of these.
            options: ``conf``, ``iou``, ``classes``, ``max_det``, ``agnostic`` as for `yolopv2.YOLOPv2`, and ``model``,
                one of the service's models; the service's default for those left out.

        Returns:
            One scene for one picture, for several a list.

        Raises:
            YolopError: A picture cannot be read.
            ServiceError: The service cannot be reached, or refuses; with its reason.
        """
        return self._perform(self._exchanges.run(source, options))

    def submit(self, video: str | os.PathLike[str], annotate: bool = True, **options: "Unpack[wire.Options]") -> "Job":
        """Hands in a video.

        Args:
            video: Its path.
            annotate: Whether to make an annotated video.
            options: As for `run`.

        Returns:
            The job.

        Raises:
            YolopError: There is no such file.
            ServiceError: The service cannot be reached, or refuses; with its reason.
        """
        return Job(self, self._perform(self._exchanges.submit(video, annotate, options)))

    def job(self, id: str) -> "Job":
        """A job that was handed in before."""
        return Job(self, self._ask("GET", f"/v1/jobs/{id}"))

    def jobs(self) -> list["Job"]:
        """All jobs of the service, the oldest first."""
        return [Job(self, facts) for facts in self._ask("GET", "/v1/jobs")["jobs"]]

    def models(self) -> list[dict[str, Any]]:
        """The models of the service, the default one first."""
        return list(self._ask("GET", "/v1/models")["models"])

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, method: str, path: str) -> dict[str, Any]:
        return self._perform(self._exchanges.facts(Ask(method, path)))

    def _perform(self, exchange: Exchange[T]) -> T:
        outcome: Outcome = None
        while True:
            try:
                step = exchange.send(outcome)
            except StopIteration as end:
                return end.value
            if isinstance(step, Ask):
                outcome = self._send(step)
            else:
                time.sleep(step)

    def _send(self, ask: Ask) -> Outcome:
        body = None if ask.video is None else wire.blocks(ask.video)
        try:
            return self._http.request(ask.method, ask.path, params=ask.params, files=ask.files, content=body)
        except httpx.HTTPError as error:
            return error

    @contextmanager
    def _stream(self, path: str) -> Iterator[httpx.Response]:
        """The answer of a long file, as it comes."""
        try:
            with self._http.stream("GET", path) as answer:
                if not answer.is_success:
                    answer.read()
                yield wire.check(answer)
        except httpx.HTTPError as error:
            raise wire.unreachable(self._exchanges.url, error) from None


class Job:
    """A video that was handed in; made by `Client.submit`.

    Args:
        client: Whose service it is.
        facts: What the service says of it.

    Attributes:
        facts: What the service said last: ``state``, ``frames``, ``total``, ``error`` and so on.
    """

    def __init__(self, client: Client, facts: dict[str, Any]) -> None:
        self._client, self.facts = client, facts
        self.id: str = facts["id"]
        self._path = f"/v1/jobs/{self.id}"

    @property
    def state(self) -> str:
        """``queued``, ``running``, ``done``, ``failed`` or ``cancelled``, when it was last asked for."""
        return str(self.facts["state"])

    def refresh(self) -> "Job":
        """Asks the service how far the job is."""
        self.facts = self._client._ask("GET", self._path)
        return self

    def wait(self, progress: Progress | None = None, interval: float = 0.5) -> "Job":
        """Waits for the end of the job.

        Args:
            progress: Told of the frames done and the frames in all, which may be None.
            interval: Seconds between two questions.

        Raises:
            ServiceError: The job failed or was cancelled, or the service is gone.
        """
        self.facts = self._client._perform(self._client._exchanges.wait(self.facts, progress, interval))
        return self

    def scenes(self) -> Iterator[Scene]:
        """What was seen, frame by frame; the job must be done."""
        with self._client._stream(f"{self._path}/scenes.jsonl") as answer:
            for line in answer.iter_lines():
                yield wire.scene_of_line(line)

    def save_video(self, path: str | os.PathLike[str]) -> Path:
        """Writes the annotated video, whole or not at all; the job must be done.

        Raises:
            YolopError: The file cannot be written.
            ServiceError: There is no annotated video.
        """
        with wire.whole_file(path) as file, self._client._stream(f"{self._path}/annotated.mp4") as answer:
            for block in answer.iter_bytes(wire.BLOCK):
                file.write(block)
        return Path(path)

    def cancel(self) -> "Job":
        """Ends the job; what it made so far goes."""
        self.facts = self._client._ask("POST", f"{self._path}/cancel")
        return self

    def delete(self) -> None:
        """Removes the job and all its files from the service."""
        self._client._perform(self._client._exchanges.send(Ask("DELETE", self._path)))

"""Client: the service from a program that waits for its answers."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from yolopv2.files import cannot_write, hidden_path
from yolopv2.scene import Scene
from yolopv2.serving.client import wire


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
        self.url, self._retries = url.rstrip("/"), retries
        self._http = httpx.Client(base_url=self.url, headers=wire.headers(token), timeout=timeout)

    def run(
        self,
        source: Any,
        conf: float | None = None,
        iou: float | None = None,
        classes: Any = None,
        max_det: int | None = None,
        agnostic: bool | None = None,
        model: str | None = None,
    ) -> Scene | list[Scene]:
        """Looks at one picture, or at several.

        Args:
            source: A path, the bytes of a picture's file, an array (RGB); or a list of these.
            conf: As for `yolopv2.YOLOPv2`, like the other options; the service's default if None.
            iou: See there.
            classes: See there.
            max_det: See there.
            agnostic: See there.
            model: Which of the service's models; its first if None.

        Returns:
            One scene for one picture, for several a list.

        Raises:
            YolopError: A picture cannot be read.
            ServiceError: The service cannot be reached, or refuses; with its reason.
        """
        given = {"conf": conf, "iou": iou, "classes": classes, "max_det": max_det, "agnostic": agnostic, "model": model}
        files, params = wire.files(source), wire.options(given)
        scenes = wire.scenes(self._send("POST", "/v1/predict", files=files, params=params))
        return scenes if wire.is_several(source) else scenes[0]

    def submit(self, video: str | os.PathLike[str], annotate: bool = True, **options: Any) -> "ClientJob":
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
        path = wire.video_path(video)
        params = {**wire.options(options), "annotate": annotate, "name": path.name}
        kind = {"Content-Type": "application/octet-stream"}
        answer = self._send("POST", "/v1/jobs", content=lambda: wire.blocks(path), params=params, headers=kind)
        return ClientJob(self, answer.json())

    def job(self, id: str) -> "ClientJob":
        """A job that was handed in before."""
        return ClientJob(self, self._send("GET", f"/v1/jobs/{id}").json())

    def jobs(self) -> list["ClientJob"]:
        """All jobs of the service, the oldest first."""
        return [ClientJob(self, facts) for facts in self._send("GET", "/v1/jobs").json()["jobs"]]

    def models(self) -> list[dict[str, Any]]:
        """The models of the service, the default one first."""
        return list(self._send("GET", "/v1/models").json()["models"])

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, method: str, path: str, content: Callable[[], Any] | None = None, **options: Any) -> httpx.Response:
        """Sends a request, again if need be; ``content`` makes the body anew each time."""
        attempt = 0
        while True:
            try:
                body = None if content is None else content()
                answer: httpx.Response | None = self._http.request(method, path, content=body, **options)
                failure: Exception | None = None
            except httpx.HTTPError as error:
                answer, failure = None, error
            retried = answer is not None or isinstance(failure, httpx.ConnectError)
            seconds = wire.pause(answer, attempt, self._retries) if retried else None
            if seconds is None:
                if answer is None:
                    raise wire.unreachable(self.url, failure or OSError()) from None
                return wire.check(answer)
            time.sleep(seconds)
            attempt += 1


class ClientJob:
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

    @property
    def state(self) -> str:
        """``queued``, ``running``, ``done``, ``failed`` or ``cancelled``, when it was last asked for."""
        return str(self.facts["state"])

    def refresh(self) -> "ClientJob":
        """Asks the service how far the job is."""
        self.facts = self._client._send("GET", f"/v1/jobs/{self.id}").json()
        return self

    def wait(self, progress: Callable[[int, int | None], object] | None = None, interval: float = 0.5) -> "ClientJob":
        """Waits for the end of the job.

        Args:
            progress: Told of the frames done and the frames in all, which may be None.
            interval: Seconds between two questions.

        Raises:
            ServiceError: The job failed or was cancelled, or the service is gone.
        """
        while not wire.is_over(self.facts):
            time.sleep(interval)
            self.refresh()
            if progress is not None:
                progress(self.facts["frames"], self.facts["total"])
        wire.check_done(self.facts)
        return self

    def scenes(self) -> Iterator[Scene]:
        """What was seen, frame by frame; the job must be done."""
        with self._client._http.stream("GET", f"/v1/jobs/{self.id}/scenes.jsonl") as answer:
            if not answer.is_success:
                answer.read()
            wire.check(answer)
            for line in answer.iter_lines():
                yield wire.scene_of_line(line)

    def save_video(self, path: str | os.PathLike[str]) -> Path:
        """Writes the annotated video, whole or not at all; the job must be done.

        Raises:
            YolopError: The file cannot be written.
            ServiceError: There is no annotated video.
        """
        try:
            temporary = hidden_path(path)
            try:
                with (
                    self._client._http.stream("GET", f"/v1/jobs/{self.id}/annotated.mp4") as answer,
                    temporary.open("wb") as file,
                ):
                    if not answer.is_success:
                        answer.read()
                    wire.check(answer)
                    for block in answer.iter_bytes(wire.BLOCK):
                        file.write(block)
                os.replace(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(path, error) from error
        return Path(path)

    def cancel(self) -> "ClientJob":
        """Ends the job; what it made so far goes."""
        self.facts = self._client._send("POST", f"/v1/jobs/{self.id}/cancel").json()
        return self

    def delete(self) -> None:
        """Removes the job and all its files from the service."""
        self._client._send("DELETE", f"/v1/jobs/{self.id}")

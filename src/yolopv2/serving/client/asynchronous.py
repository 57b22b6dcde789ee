"""AsyncClient: the service from a program that does other things while it waits."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from yolopv2.files import cannot_write, hidden_path
from yolopv2.scene import Scene
from yolopv2.serving.client import wire


class AsyncClient:
    """The service, from a program that does other things while it waits. Close it, or use it as a context manager.

    Args:
        url: Where the service is.
        token: Its token, if it has one.
        timeout: Seconds to wait for an answer.
        retries: How often a request is tried again when the service is busy (429, 503), after the time it asks for,
            or cannot be connected to.

    Example:
        >>> async def look():
        ...     async with AsyncClient("http://127.0.0.1:8000") as client:
        ...         return await client.run("street.jpg", conf=0.4)
    """

    def __init__(
        self, url: str = "http://127.0.0.1:8000", token: str | None = None, timeout: float = 60.0, retries: int = 5
    ) -> None:
        self.url, self._retries = url.rstrip("/"), retries
        self._http = httpx.AsyncClient(base_url=self.url, headers=wire.headers(token), timeout=timeout)

    async def run(
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
        files, params = await asyncio.to_thread(wire.files, source), wire.options(given)
        answer = await self._send("POST", "/v1/predict", files=files, params=params)
        scenes = await asyncio.to_thread(wire.scenes, answer)
        return scenes if wire.is_several(source) else scenes[0]

    async def submit(self, video: str | os.PathLike[str], annotate: bool = True, **options: Any) -> "AsyncJob":
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
        answer = await self._send("POST", "/v1/jobs", content=lambda: _blocks(path), params=params, headers=kind)
        return AsyncJob(self, answer.json())

    async def job(self, id: str) -> "AsyncJob":
        """A job that was handed in before."""
        return AsyncJob(self, (await self._send("GET", f"/v1/jobs/{id}")).json())

    async def jobs(self) -> list["AsyncJob"]:
        """All jobs of the service, the oldest first."""
        return [AsyncJob(self, facts) for facts in (await self._send("GET", "/v1/jobs")).json()["jobs"]]

    async def models(self) -> list[dict[str, Any]]:
        """The models of the service, the default one first."""
        return list((await self._send("GET", "/v1/models")).json()["models"])

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _send(
        self, method: str, path: str, content: Callable[[], Any] | None = None, **options: Any
    ) -> httpx.Response:
        """Sends a request, again if need be; ``content`` makes the body anew each time."""
        attempt = 0
        while True:
            try:
                body = None if content is None else content()
                answer: httpx.Response | None = await self._http.request(method, path, content=body, **options)
                failure: Exception | None = None
            except httpx.HTTPError as error:
                answer, failure = None, error
            retried = answer is not None or isinstance(failure, httpx.ConnectError)
            seconds = wire.pause(answer, attempt, self._retries) if retried else None
            if seconds is None:
                if answer is None:
                    raise wire.unreachable(self.url, failure or OSError()) from None
                return wire.check(answer)
            await asyncio.sleep(seconds)
            attempt += 1


class AsyncJob:
    """A video that was handed in; made by `AsyncClient.submit`.

    Args:
        client: Whose service it is.
        facts: What the service says of it.

    Attributes:
        facts: What the service said last: ``state``, ``frames``, ``total``, ``error`` and so on.
    """

    def __init__(self, client: AsyncClient, facts: dict[str, Any]) -> None:
        self._client, self.facts = client, facts
        self.id: str = facts["id"]

    @property
    def state(self) -> str:
        """``queued``, ``running``, ``done``, ``failed`` or ``cancelled``, when it was last asked for."""
        return str(self.facts["state"])

    async def refresh(self) -> "AsyncJob":
        """Asks the service how far the job is."""
        self.facts = (await self._client._send("GET", f"/v1/jobs/{self.id}")).json()
        return self

    async def wait(
        self, progress: Callable[[int, int | None], object] | None = None, interval: float = 0.5
    ) -> "AsyncJob":
        """Waits for the end of the job.

        Args:
            progress: Told of the frames done and the frames in all, which may be None.
            interval: Seconds between two questions.

        Raises:
            ServiceError: The job failed or was cancelled, or the service is gone.
        """
        while not wire.is_over(self.facts):
            await asyncio.sleep(interval)
            await self.refresh()
            if progress is not None:
                progress(self.facts["frames"], self.facts["total"])
        wire.check_done(self.facts)
        return self

    async def scenes(self) -> AsyncIterator[Scene]:
        """What was seen, frame by frame; the job must be done."""
        async with self._client._http.stream("GET", f"/v1/jobs/{self.id}/scenes.jsonl") as answer:
            if not answer.is_success:
                await answer.aread()
            wire.check(answer)
            async for line in answer.aiter_lines():
                yield wire.scene_of_line(line)

    async def save_video(self, path: str | os.PathLike[str]) -> Path:
        """Writes the annotated video, whole or not at all; the job must be done.

        Raises:
            YolopError: The file cannot be written.
            ServiceError: There is no annotated video.
        """
        try:
            temporary = hidden_path(path)
            try:
                with temporary.open("wb") as file:
                    async with self._client._http.stream("GET", f"/v1/jobs/{self.id}/annotated.mp4") as answer:
                        if not answer.is_success:
                            await answer.aread()
                        wire.check(answer)
                        async for block in answer.aiter_bytes(wire.BLOCK):
                            await asyncio.to_thread(file.write, block)
                os.replace(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(path, error) from error
        return Path(path)

    async def cancel(self) -> "AsyncJob":
        """Ends the job; what it made so far goes."""
        self.facts = (await self._client._send("POST", f"/v1/jobs/{self.id}/cancel")).json()
        return self

    async def delete(self) -> None:
        """Removes the job and all its files from the service."""
        await self._client._send("DELETE", f"/v1/jobs/{self.id}")


async def _blocks(path: Path) -> AsyncIterator[bytes]:
    """A file in blocks, read in threads."""
    blocks = wire.blocks(path)
    while block := await asyncio.to_thread(next, blocks, None):
        yield block

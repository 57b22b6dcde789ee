"""AsyncClient: the service from a program that does other things while it waits."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import httpx

from yolopv2.scene import Scene
from yolopv2.serving.client import wire
from yolopv2.serving.client.exchanges import Ask, Exchange, Exchanges, Outcome, Progress, T

if TYPE_CHECKING:
    from typing_extensions import Unpack


class AsyncClient:
    """`Client`, from a program that does other things while it waits: the same methods, to be awaited.

    Args:
        url: As for `Client`, like the others.
        token: See there.
        timeout: See there.
        retries: See there.

    Example:
        >>> async def look():
        ...     async with AsyncClient("http://127.0.0.1:8000") as client:
        ...         return await client.run("street.jpg", conf=0.4)
    """

    def __init__(
        self, url: str = "http://127.0.0.1:8000", token: str | None = None, timeout: float = 60.0, retries: int = 5
    ) -> None:
        self._exchanges = Exchanges(url, retries)
        self._http = httpx.AsyncClient(base_url=self._exchanges.url, headers=wire.headers(token), timeout=timeout)

    async def run(self, source: Any, **options: "Unpack[wire.Options]") -> Scene | list[Scene]:
        """Looks at one picture, or at several; see `Client.run`."""
        return await self._perform(self._exchanges.run(source, options))

    async def submit(
        self, video: str | os.PathLike[str], annotate: bool = True, **options: "Unpack[wire.Options]"
    ) -> "AsyncJob":
        """Hands in a video; see `Client.submit`."""
        return AsyncJob(self, await self._perform(self._exchanges.submit(video, annotate, options)))

    async def job(self, id: str) -> "AsyncJob":
        """A job that was handed in before."""
        return AsyncJob(self, await self._ask("GET", f"/v1/jobs/{id}"))

    async def jobs(self) -> list["AsyncJob"]:
        """All jobs of the service, the oldest first."""
        return [AsyncJob(self, facts) for facts in (await self._ask("GET", "/v1/jobs"))["jobs"]]

    async def models(self) -> list[dict[str, Any]]:
        """The models of the service, the default one first."""
        return list((await self._ask("GET", "/v1/models"))["models"])

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _ask(self, method: str, path: str) -> dict[str, Any]:
        return await self._perform(self._exchanges.facts(Ask(method, path)))

    async def _perform(self, exchange: Exchange[T]) -> T:
        outcome: Outcome = None
        while True:
            step = await asyncio.to_thread(_next, exchange, outcome)  # it reads, encodes and decodes pictures
            if isinstance(step, _Result):
                return step.value
            if isinstance(step, Ask):
                outcome = await self._send(step)
            else:
                await asyncio.sleep(step)

    async def _send(self, ask: Ask) -> Outcome:
        body = None if ask.video is None else _blocks(ask.video)
        try:
            return await self._http.request(ask.method, ask.path, params=ask.params, files=ask.files, content=body)
        except httpx.HTTPError as error:
            return error

    @asynccontextmanager
    async def _stream(self, path: str) -> AsyncIterator[httpx.Response]:
        """The answer of a long file, as it comes."""
        try:
            async with self._http.stream("GET", path) as answer:
                if not answer.is_success:
                    await answer.aread()
                yield wire.check(answer)
        except httpx.HTTPError as error:
            raise wire.unreachable(self._exchanges.url, error) from None


class AsyncJob:
    """A video that was handed in; made by `AsyncClient.submit`. It has what `Job` has, to be awaited.

    Args:
        client: Whose service it is.
        facts: What the service says of it.

    Attributes:
        facts: What the service said last: ``state``, ``frames``, ``total``, ``error`` and so on.
    """

    def __init__(self, client: AsyncClient, facts: dict[str, Any]) -> None:
        self._client, self.facts = client, facts
        self.id: str = facts["id"]
        self._path = f"/v1/jobs/{self.id}"

    @property
    def state(self) -> str:
        """``queued``, ``running``, ``done``, ``failed`` or ``cancelled``, when it was last asked for."""
        return str(self.facts["state"])

    async def refresh(self) -> "AsyncJob":
        """Asks the service how far the job is."""
        self.facts = await self._client._ask("GET", self._path)
        return self

    async def wait(self, progress: Progress | None = None, interval: float = 0.5) -> "AsyncJob":
        """Waits for the end of the job; see `Job.wait`."""
        self.facts = await self._client._perform(self._client._exchanges.wait(self.facts, progress, interval))
        return self

    async def scenes(self) -> AsyncIterator[Scene]:
        """What was seen, frame by frame; the job must be done."""
        async with self._client._stream(f"{self._path}/scenes.jsonl") as answer:
            async for line in answer.aiter_lines():
                yield wire.scene_of_line(line)

    async def save_video(self, path: str | os.PathLike[str]) -> Path:
        """Writes the annotated video, whole or not at all; see `Job.save_video`."""
        with wire.whole_file(path) as file:
            async with self._client._stream(f"{self._path}/annotated.mp4") as answer:
                async for block in answer.aiter_bytes(wire.BLOCK):
                    await asyncio.to_thread(file.write, block)
        return Path(path)

    async def cancel(self) -> "AsyncJob":
        """Ends the job; what it made so far goes."""
        self.facts = await self._client._ask("POST", f"{self._path}/cancel")
        return self

    async def delete(self) -> None:
        """Removes the job and all its files from the service."""
        await self._client._perform(self._client._exchanges.send(Ask("DELETE", self._path)))


class _Result:
    """The end of an exchange: a thread cannot hand a StopIteration on."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _next(exchange: Exchange[Any], outcome: Outcome) -> Ask | float | _Result:
    try:
        return exchange.send(outcome)
    except StopIteration as end:
        return _Result(end.value)


async def _blocks(path: Path) -> AsyncIterator[bytes]:
    """A file in blocks, read in threads."""
    blocks = wire.blocks(path)
    while block := await asyncio.to_thread(next, blocks, None):
        yield block

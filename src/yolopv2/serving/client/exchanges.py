"""What the clients ask and what they make of the answers, without any input or output of their own.

An exchange is a generator: it yields what is to be sent (`Ask`) or the seconds to wait, is given the answer, and
returns the result. `Client` and `AsyncClient` only carry it out, each in its way.
"""

import os
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from yolopv2.scene import Scene
from yolopv2.serving.client import wire

T = TypeVar("T")

Progress = Callable[[int, int | None], object]
"""Told of the frames done and the frames in all, which may be None."""


@dataclass(frozen=True)
class Ask:
    """A request to be sent.

    Attributes:
        method: The HTTP method.
        path: Where to.
        params: What stands in the address.
        files: Pictures, as a form.
        video: The file that is the body.
    """

    method: str
    path: str
    params: dict[str, Any] = field(default_factory=dict)
    files: list[wire.File] | None = None
    video: Path | None = None


Outcome = httpx.Response | httpx.HTTPError | None
Exchange = Generator[Ask | float, Outcome, T]


class Exchanges:
    """The exchanges with one service.

    Args:
        url: Where it is.
        retries: How often a request is tried again.
    """

    def __init__(self, url: str, retries: int) -> None:
        self.url, self.retries = url.rstrip("/"), retries

    def send(self, ask: Ask) -> Exchange[httpx.Response]:
        """Sends a request, again after a pause while the service is busy or cannot be connected to.

        Raises:
            ServiceError: It cannot be reached, or refuses.
        """
        for attempt in range(self.retries + 1):
            outcome = yield ask
            if isinstance(outcome, httpx.Response):
                answer, is_passing = outcome, outcome.status_code in wire.RETRIED
            else:
                answer, is_passing = None, isinstance(outcome, httpx.ConnectError)
            if not is_passing or attempt == self.retries:
                break
            yield wire.pause(answer, attempt)
        if answer is None:
            raise wire.unreachable(self.url, outcome)
        return wire.check(answer)

    def run(self, source: Any, options: wire.Options) -> Exchange[Scene | list[Scene]]:
        """Pictures and their scenes; see `Client.run`."""
        ask = Ask("POST", "/v1/predict", wire.params(options), files=wire.files(source))
        scenes = wire.scenes((yield from self.send(ask)))
        return scenes if wire.is_several(source) else scenes[0]

    def submit(self, video: str | os.PathLike[str], annotate: bool, options: wire.Options) -> Exchange[dict[str, Any]]:
        """A video and the job made of it; see `Client.submit`."""
        path = wire.video_path(video)
        params = {**wire.params(options), "annotate": annotate, "name": path.name}
        return (yield from self.facts(Ask("POST", "/v1/jobs", params, video=path)))

    def wait(self, facts: dict[str, Any], progress: Progress | None, interval: float) -> Exchange[dict[str, Any]]:
        """A job, when it is done; see `Job.wait`."""
        while facts["state"] not in ("done", "failed", "cancelled"):
            yield interval
            facts = yield from self.facts(Ask("GET", f"/v1/jobs/{facts['id']}"))
            if progress is not None:
                progress(facts["frames"], facts["total"])
        if facts["state"] != "done":
            reason = facts["error"] or "there is no result"
            raise wire.ServiceError(f"the job {facts['id']} is {facts['state']}: {reason}")
        return facts

    def facts(self, ask: Ask) -> Exchange[dict[str, Any]]:
        """An answer that is an object of JSON."""
        return dict((yield from self.send(ask)).json())

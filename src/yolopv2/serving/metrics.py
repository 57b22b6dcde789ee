"""What the service counts, in Prometheus' terms."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from yolopv2.serving.budget import Budget

MEDIA_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Metrics:
    """Counters of one service, in a registry of their own.

    Args:
        budget: What is held is read from it.
    """

    def __init__(self, budget: Budget) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        self._budget = budget
        labels = ["method", "route", "status"]
        self.requests = Counter("yolopv2_requests", "Requests answered.", labels, registry=registry)
        self.seconds = Histogram(
            "yolopv2_request_seconds", "Seconds per request.", ["route"], registry=registry, buckets=_SECONDS
        )
        self.batches = Histogram(
            "yolopv2_batch_frames", "Frames looked at together.", registry=registry, buckets=(1, 2, 4, 8, 16, 32)
        )
        self.batch_seconds = Histogram(
            "yolopv2_batch_seconds", "Seconds per batch.", registry=registry, buckets=_SECONDS
        )
        self.jobs = Counter("yolopv2_jobs", "Jobs that came to an end.", ["state"], registry=registry)
        gauges = {"images": "Pictures taken on and not yet answered.", "bytes": "Bytes that requests hold."}
        for name, words in gauges.items():
            Gauge(f"yolopv2_held_{name}", words, registry=registry).set_function(
                lambda name=name: float(getattr(self._budget, name))  # type: ignore[misc]
            )

    def watch_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts a request; unknown methods, which a client may make up, share one label."""
        known = method if method in _METHODS else "other"
        self.requests.labels(known, route, str(status or 500)).inc()
        self.seconds.labels(route).observe(seconds)

    def watch_batch(self, frames: int, seconds: float, streams: int) -> None:
        """Counts a batch, and tells the budget how long a picture takes."""
        self.batches.observe(frames)
        self.batch_seconds.observe(seconds)
        self._budget.seconds_per_image += 0.1 * (seconds / frames / streams - self._budget.seconds_per_image)

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)

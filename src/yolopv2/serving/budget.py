"""What requests hold together is counted, and what does not fit is refused: memory never grows with the load."""

from types import TracebackType

from yolopv2.serving.errors import Problem


class Budget:
    """Pictures and bytes that all requests may hold together. Used from the event loop alone.

    Args:
        images: Pictures taken on and not yet answered.
        memory_bytes: Bytes of bodies and decoded pictures.

    Attributes:
        images: Pictures held now.
        bytes: Bytes held now.

    Example:
        >>> budget = Budget(images=2, memory_bytes=100)
        >>> with budget.hold() as hold:
        ...     hold.take(images=2)
        ...     budget.images
        2
        >>> budget.images
        0
    """

    def __init__(self, images: int, memory_bytes: int) -> None:
        self.most_images, self.most_bytes = images, memory_bytes
        self.images = self.bytes = 0
        self.seconds_per_image = 0.05
        """How long a picture takes, lately; what a client is told to wait comes of it."""

    def hold(self) -> "Hold":
        """What one request holds, given back when its context is left."""
        return Hold(self)

    def retry_after(self) -> int:
        """Seconds until about half of what is held will have been answered."""
        return max(1, min(30, round(self.images * self.seconds_per_image / 2)))


class Hold:
    """What one request holds of a `Budget`.

    Args:
        budget: Of what.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._images = self._bytes = 0

    def take(self, images: int = 0, size: int = 0) -> None:
        """Holds more.

        Args:
            images: Pictures.
            size: Bytes.

        Raises:
            Problem: 429, it does not fit beside what others hold; 413, it would not fit alone.
        """
        budget = self._budget
        if self._images + images > budget.most_images or self._bytes + size > budget.most_bytes:
            raise Problem(413, "the request takes more than this service ever has: send fewer or smaller pictures")
        if budget.images + images > budget.most_images:
            raise Problem(429, f"{budget.images} pictures wait already: try again later", budget.retry_after())
        if budget.bytes + size > budget.most_bytes:
            raise Problem(429, "other requests take the memory just now: try again later", budget.retry_after())
        budget.images += images
        budget.bytes += size
        self._images += images
        self._bytes += size

    def __enter__(self) -> "Hold":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._budget.images -= self._images
        self._budget.bytes -= self._bytes
        self._images = self._bytes = 0

"""The client of the service, for programs that wait and for those that do not; needs httpx alone."""

from yolopv2.errors import MissingExtra

try:
    from yolopv2.serving.client.asynchronous import AsyncClient, AsyncJob
    from yolopv2.serving.client.synchronous import Client, Job
    from yolopv2.serving.client.wire import ServiceError
except ModuleNotFoundError as error:
    if error.name != "httpx":
        raise
    raise MissingExtra("serve", "The client of the service") from None

__all__ = ["AsyncClient", "AsyncJob", "Client", "Job", "ServiceError"]

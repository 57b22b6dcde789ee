"""yolopv2 studio: look at the road in the browser."""

import threading
import webbrowser
from typing import Annotated

import typer

from yolopv2.errors import MissingExtra
from yolopv2.web import LOOPBACK, address_of, listen


def studio(
    weights: Annotated[
        list[str] | None,
        typer.Option(
            help="Name from 'yolopv2 models list', or a file; give it again for further models to choose from.",
            show_default="nano",
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for any that is free.")] = 8765,
    size: Annotated[int, typer.Option(help="Long side the network sees at start, a multiple of 32.")] = 640,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    tasks: Annotated[
        list[str] | None, typer.Option(help="Python file with tasks of your own for workflows; it is run.")
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
    allow_host: Annotated[list[str] | None, typer.Option(help="Further name the page may be asked by.")] = None,
) -> None:
    """Look at pictures, videos and your camera in the browser; needs the extra 'studio'. Ends on Ctrl-C."""
    try:
        import uvicorn

        from yolopv2.ikomia import load_tasks
        from yolopv2.studio import Settings, create_app
    except ImportError:
        raise MissingExtra("studio", "The studio") from None

    for path in tasks or []:
        typer.echo(f"Tasks of {path}: {', '.join(load_tasks(path))}")
    is_public = host not in LOOPBACK
    hosts = (host, *(allow_host or [])) if is_public else tuple(allow_host or [])
    settings = Settings(tuple(weights or ["nano"]), device, size, hosts, addresses=not is_public)
    listening = listen(host, port)
    address = address_of(listening)
    typer.echo(f"The studio is at {address} (Ctrl-C ends it)")
    if is_public:
        typer.echo("Warning: whoever can reach this machine can use it; there is no password", err=True)
    if browser:
        threading.Timer(0.5, webbrowser.open, [address]).start()
    # Without its own settings of logging, which would close the handlers of everybody else in the process.
    asgi = create_app(settings, warm=True)
    config = uvicorn.Config(asgi, log_config=None, log_level="warning", server_header=False)
    uvicorn.Server(config).run(sockets=[listening])

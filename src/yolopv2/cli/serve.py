"""yolopv2 serve: the model behind HTTP."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yolopv2.errors import MissingExtra, YolopError
from yolopv2.web import LOOPBACK, address_of, listen

if TYPE_CHECKING:
    from yolopv2.serving.settings import Settings

TOKEN_VARIABLE = "YOLOPV2_SERVE_TOKEN"
"""Environment variable that holds the token; a flag would show it to everyone who lists processes."""


def _variable(name: str) -> str:
    return f"YOLOPV2_SERVE_{name}"


def serve(
    weights: Annotated[
        list[str] | None,
        typer.Option(
            envvar=_variable("WEIGHTS"),
            help="Name from 'yolopv2 models list', or a file; give it again for further models, which requests name.",
            show_default="nano",
        ),
    ] = None,
    host: Annotated[str, typer.Option(envvar=_variable("HOST"), help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(envvar=_variable("PORT"), min=0, max=65535, help="Port; 0 for any that is free.")
    ] = 8000,
    size: Annotated[int, typer.Option(help="Long side the network sees, a multiple of 32.")] = 640,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    runtime: Annotated[str, typer.Option(help="auto, openvino, torch, onnx.")] = "auto",
    precision: Annotated[
        str, typer.Option(help="auto (what the device is quick in), float32, bfloat16, float16.")
    ] = "auto",
    token_file: Annotated[
        Path | None,
        typer.Option(
            envvar=_variable("TOKEN_FILE"),
            help=f"File with the token that requests must carry; or the token itself in {TOKEN_VARIABLE}.",
        ),
    ] = None,
    jobs: Annotated[
        Path, typer.Option(envvar=_variable("JOBS"), help="Folder where the jobs of videos are kept.")
    ] = Path("runs/serve"),
    batch: Annotated[int, typer.Option(help="Pictures in a batch, where the engine takes batches.")] = 8,
    wait_ms: Annotated[float, typer.Option(help="Milliseconds a picture waits for others.")] = 4.0,
    queue: Annotated[int, typer.Option(help="Pictures taken on and not yet answered; more get 429.")] = 64,
    max_images: Annotated[int, typer.Option(help="Pictures in one request.")] = 16,
    max_mib: Annotated[int, typer.Option(help="MiB of one request with pictures.")] = 32,
    max_megapixels: Annotated[float, typer.Option(help="Megapixels of a picture.")] = 25.0,
    max_video_mib: Annotated[int, typer.Option(help="MiB of one video.")] = 2048,
    max_jobs: Annotated[int, typer.Option(help="Jobs kept, finished ones included.")] = 200,
    memory_mib: Annotated[int, typer.Option(help="MiB that all requests take together.")] = 1024,
    disk_mib: Annotated[int, typer.Option(help="MiB of all jobs' files.")] = 20_480,
    timeout: Annotated[float, typer.Option(help="Seconds from a request's last byte to its answer.")] = 30.0,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="Name under which the service may be asked; * for any.")
    ] = None,
    allow_origin: Annotated[
        list[str] | None, typer.Option(help="Origin whose pages may use the service, as https://example.org.")
    ] = None,
    allow_url_host: Annotated[
        list[str] | None, typer.Option(help="Host from which pictures may be fetched by address; none without.")
    ] = None,
    access_log: Annotated[bool, typer.Option("--access-log", help="Log a line for each request.")] = False,
) -> None:
    """Serve the model over HTTP: pictures, videos as jobs, live frames; needs the extra 'serve'.

    Ends on Ctrl-C or SIGTERM, when the requests under way are answered; a job under way starts again the next time.
    """
    try:
        from yolopv2.serving.application import create_app
        from yolopv2.serving.server import serve
        from yolopv2.serving.settings import MIB, Limits, Settings
    except ImportError:
        raise MissingExtra("serve", "The HTTP service") from None

    limits = Limits(
        body_bytes=max_mib * MIB,
        pixels=round(max_megapixels * 1e6),
        images=max_images,
        memory_bytes=memory_mib * MIB,
        queue=queue,
        batch=batch,
        wait=wait_ms / 1000,
        timeout=timeout,
        video_bytes=max_video_mib * MIB,
        jobs=max_jobs,
        disk_bytes=disk_mib * MIB,
    )
    settings = Settings(
        weights=tuple(weights or ["nano"]),
        device=device,
        runtime=runtime,
        size=size,
        precision=precision,
        limits=limits,
        token=_token(token_file),
        jobs_folder=jobs,
        hosts=(host, *(allow_host or [])),
        origins=tuple(allow_origin or []),
        url_hosts=tuple(allow_url_host or []),
    )
    with listen(host, port) as listening:
        app = create_app(settings)
        _tell(settings, address_of(listening), public=host not in LOOPBACK)
        serve(app, settings, listening, access_log=access_log)


def _token(file: Path | None) -> str | None:
    """The token, from a file or the environment.

    Raises:
        YolopError: The file cannot be read, or the token is empty.
    """
    where = TOKEN_VARIABLE if file is None else str(file)
    try:
        token = os.environ.get(TOKEN_VARIABLE) if file is None else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise YolopError(f"the token cannot be read from {file}: {getattr(error, 'strerror', None) or error}") from None
    if token is None:
        return None
    if not token.strip().isascii() or not token.strip():
        raise YolopError(f"the token in {where} is empty, or not plain ASCII")
    return token.strip()


def _tell(settings: "Settings", address: str, public: bool) -> None:
    """Says where the service is, what it takes, and how to try it."""
    limits = settings.limits
    names = ", ".join(settings.weights)
    header = "" if settings.token is None else ' -H "Authorization: Bearer $TOKEN"'
    if public and settings.token is None:
        typer.echo(
            f"Warning: whoever can reach this machine can use the service; set {TOKEN_VARIABLE}, or --host 127.0.0.1",
            err=True,
        )
    typer.echo(
        f"serving {names} at {address} (what it takes: {address}/docs)\n"
        f"limits: {limits.images} pictures, {limits.body_bytes >> 20} MiB and {limits.timeout:g} s per request, "
        f"{limits.pixels / 1e6:g} megapixels per picture; {limits.queue} pictures at a time; "
        f"videos of {limits.video_bytes >> 20} MiB\n"
        f"jobs: {settings.jobs_folder}\n"
        f"try: curl{header} -F file=@street.jpg {address}/v1/predict"
    )

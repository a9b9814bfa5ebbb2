"""The Gradient Attribution Explorer: ``python app.py`` serves it, ``app:server`` is the ASGI application."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dash import Dash
    from starlette.applications import Starlette

    from explorer.models import Model
    from explorer.server.settings import ServerSettings

HERE = Path(__file__).resolve().parent

# Must be set before numpy is imported: BLAS threads slow down products as small as these.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # torch.set_num_threads applies only to the thread that calls it

# glibc's malloc settings for the workers, read at their start. With the defaults the heap grows and shrinks at every step of a
# computation, and the large blocks of the largest one are kept.
MALLOC = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": str(32 << 20), "MALLOC_MMAP_THRESHOLD_": str(4 << 20)}

MAX_OPEN_FILES = 8192  # per process; each connection takes one

INDEX = """<!DOCTYPE html>
<html lang="en">
    <head>
        {%metas%}
        <meta name="description" content="Paint a picture and see why a small network says what it says.">
        <title>{%title%}</title>
        <link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E\
%3Crect width='8' height='8' rx='1.5' fill='%235b3fc4'/%3E%3Cpath d='M1.500 6.500 4 1.500v5z' fill='%23fff'/%3E\
%3Cpath d='M4 1.500v5h2.500z' fill='%23f6c3a4'/%3E%3C/svg%3E">
        {%css%}
    </head>
    <body>
        {%app_entry%}
        CONCEPTS
        <footer>
            Digits: UCI Optical Recognition of Handwritten Digits (Alpaydin &amp; Kaynak 1998),
            <a href="https://creativecommons.org/licenses/by/4.0/" rel="noopener noreferrer">CC BY 4.0</a>.
            After the Gradient Attribution explorer by Greg T. Chism (MIT). STORED
        </footer>
        <noscript>This explorer draws in the browser and needs JavaScript.</noscript>
        <div>{%config%}{%scripts%}{%renderer%}</div>
    </body>
</html>"""

STORED = "The server stores nothing that you do here."
STORED_IN_ROOMS = "The server stores nothing that you do here, except what you send to a room, for 4 hours after the last action."


def create_app(register: Callable[[Dash], None] | None = None, added: Sequence[Model] = ()) -> Starlette:
    """The whole application, with its networks loaded; every call makes a new one.

    Its ``state`` has the Dash app as ``dash``, the files of the page as ``files``, the pools and the cache as ``compute``.

    Args:
        register: adds further callbacks to the Dash app.
        added: networks to list beside those of the zoo and those of the user's files.
    """
    import torch
    from dash import Dash

    from explorer.classroom.classroom import classroom, questions
    from explorer.classroom.routes import qr_route
    from explorer.lab_networks import lab_networks
    from explorer.labs import LABS
    from explorer.lessons import TEXTS, page_data, read_lessons
    from explorer.models import load_zoo
    from explorer.own.load import load_added
    from explorer.page import callbacks, self_check
    from explorer.page.bundle import bundle
    from explorer.page.concepts import concepts
    from explorer.page.layout import layout
    from explorer.server.application import application
    from explorer.server.compute import Compute
    from explorer.server.metrics import Metrics
    from explorer.server.settings import ServerSettings
    from explorer.server.static_files import digest_of
    from explorer.version import version

    settings = ServerSettings.read(os.environ)
    torch.set_num_threads(1)  # the networks are tiny: more threads are slower
    zoo = load_zoo()
    zoo = MappingProxyType({**zoo, **load_added(os.environ, zoo), **{model.name: model for model in added}})
    lab_networks()  # a damaged file stops the start, not a lesson
    lessons = read_lessons(TEXTS, zoo) | (read_lessons(Path(settings.lessons), zoo, own=True) if settings.lessons else {})
    lesson_data = page_data(lessons)
    lesson_address = f"static/{digest_of(lesson_data)}/lessons.json"
    known = self_check.known_pictures(zoo)
    dash = Dash(
        "explorer",
        backend="fastapi",
        title="Gradient Attribution Explorer",
        update_title="",
        assets_folder=str(HERE / "assets"),
        serve_locally=True,
        add_log_handler=False,
        enable_mcp=False,
        url_base_pathname="/",
        index_string=INDEX.replace("CONCEPTS", concepts()).replace("STORED", STORED_IN_ROOMS if settings.rooms else STORED),
        meta_tags=[{"name": "explorer-version", "content": version()}],  # read by the page, see version.js
    )
    compute = Compute(settings.queue, settings.cache * 2**20, Metrics(version()))
    dash.layout = layout(zoo, callbacks.opening_answer(zoo), lesson_address, settings.lms_origin, rooms=settings.rooms)
    callbacks.register(dash, zoo, compute)
    if register:
        register(dash)
    files = {**bundle(dash, settings.prefix), lesson_address: lesson_data}

    async def ask(kind: str, question: dict[str, Any]) -> str:
        return await callbacks.answered(kind, question, zoo, compute)

    rooms, beside = classroom(settings, zoo, ask, compute, questions(lessons, LABS)) if settings.rooms else ((), nullcontext)
    app = application(dash, files, compute, lambda: self_check.find_fault(zoo, known), settings, version(), [qr_route(compute, settings.trusted_proxies), *rooms], beside)
    app.state.dash, app.state.files, app.state.compute = dash, files, compute
    return app


def main(application: str | Starlette = "app:server") -> None:
    """Serve with uvicorn; with more than one worker this process is their parent.

    Args:
        application: where the workers import the ASGI application from; or, for a single worker, the application itself.
    """
    import uvicorn

    from explorer.addresses import own_url, serves_networks, urls_for_others
    from explorer.own.named import NetworkFileError, network_files, with_absolute_folder
    from explorer.server import logs
    from explorer.server.folders import private_folder
    from explorer.server.settings import GRACE, ServerSettings, SettingError

    try:
        settings = ServerSettings.read(os.environ)
        if settings.lessons or network_files(os.environ):  # a fault in one is told once, and before anything is served
            _check_files(settings.lessons)
        host, port = settings.host, settings.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6())
    except (SettingError, NetworkFileError) as error:
        sys.exit(str(error))
    except OSError as error:
        reason, *_ = str(error.strerror).split(" (")
        sys.exit(f"Cannot serve on {host}:{port}: {reason}. Set PORT to another number, such as 8051.")
    print(f"Gradient Attribution Explorer: {own_url(settings)}", flush=True)
    if others := urls_for_others(settings):
        print(f"For others, unless a firewall stops them: {' or '.join(others)}", flush=True)
    elif serves_networks(settings):
        print("No address for others was found; PUBLIC_URL can name it.", flush=True)
    os.environ |= with_absolute_folder(os.environ)
    os.chdir(HERE)
    _raise_file_limit()
    # before uvicorn installs its handler, and for the signal that a single worker raises again at its end
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as folders:  # for all workers, and erased at the end
        made = {}
        for name, what in _folders(settings):
            made[name] = folders.enter_context(private_folder(what))
        os.environ |= {**MALLOC, **os.environ, **made}
        options: dict[str, Any] = {
            "http": "explorer.server.protocol:BoundedHttp",
            "ws": "none",
            "log_config": logs.configuration(settings.log_level, requests=settings.access_log),
            "access_log": False,
            "server_header": False,
            "proxy_headers": False,
            "timeout_keep_alive": 30,
            "timeout_graceful_shutdown": GRACE,
        }
        if settings.workers == 1:  # by itself uvicorn would then serve IPv6 only at "::"
            uvicorn.Server(uvicorn.Config(application, **options)).run(sockets=[listening])
        else:
            listening.close()
            uvicorn.run(application, host=host, port=port, workers=settings.workers, **options)


def _check_files(folder: str) -> None:
    """Read the networks and, if a folder is given, the lessons of the user's own: all faults of lessons end the start.

    Raises:
        NetworkFileError: the first fault of a network.
    """
    from explorer.lessons import problems
    from explorer.models import load_zoo
    from explorer.own.load import load_added

    zoo = load_zoo()
    zoo = {**zoo, **load_added(os.environ, zoo)}
    if folder:
        os.environ["LESSONS"] = folder  # workers find it from anywhere
        if found := problems(Path(folder), zoo):
            sys.exit("\n".join(found))


def _folders(settings: ServerSettings) -> list[tuple[str, str]]:
    """The variables that name the folders which the workers share, and what each is for."""
    wanted = [("PROMETHEUS_MULTIPROC_DIR", "metrics")] if settings.metrics else []
    return wanted + ([("ROOMS_FOLDER", "rooms")] if settings.rooms and not settings.redis_url else [])


def _raise_file_limit() -> None:
    """Raise the limit of open files of this process and its workers, if the system has one (Windows has none)."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(MAX_OPEN_FILES, hard), hard))


def __getattr__(name: str) -> Starlette:
    """``server``, made when it is first asked for: the parent of the workers imports this module, too, and needs none."""
    if name != "server":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = globals()["server"] = create_app()
    return made


if __name__ == "__main__":
    from explorer.command import read_arguments

    read_arguments(sys.argv[1:])
    main()

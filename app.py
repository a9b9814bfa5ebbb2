"""The Gradient Attribution Explorer: ``python app.py`` serves it, ``app:server`` is the WSGI application."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dash import Dash

HERE = Path(__file__).resolve().parent

# Before anything imports numpy: for products as small as these its BLAS threads only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # torch's own setting holds only in the thread that sets it

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
        <noscript>This explorer draws in the browser and needs JavaScript.</noscript>
        <div>{%config%}{%scripts%}{%renderer%}</div>
    </body>
</html>"""


def create_app() -> Dash:
    """The whole application, with its networks loaded; every call makes an independent one."""
    import torch
    from dash import Dash

    from explorer.models import load_zoo
    from explorer.page import callbacks, guard, static
    from explorer.page.compression import compress_answers
    from explorer.page.layout import layout
    from explorer.serving import Serving
    from explorer.version import version

    serving = Serving.read(os.environ)
    torch.set_num_threads(1)  # the networks are tiny: more threads cost more than they give
    zoo = load_zoo()
    app = Dash(
        "explorer",
        title="Gradient Attribution Explorer",
        update_title="",
        assets_folder=str(HERE / "assets"),
        serve_locally=True,
        add_log_handler=False,
        health_endpoint="healthz",
        enable_mcp=False,
        url_base_pathname="/",
        index_string=INDEX,
        meta_tags=[{"name": "explorer-version", "content": version()}],  # what the page goes by, see version.js
    )
    app.layout = layout(zoo)
    callbacks.register(app, zoo)
    guard.protect(app, zoo, serving, version())
    compress_answers(app.server)
    # Dash finishes setting up in its first request, and others that come meanwhile find it half done: it is made here
    static.serve(app, serving.prefix)
    guard.surround(app, serving, version())
    return app


def main() -> None:
    """Serve with gunicorn (settings in gunicorn.conf.py), or where it cannot run, such as on Windows, with Flask's server."""
    from explorer.addresses import own_url, serves_networks, urls_for_others
    from explorer.memory import restart_frugally
    from explorer.serving import Serving, SettingError

    restart_frugally()
    try:
        serving = Serving.read(os.environ)
    except SettingError as wrong:
        sys.exit(str(wrong))
    host, port = serving.host, serving.port
    if refusal := _refusal(host, port):
        sys.exit(refusal)
    print(f"Gradient Attribution Explorer: {own_url(serving)}", flush=True)
    if others := urls_for_others(serving):
        print(f"For others, unless a firewall stops them: {' or '.join(others)}", flush=True)
    elif serves_networks(serving):
        print("No address for others was found; PUBLIC_URL can name it.", flush=True)
    try:
        from gunicorn.app.wsgiapp import WSGIApplication
    except ImportError:
        from explorer import logs

        logs.configure(serving.log_level, requests=serving.access_log)
        create_app().run(host=host, port=port, debug=False)
        return
    os.chdir(HERE)
    # until gunicorn listens to signals: as the first process of a container, Python would ignore this one
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.argv = ["gunicorn", "app:server"]
    WSGIApplication().run()


def _refusal(host: str, port: int) -> str | None:
    """Why this address cannot be served, in one line; None when it can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror:
        return f"HOST {host!r} is not an address of this machine."
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            return f"Cannot serve on {host}:{port}: {error.strerror}. Choose another with PORT=8051 make run."
    return None


if __name__ == "__main__":
    main()
else:
    server = create_app().server

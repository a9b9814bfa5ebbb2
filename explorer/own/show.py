"""``show``: the page for a network that is in memory, from a script or a notebook, in a process of its own."""

from __future__ import annotations

import atexit
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from torch import nn

from explorer.link_picture import encode
from explorer.own.chain import NotAChain
from explorer.own.export import described, export_network
from explorer.own.facts import checked_facts
from explorer.own.load import check_size, model_of
from explorer.pictures import PATTERNS
from explorer.places import PACKAGE

NAME = "my-network"
START_WITHIN = 120  # seconds
STOP_WITHIN = 10
TRIES = 3  # another program may take the port between its choice and its use
PROXY = "EXPLORER_PROXY"  # the environment variable for `proxy`
HUB = "JUPYTERHUB_SERVICE_PREFIX"  # set by JupyterHub: the path of the user's server
HEIGHT = 820  # pixels of the page in a notebook


class Shown:
    """A page that is being served; it ends with ``stop()``, with a ``with`` block, or with this Python.

    Attributes:
        url: where a browser finds it; behind JupyterHub a path on the hub's own address.
        port: on this machine.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int, url: str) -> None:
        self.port, self.url = port, url
        self._process = process
        atexit.register(self.stop)

    @property
    def running(self) -> bool:
        """Whether the page is still served."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the process of the page; again does nothing."""
        _end(self._process)
        atexit.unregister(self.stop)

    def wait(self) -> None:
        """Wait until Ctrl+C, or until the process ends, and stop."""
        with suppress(KeyboardInterrupt):
            self._process.wait()
        self.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<The page at {self.url}, {'running' if self.running else 'stopped'}>"


def show(
    module: Any,
    picture: ArrayLike | None = None,
    classes: Sequence[str] | None = None,
    *,
    title: str = "My network",
    about: str | None = None,
    activation: str | None = None,
    normalisation: tuple[Any, Any] = (0.0, 1.0),
    pictures: ArrayLike | None = None,
    where: str = "auto",
    proxy: str | None = None,
    block: bool | None = None,
) -> Shown:
    """Open the page for a network of one's own.

    A network that is a chain of the layers that ``export_network`` knows goes to the process of the page as such a file, and
    all methods that go layer by layer apply. Any other module goes there as it is.

    Args:
        module: a ``torch.nn.Module`` that maps ``(k, 64)`` or ``(k, 1, 8, 8)`` to logits ``(k, C)``, or a fitted ``MLPClassifier``.
        picture: the first picture, ``(8, 8)``, values in [0, 1]; shown in steps of 1/2800. By default the ring.
        classes, title, about, activation, normalisation, pictures: as for ``export_network``.
        where: "tab" opens the browser, "inline" shows the page in the notebook, "nowhere" only serves it; "auto" is inline in a
            notebook and a tab elsewhere.
        proxy: the address of this page behind a proxy, with ``{port}`` where the port goes, as in
            ``"/user/me/proxy/{port}/"``. Found by itself on JupyterHub; else also from the environment variable EXPLORER_PROXY.
        block: whether to wait for Ctrl+C; by default in a script, which would end at once and the page with it, and not in a
            notebook or at a prompt.

    Returns:
        A handle with ``url``, ``port`` and ``stop()``.

    Raises:
        ValueError: the network, the picture or another argument cannot be used; the message says why.
        RuntimeError: the process of the page did not start.
    """
    if where not in ("auto", "tab", "inline", "nowhere"):
        raise ValueError(f"where must be 'auto', 'tab', 'inline' or 'nowhere', not {where!r}")
    query = _query(picture)
    address = proxy or os.environ.get(PROXY) or _hub_address()
    if address and "{port}" not in address:
        raise ValueError(f"the address of the proxy must have {{port}} where the port goes, not {address!r}")
    known = {"title": title, "about": about, "activation": activation, "normalisation": normalisation, "pictures": pictures}
    # a page that answers has read its file: nothing is left behind if this Python is killed
    with tempfile.TemporaryDirectory(prefix="explorer-show-", ignore_cleanup_errors=True) as folder:
        said, pickled = _parts(module, Path(folder), classes, known)
        process, port = _started(said, pickled, folder)
    base = address.replace("{port}", str(port)) if address else f"http://127.0.0.1:{port}/"
    handle = Shown(process, port, f"{base.rstrip('/')}/{query}")
    _open(handle, where, behind_hub=not (proxy or os.environ.get(PROXY)) and bool(address))
    if block if block is not None else not _is_interactive():
        print("Ctrl+C ends it.", flush=True)
        handle.wait()
    return handle


def _parts(module: Any, folder: Path, classes: Sequence[str] | None, known: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """What the process of the page is told, and the pickled module if no file can hold it."""
    try:
        return {"file": str(export_network(module, folder / NAME, classes=classes, **known))}, b""
    except NotAChain as reason:
        assert isinstance(module, nn.Module)
        why = str(reason)
    import cloudpickle

    facts = described(NAME, classes, **{**known, "activation": known["activation"] or "softmax"}, module=module)
    check_size(module)
    model_of(NAME, checked_facts(facts), module)  # what is wrong is told here, not by the other process
    try:
        pickled: bytes = cloudpickle.dumps(module)
    except Exception as failure:  # whatever a module of somebody else raises when it is pickled
        raise ValueError(
            f"{why.partition(';')[0]}; and it cannot be sent to the process of the page as it is: {type(failure).__name__}: {failure}"
        ) from failure
    return {"name": NAME, "facts": facts, "path": [os.path.abspath(entry) for entry in sys.path]}, pickled


def _query(picture: ArrayLike | None) -> str:
    shown = PATTERNS["ring"] if picture is None else np.asarray(picture, dtype=np.float64)
    if shown.size != 64 or shown.ndim > 4:
        raise ValueError(f"the picture must have the shape (8, 8), not {shown.shape}")
    if not np.isfinite(shown).all() or shown.min() < 0 or shown.max() > 1:
        raise ValueError("the picture must have values in [0, 1], 0 black and 1 white; divide scikit-learn's digits by 16")
    return f"?px={encode(tuple(shown.ravel().tolist()))}&net={NAME}&v=2"


def _started(said: dict[str, Any], pickled: bytes, folder: str) -> tuple[subprocess.Popen[bytes], int]:
    """The process of the page, when it answers, and its port."""
    for _ in range(TRIES):
        port = _free_port()
        process, log = _process(port, folder)
        try:
            assert process.stdin
            with suppress(OSError):  # it has ended already: its log says why
                process.stdin.write(json.dumps({**said, "length": len(pickled)}).encode() + b"\n" + pickled)
                process.stdin.flush()
            if _answers(process, port):
                return process, port
            wrong = _last_line(log)
        except BaseException:
            _end(process)
            raise
        finally:
            log.close()
        _end(process)
        if "Cannot serve" not in wrong:
            break
    raise RuntimeError(f"The page did not start: {wrong}")


def _process(port: int, folder: str) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    """The process, and the file that gets what it writes. It runs in an empty folder, where no module hides one of ours."""
    environment = {name: value for name, value in os.environ.items() if name not in ("NETWORKS", "EXPLORER_NETWORK_FILES", "URL_PREFIX", "PUBLIC_URL", "FRAME_ANCESTORS")}
    paths = [str(PACKAGE.parent), *filter(None, [environment.get("PYTHONPATH")])]
    environment |= {"HOST": "127.0.0.1", "PORT": str(port), "WORKERS": "1", "PYTHONPATH": os.pathsep.join(paths)}
    log = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed by who reads it
    # a group of its own: Ctrl+C in a terminal, or "interrupt the kernel", must not end the page
    apart: dict[str, Any] = {"creationflags": 0x200} if os.name == "nt" else {"start_new_session": True}
    command = [sys.executable, "-m", "explorer.own.shown"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log, env=environment, cwd=folder, **apart), log


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether it answers in time; it has ended if it does not."""
    end = time.monotonic() + START_WITHIN
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return process.poll() is None
        time.sleep(0.05)
    return False


def _last_line(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it wrote no reason, and took longer than two minutes or ended"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process; one that does not end is killed."""
    if process.stdin:
        with suppress(OSError):
            process.stdin.close()
    with suppress(OSError):
        process.terminate()
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def _hub_address() -> str:
    """The address behind JupyterHub's proxy, or ""."""
    prefix = os.environ.get(HUB, "")
    return f"{prefix.rstrip('/')}/proxy/{{port}}/" if prefix else ""


def _in_notebook() -> bool:
    """Whether this is a kernel of Jupyter."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel")


def _is_interactive() -> bool:
    return _in_notebook() or hasattr(sys, "ps1") or bool(sys.flags.interactive) or ("IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None)


def _open(handle: Shown, where: str, *, behind_hub: bool) -> None:
    print(f"Gradient Attribution Explorer: {handle.url}", flush=True)
    if behind_hub:
        print("If the page stays empty: the hub needs jupyter-server-proxy in the environment of the notebook server; elsewhere set EXPLORER_PROXY.", flush=True)
    if where == "inline" or (where == "auto" and _in_notebook()):
        from IPython.display import IFrame, display

        display(IFrame(handle.url, width="100%", height=HEIGHT))  # type: ignore[no-untyped-call]
    elif where != "nowhere":
        webbrowser.open(handle.url)

"""The process behind ``explorer.show``: reads what to show from its standard input, serves it, and ends when that is closed."""

# It is started by ``show.py`` alone, on the same machine, by the same user, with the same Python. What comes through the pipe
# may be a pickle: of a module that the one who calls ``show`` has in memory, and that no file of layers can hold.

from __future__ import annotations

import json
import os
import pickle
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from explorer.places import APP, INSTALLED, ROOT


def read_parts(stream: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    """What ``show`` wrote: one line of JSON, with the length of what follows, and that."""
    said: dict[str, Any] = json.loads(stream.readline())
    return said, stream.read(int(said["length"]))


def main() -> None:
    """Serve one page until the other end of the pipe is closed."""
    said, pickled = read_parts(sys.stdin.buffer)
    if not INSTALLED:
        sys.path.insert(0, str(ROOT))
    program = import_module(APP)  # first: it sets the number of threads
    from explorer.own.facts import checked_facts
    from explorer.own.load import load_network, model_of

    if pickled:
        sys.path[:0] = [path for path in said["path"] if path not in sys.path]  # modules of the caller that the pickle refers to
        model = model_of(said["name"], checked_facts(said["facts"]), pickle.loads(pickled))
    else:
        model = load_network(Path(said["file"]))
    server = program.create_app(added=[model])
    threading.Thread(target=_end_with, args=(sys.stdin.buffer.read, os._exit), daemon=True).start()
    program.main(server)


def _end_with(wait: Callable[[], object], leave: Callable[[int], None]) -> None:
    """Leave when the waiting is over: nobody can ask for this page any more, so no request is lost."""
    wait()
    leave(0)


if __name__ == "__main__":
    main()

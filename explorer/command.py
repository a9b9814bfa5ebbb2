"""The command ``gradient-explorer``, and the arguments that ``python app.py`` takes, too."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from explorer.own.named import FILES, FOLDER
from explorer.places import APP, INSTALLED, ROOT


def read_arguments(arguments: Sequence[str]) -> None:
    """Put the arguments into the environment, from where the workers read them."""
    parser = argparse.ArgumentParser(
        prog="gradient-explorer",
        description="Serve the Gradient Attribution Explorer.",
        epilog="HOST, PORT and all other settings come from the environment: docs/deploy.md has their table.",
    )
    parser.add_argument(
        "--network", action="append", default=[], metavar="FILE",
        help=f"add a network of your own, FILE.safetensors with FILE.json beside it; can be given several times ({FOLDER}: a folder of them)",
    )  # fmt: skip
    given = parser.parse_args(arguments).network
    if given:
        os.environ[FILES] = json.dumps([str(Path(name).absolute()) for name in given])


def main() -> None:
    """Serve the page until the process is stopped."""
    read_arguments(sys.argv[1:])
    if not INSTALLED:
        sys.path.insert(0, str(ROOT))
    import_module(APP).main(f"{APP}:server")


if __name__ == "__main__":
    main()

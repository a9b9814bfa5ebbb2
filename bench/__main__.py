"""Print the whole table: ``python -m bench``, or some of its parts, as in ``python -m bench engine http``.

``bounds``, ``labs``, ``transfer``, ``load``, ``soak`` and ``classroom`` are programs of their own: ``python -m bench load 300``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from bench.pairs import print_table

PARTS = {  # where its rows come from, and their title
    "engine": ("bench.engine:rows", "(a) the engine, digits network (medians; ratios are medians over pairs)"),
    "http": ("bench.serving:http_rows", "(b) one request, one worker"),
    "browser": ("bench.browser:rows", "(c) the page in headless Chromium"),
    "start": ("bench.serving:start_rows", "(d) start"),
    "methods": ("bench.methods:rows", "(e) the methods with their defaults"),
}
PROGRAMS = ("bounds", "labs", "transfer", "load", "soak", "classroom")


def main(arguments: Sequence[str]) -> None:
    """Run a program, or the given parts (default: all); each is imported only when it runs."""
    if arguments and arguments[0] in PROGRAMS:
        import_module(f"bench.{arguments[0]}").main(arguments[1:])
        return
    if unknown := set(arguments) - set(PARTS):
        sys.exit(f"unknown part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}, and alone {', '.join(PROGRAMS)}")
    for part in arguments or PARTS:
        source, title = PARTS[part]
        module, _, rows = source.partition(":")
        print_table(title, getattr(import_module(module), rows)())


if __name__ == "__main__":
    main(sys.argv[1:])

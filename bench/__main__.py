"""Print the whole table: ``python -m bench``, or some of its parts, as in ``python -m bench engine http``.

``bounds``, ``transfer``, ``load``, ``soak`` and ``fuzz`` are programs of their own: ``python -m bench load 300``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from bench.pairs import Row, print_table

PARTS = ("engine", "http", "browser", "start", "methods")
PROGRAMS = ("bounds", "transfer", "load", "soak", "fuzz")


def main(parts: Sequence[str]) -> None:
    """Run the parts asked for, all of them if none is named; each is imported only when it runs."""
    if parts and parts[0] in PROGRAMS:
        import_module(f"bench.{parts[0]}").main(parts[1:])
        return
    unknown = set(parts) - set(PARTS)
    if unknown:
        sys.exit(f"unknown part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}, and alone {', '.join(PROGRAMS)}")
    for part in parts or PARTS:
        title, rows = _part(part)
        print_table(title, rows())


def _part(name: str) -> tuple[str, Callable[[], list[Row]]]:
    if name == "engine":
        from bench import engine

        return "(a) the engine, digits network (medians; ratios are medians over pairs)", engine.rows
    if name == "browser":
        from bench import browser

        return "(c) the page in headless Chromium", browser.rows
    if name == "methods":
        from bench import methods

        return "(e) the methods with their defaults, and the Methods tab", methods.rows
    from bench import serving

    if name == "http":
        return "(b) one request, one worker", serving.rows
    return "(d) start", serving.start_rows


if __name__ == "__main__":
    main(sys.argv[1:])

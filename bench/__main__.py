"""Print the whole table: ``python -m bench``, or some of its parts, as in ``python -m bench engine http``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from bench.pairs import Row, print_table

PARTS = ("engine", "http", "browser", "start", "methods", "bounds", "transfer")


def main(parts: Sequence[str]) -> None:
    """Run the parts asked for, all of them if none is named; each is imported only when it runs."""
    unknown = set(parts) - set(PARTS)
    if unknown:
        sys.exit(f"unknown part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    for part in parts or PARTS:
        if part == "transfer":  # bytes, not times
            from bench import transfer

            transfer.main()
            continue
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
    if name == "bounds":
        from bench import bounds

        return "(f) the most that one question may cost, CPU time and memory of one process", bounds.rows
    from bench import serving

    if name == "http":
        return "(b) one request, one worker", serving.rows
    return "(d) start", serving.start_rows


if __name__ == "__main__":
    main(sys.argv[1:])

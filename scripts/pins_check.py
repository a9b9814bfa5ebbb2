"""Is all that is installed beside this Python pinned in constraints.txt? The image's build asks, and fails where it is not."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib.metadata import distributions
from pathlib import Path

PINS = Path(__file__).resolve().parents[1] / "constraints.txt"
ADVICE = """
Where torch's CPU build cannot be had from PyTorch's own index, pip takes another one, which may bring more along: give
--build-arg TORCH_INDEX=… an index that has it, such as a mirror of https://download.pytorch.org/whl/cpu. Anything else that
is needed is pinned by `make lock`."""


def strays(pins: str, installed: Iterable[tuple[str, str]]) -> list[str]:
    """What is installed and not named exactly, each as in a list of pins. That torch is its CPU build is no other version."""
    exact = {(normal(name), version) for name, _, version in (line.partition("==") for line in pins.splitlines()) if version}
    named = {(normal(name), version): f"{name}=={version}" for name, version in installed}
    return sorted(named[name, version] for name, version in named if (name, version.removesuffix("+cpu")) not in exact)


def normal(name: str) -> str:
    """A distribution's name as all its spellings are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Check this Python."""
    found = strays(PINS.read_text(encoding="utf-8"), ((one.metadata["Name"], one.version) for one in distributions()))
    if found:
        sys.exit(f"Installed, but not pinned in constraints.txt: {', '.join(found)}.{ADVICE}")


if __name__ == "__main__":
    main()

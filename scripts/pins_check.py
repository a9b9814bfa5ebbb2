"""Checks that every installed distribution is pinned in constraints.txt; the build of the image fails if one is not."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib.metadata import distributions
from pathlib import Path

PINS = Path(__file__).resolve().parents[1] / "constraints.txt"
ADVICE = """
If torch's CPU build is not available from PyTorch's own index, pip takes another build, which may have more dependencies: set
--build-arg TORCH_INDEX=… to an index that has it, such as a mirror of https://download.pytorch.org/whl/cpu. `make lock` pins
other dependencies."""


def unpinned(pins: str, installed: Iterable[tuple[str, str]]) -> list[str]:
    """Installed distributions that are not pinned to their exact version, as pins. torch's suffix +cpu is ignored."""
    pinned = {(normalised(name), version) for name, _, version in (line.partition("==") for line in pins.splitlines()) if version}
    installed_pins = {(normalised(name), version): f"{name}=={version}" for name, version in installed}
    return sorted(installed_pins[name, version] for name, version in installed_pins if (name, version.removesuffix("+cpu")) not in pinned)


def normalised(name: str) -> str:
    """The normalised name of a distribution (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Check the running Python."""
    found = unpinned(PINS.read_text(encoding="utf-8"), ((one.metadata["Name"], one.version) for one in distributions()))
    if found:
        sys.exit(f"Installed, but not pinned in constraints.txt: {', '.join(found)}.{ADVICE}")


if __name__ == "__main__":
    main()

"""Gradient Attribution Explorer: see why a small network said what it said.

``explorer.show(module)`` opens the page for a network of one's own; ``explorer.export_network`` writes it to a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.own.export import export_network as export_network
    from explorer.own.show import show as show

__all__ = ["export_network", "show"]


def __getattr__(name: str) -> Any:
    """Import either function when it is first asked for: the server needs neither, and torch takes a second."""
    if name not in __all__:
        raise AttributeError(f"module 'explorer' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("explorer.own.show" if name == "show" else "explorer.own.export"), name)

"""The panels in the order of their tabs. A new one is a module here, a script of the same name, and one line in each registry."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from explorer.page.panel import Panel
from explorer.page.panels import compare, integrated, methods, saliency

PANELS: Mapping[str, Panel] = MappingProxyType({
    module.PANEL.name: module.PANEL
    for module in (
        saliency,
        integrated,
        compare,
        methods,
    )
})  # fmt: skip

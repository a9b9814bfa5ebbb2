"""The panels, in the order of their tabs: for each name in ``state.TABS`` the module of that name. Their scripts are in ``assets/panels/``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from explorer.page.panel import Panel
from explorer.state import TABS

PANELS: Mapping[str, Panel] = MappingProxyType({name: import_module(f"{__name__}.{name}").PANEL for name in TABS})

"""What a state asks of single methods: their maps with its settings, and the units of these maps."""

from __future__ import annotations

from explorer.attribution import Case, Method, exact_integrated_gradients
from explorer.attribution.method import Unit
from explorer.attribution.network import Floats
from explorer.attribution.rules import EXACT
from explorer.state import State


def map_of(method: Method, case: Case, state: State) -> Floats:
    """The map of a method for a case, ``(8, 8)``, with the state's settings, also where its rule is the exact one.

    Raises:
        ValueError: the method does not apply to the network, or something is not finite.
    """
    if method.name == "integrated_gradients" and state.rule == EXACT:
        return exact_integrated_gradients(case).attribution
    return method(case, **state.values(method)).attribution


def unit_of(method: Method, state: State) -> Unit:
    """The unit of that map; ``""`` where its parts have different ones."""
    values = method.values(state.values(method))
    others = [units[values[name]] for name, units in method.other_units.items() if values[name] in units]
    return others[0] if others else method.unit

"""What a state asks of single methods: their maps with its settings, and the units of these maps."""

from __future__ import annotations

from explorer.attribution import Attribution, Case, Method, exact_integrated_gradients
from explorer.attribution.method import Unit, delta_f
from explorer.attribution.rules import EXACT
from explorer.state import State


def asked(method: Method, case: Case, state: State) -> Attribution:
    """A method's answer for a case with the state's settings, also where its rule is the exact one.

    Raises:
        ValueError: the method does not apply to the network, or something is not finite.
    """
    if method.name == "integrated_gradients" and state.rule == EXACT:
        exact = exact_integrated_gradients(case)
        pieces = len(exact.alphas)
        return Attribution(exact.attribution, forward=pieces + 1, backward=pieces, expected_sum=delta_f(case))
    return method(case, **state.values(method))


def unit_of(method: Method, state: State) -> Unit:
    """The unit of that map; ``""`` where its parts have different ones."""
    values = method.values(state.values(method))
    others = [units[values[name]] for name, units in method.other_units.items() if values[name] in units]
    return others[0] if others else method.unit

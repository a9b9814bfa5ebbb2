"""The estimated cost of a request, before it is computed, in multiplications of the network; and its limit.

Passes through the network are from ``Method.count``; all else is converted by the constants below.
"""

# The constants were fitted to the times of all methods with their largest settings on all networks; ``python -m bench bounds``
# repeats the measurement. One core of a shared server does 4,000 to 5,500 million multiplications in a second, 3,000 million
# when other processes compete for its caches. So MAX_COST is 1.2 to 1.6 s of a core, 2.1 s in the worst case. It is as low as
# possible without rejecting the page's own requests with default settings: exact Shapley values on the convolutional network
# together with the three most expensive other methods are 6,400 million.

from __future__ import annotations

from explorer.attribution import Case, Method, Network, Passes, has_exact_path, likely_pieces
from explorer.attribution.method import Values
from explorer.attribution.rules import nodes
from explorer.state import State, StateError, Zoo

MAX_COST = 6_500_000_000  # multiplications a request
PICTURE = 10_000  # of a picture in each direction, in addition to the network's products (copies, ReLUs, sums)
BACKWARD = 2  # products of a backward pass, as a multiple of a forward pass, at most
SEQUENTIAL = 1_500_000  # of a pass with a single picture
METHOD = 10_000_000  # of a method's figures and other constant parts
REFERENCE_STEPS = 200  # of the Gauss–Legendre rule that stands for the exact path where there is none
CURVE_POINTS = 101  # pictures on the path for the curve of F in an explanation


def check_explanation(state: State, zoo: Zoo) -> None:
    """Check the cost of an explanation against ``MAX_COST``.

    Raises:
        StateError: it is larger; the message says the cost, the limit, and which settings reduce it.
    """
    cost = cost_of_explanation(state, zoo)
    if cost > MAX_COST:
        raise StateError(f"this explanation {_too_much(cost)}: ask for fewer steps m or fewer samples n")


def check_methods(state: State, case: Case, methods: list[Method], besides: int = 0) -> None:
    """Check the total cost of several methods against ``MAX_COST``.

    Args:
        state: the user's state.
        case: the case of the state.
        methods: the requested methods that support the network.
        besides: forward passes that the question takes in addition.

    Raises:
        StateError: it is larger; the message says the cost, the limit, and what reduces it.
    """
    cost = sum(cost_of_method(method, case, state) for method in methods) + _passes_cost(case.network, Passes(besides, 0))
    if cost <= MAX_COST:
        return
    if len(methods) > 1:
        raise StateError(f"these {len(methods)} methods together {_too_much(cost)}: ask for fewer of them at once")
    help_ = _smaller(methods[0], case, state)
    raise StateError(f"{methods[0].title} {_too_much(cost)}: {help_}")


def cost_of_explanation(state: State, zoo: Zoo) -> int:
    """The cost of an explanation (gradient, Integrated Gradients, SmoothGrad and exact path), in multiplications."""
    network = zoo[state.network].network
    settings = state.settings()
    points = 3 + 1 + nodes(settings.rule, settings.steps) + settings.samples
    pieces = likely_pieces(network) if has_exact_path(network) else REFERENCE_STEPS
    passes = Passes(points + pieces + CURVE_POINTS, points + pieces)
    return _passes_cost(network, passes) + _nodes_cost(settings.rule, settings.steps) + 4 * METHOD


def cost_of_method(method: Method, case: Case, state: State) -> int:
    """The cost of one method with the state's settings, in multiplications."""
    if method.name == "integrated_gradients" and state.rule == "exact":
        pieces = likely_pieces(case.network)
        return _passes_cost(case.network, Passes(pieces + 3, pieces)) + METHOD
    return cost_with(method, case, method.values(state.values(method)))


def cost_with(method: Method, case: Case, values: Values) -> int:
    """The cost of one method with a value for each of its settings, in multiplications."""
    found = 0
    if "rule" in values and "steps" in values:
        found = _nodes_cost(str(values["rule"]), int(values["steps"]))
    return _passes_cost(case.network, method.count(case, values)) + found + METHOD


def _passes_cost(network: Network, passes: Passes) -> int:
    forward, backward = PICTURE + network.products, PICTURE + BACKWARD * network.products
    return passes.forward * forward + passes.backward * backward + passes.sequential * SEQUENTIAL


def _nodes_cost(rule: str, steps: int) -> int:
    """The cost of the nodes: for Gauss–Legendre they are the eigenvalues of an m × m matrix."""
    return steps**3 if rule == "gauss-legendre" else 0


def _too_much(cost: int) -> str:
    return f"would take about {_millions(cost)} million multiplications, and one question may take {_millions(MAX_COST)} million"


def _millions(cost: int) -> str:
    return f"{-(-cost // 1_000_000):,}"


def _smaller(method: Method, case: Case, state: State) -> str:
    """Advice for an error message: the integer settings whose smaller values reduce the cost."""
    values = method.values(state.values(method))
    cost = cost_with(method, case, values)
    numbers = [s for s in method.settings if isinstance(s.default, int) and not isinstance(s.default, bool)]
    cheaper = [f"“{s.title}”" for s in numbers if cost_with(method, case, {**values, s.name: int(s.low)}) < cost]
    return f"choose a smaller {' or '.join(cheaper)}" if cheaper else "choose another network or a method that costs less"

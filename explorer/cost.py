"""How much work a question is, told before any of it is done; one question may take so much and no more.

The unit is a multiplication in the network, so the same question is the same work on any machine. What else there is
to do is counted in the same unit: each picture's part outside of the network's products (drawn, stored, gated by ReLUs,
summed up), each pass that one picture makes alone, each method's own figures. What a method sends through the network
it says itself, see ``Method.count``.

The weights below were found by timing every method with its largest settings on every network of the zoo, which
``python -m bench bounds`` does again: one core of a shared server does 4,000 to 5,500 million in a second, and 3,000
million while its neighbours fight it for every cache. So ``MAX_COST`` is 1.2 to 1.6 s of a core, 2.1 s at the worst. It is
as low as can be without refusing what the page asks for with defaults: exact Shapley values on the convolutional
network and the three most laborious others are 6,400 million.
"""

from __future__ import annotations

from explorer.attribution import Case, Method, Network, Passes, likely_pieces
from explorer.attribution.method import Values
from explorer.attribution.rules import nodes
from explorer.state import State, StateError, Zoo

MAX_COST = 6_500_000_000  # multiplications a question
PICTURE = 10_000  # what a picture takes each way, on top of the network's products
BACKWARD = 2  # a picture on its way back takes up to as many times the products of its way forward
SEQUENTIAL = 1_500_000  # what a pass takes that only one picture makes
METHOD = 10_000_000  # a method's figures, and whatever it does but once
CURVE = 101  # pictures whose worth the explanation tells along the path


def check_explanation(state: State, zoo: Zoo) -> None:
    """Let an explanation pass only if it is not too much work.

    Raises:
        StateError: it is; the message says how much, how much it may be, and what would help.
    """
    asked = cost_of_explanation(state, zoo)
    if asked > MAX_COST:
        raise StateError(f"this explanation {_too_much(asked)}: ask for fewer steps m or fewer samples n")


def check_methods(state: State, case: Case, methods: list[Method]) -> None:
    """Let a question about single methods pass only if it is not too much work.

    Args:
        state: what the user chose.
        case: the question that the state puts.
        methods: those that are asked and apply to the network.

    Raises:
        StateError: it is; the message says how much, how much it may be, and what would help.
    """
    asked = sum(cost_of_method(method, case, state) for method in methods)
    if asked <= MAX_COST:
        return
    if len(methods) > 1:
        raise StateError(f"these {len(methods)} methods together {_too_much(asked)}: ask for fewer of them at once")
    help_ = _smaller(methods[0], case, state)
    raise StateError(f"{methods[0].title} {_too_much(asked)}: {help_}")


def cost_of_explanation(state: State, zoo: Zoo) -> int:
    """The work of explaining a state: gradient, Integrated Gradients, SmoothGrad and the exact path, in multiplications."""
    network = zoo[state.network].network
    settings = state.settings()
    looks = 3 + 1 + nodes(settings.rule, settings.steps) + settings.samples
    pieces = likely_pieces(network)
    passes = Passes(looks + pieces + CURVE, looks + pieces)
    return _sent(network, passes) + _nodes_found(settings.rule, settings.steps) + 4 * METHOD


def cost_of_method(method: Method, case: Case, state: State) -> int:
    """The work of one method, with the settings that the state has for it, in multiplications."""
    if method.name == "integrated_gradients" and state.rule == "exact":
        pieces = likely_pieces(case.network)
        return _sent(case.network, Passes(pieces + 3, pieces)) + METHOD
    return cost_with(method, case, method.values(state.values(method)))


def cost_with(method: Method, case: Case, values: Values) -> int:
    """The work of one method with a value for each of its settings, in multiplications."""
    found = 0
    if "rule" in values and "steps" in values:
        found = _nodes_found(str(values["rule"]), int(values["steps"]))
    return _sent(case.network, method.count(case, values)) + found + METHOD


def _sent(network: Network, passes: Passes) -> int:
    forward, backward = PICTURE + network.products, PICTURE + BACKWARD * network.products
    return passes.forward * forward + passes.backward * backward + passes.sequential * SEQUENTIAL


def _nodes_found(rule: str, steps: int) -> int:
    """Gauss–Legendre's nodes are the eigenvalues of an m × m matrix; other rules know theirs."""
    return steps**3 if rule == "gauss-legendre" else 0


def _too_much(asked: int) -> str:
    return f"would take about {_millions(asked)} million multiplications, and one question may take {_millions(MAX_COST)} million"


def _millions(work: int) -> str:
    return f"{-(-work // 1_000_000):,}"


def _smaller(method: Method, case: Case, state: State) -> str:
    """Which settings of a method to lower: the whole numbers that make less work when they are less."""
    values = method.values(state.values(method))
    asked = cost_with(method, case, values)
    numbers = [s for s in method.settings if isinstance(s.default, int) and not isinstance(s.default, bool)]
    cheaper = [f"“{s.title}”" for s in numbers if cost_with(method, case, {**values, s.name: int(s.low)}) < asked]
    return f"choose a smaller {' or '.join(cheaper)}" if cheaper else "choose another network or a method that costs less"

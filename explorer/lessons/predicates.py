"""When a step is done: predicates by name, with their arguments. ``assets/lessons/predicates.js`` evaluates them in the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from explorer.attribution import METHODS
from explorer.attribution.network import OUTPUTS
from explorer.labs import LABS
from explorer.pictures import BASELINES, PATTERNS
from explorer.state import MAX_NOISE, MAX_SAMPLES, MAX_STEPS, RULE_NAMES, TABS, Zoo, shown

NETWORK = "network"  # an argument that is the name of one, known only with the zoo


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument: one of the choices, the name of a network, or a number within bounds."""

    choices: tuple[str, ...] = ()
    kind: str = ""
    low: float = 0
    high: float = 1
    whole: bool = False

    def expected(self, zoo: Zoo) -> str:
        """In words."""
        if names := self.names(zoo):
            return f"one of {', '.join(names)}"
        return f"a {'whole ' if self.whole else ''}number from {self.low:g} to {self.high:g}"

    def names(self, zoo: Zoo) -> tuple[str, ...]:
        """Its choices; none if it is a number."""
        return tuple(zoo) if self.kind == NETWORK else self.choices

    def accepts(self, value: object, zoo: Zoo) -> bool:
        """Whether it can have this value."""
        if names := self.names(zoo):
            return isinstance(value, str) and value in names
        if isinstance(value, bool) or not isinstance(value, int if self.whole else (int, float)):
            return False
        return bool(self.low <= value <= self.high)


@dataclass(frozen=True, slots=True)
class Predicate:
    """What must hold, in words, and the arguments, all of which are needed."""

    says: str
    arguments: Mapping[str, Argument]


def _is(says: str, **arguments: Argument) -> Predicate:
    return Predicate(says, MappingProxyType(arguments))


_SHARE = Argument(low=0, high=1)

PREDICATES: Mapping[str, Predicate] = MappingProxyType(
    {
        "tab_is": _is("this tab is shown", tab=Argument(TABS)),
        "network_is": _is("this network is chosen", network=Argument(kind=NETWORK)),
        "output_is": _is("this output is explained", output=Argument(OUTPUTS)),
        "baseline_is": _is("this baseline is chosen", baseline=Argument(BASELINES)),
        "pattern_is": _is("the picture is this pattern", pattern=Argument(tuple(PATTERNS))),
        "rule_is": _is("this rule is chosen", rule=Argument(RULE_NAMES)),
        "steps_at_most": _is("m is at most this", steps=Argument(low=1, high=MAX_STEPS, whole=True)),
        "steps_at_least": _is("m is at least this", steps=Argument(low=1, high=MAX_STEPS, whole=True)),
        "samples_at_least": _is("n is at least this", samples=Argument(low=1, high=MAX_SAMPLES, whole=True)),
        "samples_at_most": _is("n is at most this", samples=Argument(low=1, high=MAX_SAMPLES, whole=True)),
        "noise_at_least": _is("σ is at least this", noise=Argument(low=0, high=MAX_NOISE)),
        "noise_at_most": _is("σ is at most this", noise=Argument(low=0, high=MAX_NOISE)),
        "scale_is": _is("*Compare* has one scale for each unit, or each map its own", scale=Argument(("unit", "own"))),
        "pinned": _is("this method is pinned to *Compare*", method=Argument(tuple(METHODS))),
        "painted": _is("so many pixels differ from the picture with which the step began", pixels=Argument(low=1, high=64, whole=True)),
        "p_above": _is("P of the explained class is above this", p=_SHARE),
        "p_below": _is("P of the explained class is below this", p=_SHARE),
        "prediction_changed": _is("the network predicts another class than when the step began"),
        "other_class": _is("another class is explained than the predicted one"),
        "missing_below": _is("Σ misses less than this share of ΔF", share=_SHARE),
        "missing_above": _is("Σ misses more than this share of ΔF", share=_SHARE),
        "played": _is("the path was played or moved from its first tenth to its end"),
        "playhead_between": _is("the playhead stands between these shares of the path", low=_SHARE, high=_SHARE),
        "magnified": _is("a map is magnified"),
        "pixel_chosen": _is("a pixel was chosen by a click on a map"),
        "marked": _is("the visitor marked the pixels that the step asks for"),
        "lab_is": _is("this lab is open", lab=Argument(tuple(LABS))),
        "lab_answered": _is("the lab's answer is shown, after a prediction or a *Skip*", lab=Argument(tuple(LABS))),
    }
)


def wrong_with(done: object, zoo: Zoo) -> list[str]:
    """What is wrong with the predicates of a step, as clauses.

    Args:
        done: names with their arguments, as read from a file.
        zoo: the networks.
    """
    if not isinstance(done, dict) or not done:
        return ["'done' must name at least one predicate, as in done: {tab_is: {tab: saliency}}"]
    found = []
    for name, given in done.items():
        if name in PREDICATES:
            found += _wrong_arguments(str(name), {} if given is None else given, zoo)
        else:
            near = get_close_matches(str(name), PREDICATES, 1)
            found.append(f"there is no predicate {shown(name)}" + (f"; perhaps {near[0]!r} is meant" if near else ""))
    return found


def _wrong_arguments(name: str, given: Any, zoo: Zoo) -> list[str]:
    wanted = PREDICATES[name].arguments
    if not isinstance(given, dict) or given.keys() != wanted.keys():
        written = ", ".join(f"{key}: …" for key in wanted)
        return [f"the predicate {name!r} " + (f"needs {', '.join(wanted)}: write {name}: {{{written}}}" if wanted else "takes no arguments: write {}")]
    return [
        f"{key!r} of the predicate {name!r} must be {argument.expected(zoo)}, not {shown(given[key])}" for key, argument in wanted.items() if not argument.accepts(given[key], zoo)
    ]

"""What the wall shows of a picture that a student sent."""

from __future__ import annotations

from typing import Any

from explorer.state import LOOKS, PREDICTED, State, Zoo

DIGITS = 4  # of an attribution on the wall


def for_wall(state: State) -> State:
    """The state whose explanation is on the wall: the predicted class, its probability, and nothing that is only looks."""
    opening = State()
    usual = {name: getattr(opening, name) for name in (*LOOKS, "options")}
    return state.replace(**usual, target=PREDICTED, output="probability")


def tile(state: State, answer: dict[str, Any], zoo: Zoo) -> dict[str, Any]:
    """The facts of a picture.

    Args:
        state: one of ``for_wall``.
        answer: its explanation, as ``page.answer`` gives it.

    Returns:
        network, predicted (class index), class (its name), score (P of that class, in [0, 1]), pixels (64), and map: the attributions of Integrated
        Gradients, 64 signed numbers in units of P, rounded to ``DIGITS`` digits.
    """
    predicted = answer["predicted"]
    attributions = answer["methods"]["integrated_gradients"]["map"]
    return {
        "network": state.network,
        "predicted": predicted,
        "class": zoo[state.network].classes[predicted],
        "score": round(answer["f"]["input"], 6),
        "pixels": list(state.pixels),
        "map": [float(f"{value:.{DIGITS}g}") for value in attributions],
    }

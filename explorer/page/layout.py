"""The page as a whole, and what the scripts need to know from the start."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import orjson
from dash import html

from explorer import link, models, pictures
from explorer.addresses import THIS_MACHINE
from explorer.attribution import CONVENTIONS, CORE, FAMILIES, METHODS, SHARED, Setting, has_exact_path
from explorer.classroom.challenges import CHALLENGES
from explorer.labs import LABS
from explorer.labs.charts import TEMPLATES
from explorer.labs.lab import Lab
from explorer.link_picture import ALPHABET
from explorer.models import Model
from explorer.page.answer import COMPARED
from explorer.page.callbacks import KINDS
from explorer.page.controls import BASELINE_TITLES, class_options
from explorer.page.figures import figures
from explorer.page.header import header
from explorer.page.method_answers import MOST
from explorer.page.narration import STARTS
from explorer.page.painting import painting
from explorer.page.panels import PANELS
from explorer.page.panels.methods import FIRST
from explorer.page.static_parts import take_out
from explorer.page.tabs import tabs
from explorer.page.terms import TERMS, WORDS
from explorer.state import LOOKS, MAX_PINNED, State, Zoo, limits
from explorer.version import version

MOST_SAMPLES = 6  # of a network that a user added, beside the patterns


def layout(zoo: Zoo, answer: str, lessons: str = "", lms_origin: str = "", *, rooms: bool = False) -> html.Div:
    """The whole page in its opening state.

    Args:
        zoo: the networks.
        answer: to the opening state, as the server would give it; the page needs it at an address without a link.
        lessons: where the page finds the lessons.
        lms_origin: of the embedding page that is told when a lesson is finished; "" for none.
        rooms: whether a class may meet in rooms.
    """
    opening = State()
    page = html.Div(
        [
            html.A("Skip to the attribution", href="#stage", className="skip"),
            header(opening, zoo),
            html.Div(id="notices", role="status", **{"aria-atomic": "false"}),  # a new one is read out, not all again
            html.Main([painting(), tabs(opening)], className="app"),
            figures(),
            # The input and output of each callback; core/server.js sends the requests, so nothing is written into them. Elements
            # instead of dcc.Store, whose package is 355 kB of script.
            *(html.ObjectEl(id=end, hidden=True) for kind in KINDS.values() for end in (kind.source, kind.output)),
        ],
        className="page",
    )
    for part in page._traverse():
        if getattr(part, "_namespace", "") == "dash_html_components" and hasattr(part, "id"):
            part.disable_n_clicks = True  # no callback asks for clicks, of which Dash would dispatch two a stroke
    known = config(opening, zoo) | {"answer": answer, "parts": take_out(page), "lessons": lessons, "lms_origin": lms_origin, "rooms": rooms}
    if rooms:
        known["challenges"] = [{"kind": kind, "title": one.title, "rule": one.rule} for kind, one in CHALLENGES.items()]
    page.children.append(html.Div(orjson.dumps(known).decode(), id="config", hidden=True))
    return page


def config(opening: State, zoo: Zoo) -> dict[str, Any]:
    """What the scripts need once: presets, networks, limits, and how a link is written."""
    defaults = opening.to_json()
    return {
        "defaults": defaults,
        "levels": pictures.LEVELS,
        "alphabet": ALPHABET,
        "link": dict(link.KEYS),
        "painted": link.PAINTED,
        "link_version": link.VERSION,
        "build": version(),  # of this layout: another replica may have sent the page that asks for it
        "limits": limits(),
        "patterns": {
            name: {"title": pictures.PATTERN_TITLES[name], "levels": _levels(picture)}
            for name, picture in pictures.PATTERNS.items()
        },
        "baselines": BASELINE_TITLES,
        "starts": dict(STARTS),
        "digits": [[_levels(picture) for picture in samples] for samples in pictures.digit_samples(models.FOLDER)],
        "networks": {
            name: {
                "title": model.title,
                "about": model.about,
                "classes": list(model.classes),
                "class_options": class_options(model.classes),
                "task": model.task,
                "mean": _numbers(model.mean),
                "accuracy": model.accuracy,
                "held_out": model.held_out,
                "exact": has_exact_path(model.network),
                "own": model.own,
                "samples": [_levels(picture) for picture in _samples(model)],
            }
            for name, model in zoo.items()
        },
        "methods": {
            name: {
                "title": m.title,
                "year": m.year,
                "paper": m.paper,
                "reference": m.reference,
                "family": m.family,
                "formula": m.formula,
                "complete": m.complete,
                "unit": m.unit,
                "other_units": {setting: [[value, unit] for value, unit in units.items()] for setting, units in m.other_units.items()},
                "asks_at": m.asks_at,
                "asks": m.asks,
                "invariant": m.invariant,
                "passes": m.passes,
                "explains": m.explains,
                "caveat": m.caveat,
                "settings": [_setting(setting) for setting in m.settings],
                "unsupported": {key: reason for key, model in zoo.items() if (reason := m.unsupported_reason(model.network))},
            }
            for name, m in METHODS.items()
        },
        "terms": {name: {"text": text, "concept": concept} for name, (text, concept) in TERMS.items()},
        "conventions": {
            name: {
                "title": c.title,
                "source": c.source,
                "shared": dict(c.shared),
                "options": {method: dict(values) for method, values in c.options.items()},
                "notes": list(c.notes),
            }
            for name, c in CONVENTIONS.items()
        },
        "labs": {name: _lab(lab, zoo) for name, lab in LABS.items()},
        "lab_words": dict(WORDS),
        "chart_templates": dict(TEMPLATES),
        "core": list(CORE),
        "compared": list(COMPARED),
        "tabs": list(PANELS),
        "exact_tabs": [name for name, panel in PANELS.items() if panel.needs_exact],
        "method_tabs": [name for name, panel in PANELS.items() if panel.shows_methods],
        "families": list(FAMILIES),
        "first": dict(FIRST),
        "own_hosts": THIS_MACHINE.pattern,
        "most_pinned": MAX_PINNED,
        "most_methods": MOST,  # in one question
        "looks": [*sorted(LOOKS), "options"],  # a change of these asks for no explanation
    }


def _lab(lab: Lab, zoo: Zoo) -> dict[str, Any]:
    return {
        "title": lab.title,
        "group": lab.group,
        "question": lab.question,
        "minutes": lab.minutes,
        "emblem": lab.emblem,
        "prediction": lab.prediction,
        "choices": list(lab.choices),
        "settings": [_setting(setting) for setting in lab.settings],
        "looks": sorted(lab.looks),
        "why": lab.why,
        "caveat": lab.caveat,
        "papers": [{"who": paper.who, "title": paper.title, "address": paper.address} for paper in lab.papers],
        "unsupported": {name: reason for name in zoo if (reason := lab.unsupported(State(network=name), zoo))},
        "instead": dict(lab.instead),
    }


def _setting(setting: Setting) -> dict[str, Any]:
    return {
        "name": setting.name,
        "title": setting.title,
        "default": setting.default,
        "low": setting.low,
        "high": setting.high,
        "choices": list(setting.choices),
        "kind": {bool: "truth", int: "whole", float: "number", str: "choice"}[type(setting.default)],
        "shared": setting in SHARED,
    }


def _samples(model: Model) -> Iterable[np.ndarray]:
    """Some of the sample pictures that a network of the user's own brought."""
    pictures = model.network.background
    if not model.own or pictures is None:
        return ()
    chosen: np.ndarray = pictures[np.linspace(0, len(pictures) - 1, min(MOST_SAMPLES, len(pictures))).astype(int)]
    return chosen


def _levels(picture: np.ndarray) -> list[int]:
    """A picture of the lattice as whole levels: exact, and a third of the size."""
    levels: list[int] = np.rint(picture.ravel() * pictures.LEVELS).astype(int).tolist()
    return levels


def _numbers(picture: np.ndarray) -> list[float]:
    """A picture for the eye: two decimals."""
    numbers: list[float] = np.round(picture.ravel(), 2).tolist()
    return numbers

"""Write docs/methods.md from the table of methods and the conventions: ``python scripts/method_docs.py``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # when it is called by its path

from explorer.attribution import CONVENTIONS, FAMILIES, METHODS, Method, Setting  # noqa: E402

PLACE = ROOT / "docs" / "methods.md"


def main() -> None:
    """Write the page."""
    PLACE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page as Markdown."""
    families = "\n".join(_family(family) for family in FAMILIES)
    conventions = "\n".join(_convention(name) for name in CONVENTIONS)
    return f"""# Methods

Written by `make docs` from the entries in `explorer/attribution/methods/`, which also make the method's card on the page.
F is the chosen output of the target class, x the picture, x′ the baseline. “Sums to” holds in the limit of many steps and
samples. “Invariant” is Sundararajan’s Implementation Invariance: networks that compute the same function get the same map,
to rounding (which an adaptive path may amplify). On a kink of F torch’s gradient depends on the layers; there only methods
that evaluate nothing but F (“perturbation”) are invariant.

{families}
## Conventions

The settings that give a library’s maps. Faults are reproduced only here, under their own names.

{conventions}"""


def _family(family: str) -> str:
    entries = "\n".join(_entry(method) for method in METHODS.values() if method.family == family)
    return f"## {family.capitalize()}\n\n{entries}"


def _entry(method: Method) -> str:
    settings = "; ".join(_setting(setting) for setting in method.settings) or "none"
    return f"""### {method.title}

{method.formula}

- {method.paper}: {method.reference}
- sums to: {method.complete or "nothing is promised"}
- unit: {_unit(method)}
- invariant: {"yes" if method.invariant else "no"}
- costs: {method.passes}
- settings: {settings}
- caveat: {method.caveat}
"""


def _unit(method: Method) -> str:
    unit = method.unit or "none: its parts have different ones"
    others = "".join(f"; {other} with `{name}` {value}" for name, units in method.other_units.items() for value, other in units.items())
    return unit + (" (of the logit)" if method.explains == "logit" else "") + others


def _setting(setting: Setting) -> str:
    if setting.choices:
        allowed = f", one of {', '.join(setting.choices)}"
    elif isinstance(setting.default, bool):
        allowed = ""
    else:
        allowed = f", {_plain(setting.low)} to {_plain(setting.high)}"
    return f"`{setting.name}` ({setting.title}; {setting.default}{allowed})"


def _plain(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) else f"{number:g}"


def _convention(name: str) -> str:
    convention = CONVENTIONS[name]
    shared = ", ".join(f"{key} {value}" for key, value in convention.shared.items())
    own = [f"{METHODS[method].title}: {', '.join(f'{k} {v}' for k, v in values.items())}" for method, values in convention.options.items()]
    lines = [f"- for the whole page: {shared}", *(f"- {line}" for line in own), "", *(f"{note}\n" for note in convention.notes)]
    return f"### {convention.title.capitalize()} ({convention.source})\n\n" + "\n".join(lines)


if __name__ == "__main__":
    main()

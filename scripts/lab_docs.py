"""Write docs/labs.md from the labs' entries and the examples in their modules: ``python -m scripts.lab_docs``."""

from __future__ import annotations

import textwrap
from importlib import import_module
from pathlib import Path

from explorer.attribution import Setting
from explorer.labs import LABS

PLACE = Path(__file__).resolve().parents[1] / "docs" / "labs.md"


def main() -> None:
    """Write the page."""
    PLACE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page as Markdown."""
    groups = list(dict.fromkeys(lab.group for lab in LABS.values()))
    entries = "\n".join(f"## {group}\n\n" + "\n".join(_entry(name) for name, lab in LABS.items() if lab.group == group) for group in groups)
    return f"""# The labs

Written by `make docs` from the modules in `explorer/labs/`, which also make the page. Each lab asks a question about the picture in the
grid. The visitor predicts, tries, and sees what happened beside the prediction.

A link opens a lab: `?tab=labs&lab=NAME&v=2` with the settings that differ, as in `&do=steps:50,rule:left`, and with all that other links
hold: picture, network, baseline and so on. *Copy link* writes it. `prediction` and answer of a visitor are kept in their page only.

Similarity of two maps is Spearman's rank correlation, of signed values and of magnitudes, over all pixels or those that differ from the
baseline, and SSIM with a window of 5. All computations are plain functions; the examples below run as they stand. `case` and
`network` may be your own.

{entries}"""


def _entry(name: str) -> str:
    lab = LABS[name]
    settings = "; ".join(_setting(setting) for setting in lab.settings) or "none"
    papers = "; ".join(f"{paper.who}, [{paper.title}]({paper.address})" if paper.address else f"{paper.who}, {paper.title}" for paper in lab.papers)
    example = example_of(name)
    return f"""### `{name}`: {lab.title}

**{lab.question}** {lab.prediction} {" ".join(f"({'abcd'[i]}) {choice}" for i, choice in enumerate(lab.choices))}

- why: {lab.why}
- caveat: {lab.caveat}
- settings: {settings}
- papers: {papers}
""" + (f"\n```python\n{example}\n```\n" if example else "")


def example_of(name: str) -> str:
    """The example at the end of a lab's module docstring; "" where there is none."""
    text = import_module(f"explorer.labs.{name}").__doc__ or ""
    _, _, code = text.partition("In Python::\n")
    return textwrap.dedent(code).strip()


def _setting(setting: Setting) -> str:
    default = {True: "yes", False: "no"}[setting.default] if isinstance(setting.default, bool) else setting.default
    if setting.choices:
        return f"`{setting.name}` {' / '.join(setting.choices)} ({default})"
    return f"`{setting.name}` {default}" + ("" if isinstance(setting.default, bool) else f" ({setting.low:g} to {setting.high:g})")


if __name__ == "__main__":
    main()

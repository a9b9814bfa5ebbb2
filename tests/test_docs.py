"""The documentation says what the program does."""

from __future__ import annotations

import re

from explorer.attribution import METHODS
from scripts.method_docs import PLACE, ROOT, page


def test_the_page_of_methods_is_the_table_of_methods() -> None:
    assert PLACE.read_text(encoding="utf-8") == page(), "make docs writes it anew"
    assert all(method.title in page() and method.misleads in page() for method in METHODS.values())


def test_the_readme_names_no_file_that_is_not_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = re.findall(r"(?<!\")\]\((?!https?:)([^)#]+)\)", readme)
    assert linked
    assert [name for name in linked if not (ROOT / name).exists()] == []

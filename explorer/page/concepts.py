"""Key concepts: the Markdown files in ``texts/``, rendered as a part of the page that React does not own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

TEXTS = Path(__file__).parent / "texts"


class _Renderer(RendererHTML):
    """Indented lines are formulas, and links open in another tab."""

    def code_block(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        return f'<p class="formula notranslate">{escape(tokens[i].content.strip(), quote=False)}</p>\n'

    def link_open(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        tokens[i].attrs |= {"target": "_blank", "rel": "noopener noreferrer"}
        return str(self.renderToken(tokens, i, options, env))


MARKDOWN = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer)  # HTML in a text is shown, not run


def concepts(folder: Path = TEXTS) -> str:
    """All concepts as HTML: a section with a fold for each, in the order of the files' names."""
    folds = "".join(_fold(name, text) for name, text in concept_texts(folder).items())
    return f'<section id="concepts" class="concepts" aria-label="Key concepts"><h2>Key concepts</h2>{folds}</section>'


def concept_texts(folder: Path = TEXTS) -> Mapping[str, str]:
    """The Markdown of each concept, by the name after its file's number, as in ``04-integrated-gradients.md``."""
    return {path.stem.partition("-")[2]: path.read_text("utf-8") for path in sorted(folder.glob("*.md"))}


def _fold(name: str, text: str) -> str:
    heading, _, body = text.partition("\n")
    title = MARKDOWN.renderInline(heading.removeprefix("# "))
    return f'<details id="concept-{name}"><summary>{title}</summary>{MARKDOWN.render(body)}</details>'

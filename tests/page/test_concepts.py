"""The concepts and terms of the page: complete, short, with their sources, and without HTML of their own."""

from __future__ import annotations

import re
from pathlib import Path

from each import each

from explorer.page.concepts import concept_texts, concepts
from explorer.page.terms import TERMS, WORDS

ROOT = Path(__file__).resolve().parents[2]
TEXTS = concept_texts()


def sentences(text: str) -> list[str]:
    """The sentences of a Markdown text without its title, formula and source."""
    prose = "\n\n".join(part for part in text.split("\n\n") if not re.match(r" {4}|# |Source:", part))
    return re.split(r"(?<=[.?])\s+", prose.strip())


TOLD = {**TEXTS, **{name: text for name, (text, _) in TERMS.items()}}


@each(("name", "text"), TOLD.items())
def test_every_sentence_has_at_most_twenty_words_and_an_end(name: str, text: str) -> None:
    for sentence in sentences(text):
        assert len(re.findall(r"[^\s=+−·÷×]+", sentence)) <= 20, sentence
        assert re.search(r"[.?]”?$", sentence), sentence


@each(("name", "text"), TEXTS.items())
def test_every_concept_has_a_title_a_formula_a_text_and_a_source(name: str, text: str) -> None:
    title, formula, *_, source = text.strip().split("\n\n")
    assert re.fullmatch(r"# \S.*", title) and re.fullmatch(r" {4}\S.*", formula)
    assert re.fullmatch(r"Source: \[[^]]+\]\(https://[^)\s]+\)", source)
    assert f'<details id="concept-{name}"><summary>' in concepts()


def test_terms_are_used_and_their_concepts_exist() -> None:
    assert {concept for _, concept in TERMS.values()} - {""} <= TEXTS.keys()
    sources = [*(ROOT / "explorer" / "page").rglob("*.py"), *(ROOT / "assets" / "panels").glob("*.js")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in sources)
    used = {*re.findall(r'\bterm\("([^"]+)", "', text), *re.findall(r'term: \["([^"]+)", "', text)}
    assert used | set(WORDS.values()) == set(TERMS)


def test_html_in_a_text_is_shown_and_not_run(tmp_path: Path) -> None:
    evil = '<img src=x onerror="alert(1)">'
    (tmp_path / "1-evil.md").write_text(f"# {evil}\n\n    {evil}\n\n{evil}\n\n[{evil}](javascript:alert(1))\n", encoding="utf-8")
    html = concepts(tmp_path)
    assert "<img" not in html and "<a " not in html and html.count("&lt;img") == 4


def test_links_open_in_another_tab_and_formulas_are_not_translated() -> None:
    links = re.findall(r"<a ([^>]*)>", concepts())
    assert len(links) == len(TEXTS) and all('target="_blank" rel="noopener noreferrer"' in link for link in links)
    assert concepts().count('class="formula notranslate"') == len(TEXTS)

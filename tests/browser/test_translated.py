"""The page while the browser translates it, as Google Translate does: every text node is replaced by elements of its own."""

from __future__ import annotations

from collections.abc import Callable

from .conftest import Server
from .visit import Visit

Visits = Callable[..., Visit]

# Replaces each text node as it appears, and leaves out what the page forbids; the "translation" marks the text.
TRANSLATOR = """
(() => {
  const own = new WeakSet();
  const wrap = (text) => {
    const kept = !text.parentElement || text.parentElement.closest("[translate=no], .notranslate, script, style, textarea");
    if (kept || own.has(text) || !text.nodeValue.trim()) return;
    const [outer, inner] = ["font", "font"].map((tag) => document.createElement(tag));
    inner.append(`§${text.nodeValue}`);
    own.add(inner.firstChild);
    outer.append(inner);
    text.replaceWith(outer);
  };
  const walk = (node) => (node.nodeType === Node.TEXT_NODE ? wrap(node) : [...node.childNodes].forEach(walk));
  new MutationObserver((records) => records.forEach(({ addedNodes }) => addedNodes.forEach(walk))).observe(document, { childList: true, subtree: true });
})();
"""


def told(visit: Visit) -> list[str]:
    """All text of the page that can be seen, line by line, as it was before it was translated."""
    visit.rest()
    visit.until("() => view.state.tab !== 'methods' || !document.getElementById('methods-all').open || /^§?\\d+ methods/.test(document.querySelector('.methods-count').innerText)")
    text: str = visit.page.evaluate("() => document.body.innerText")
    return [" ".join(line.split()) for line in text.replace("§", "").splitlines() if line.strip()]


def tour(visit: Visit) -> dict[str, list[str]]:
    """A lesson that changes every text of the page; what was to be read at each of its stops."""
    read: dict[str, list[str]] = {}

    def stop(name: str, *, pointing: bool = False) -> None:
        if not pointing:
            visit.page.mouse.move(0, 0)
            visit.until("() => view.pixel === null")
        read[name] = told(visit)

    visit.open("?v=2&m=10")
    stop("opened")
    visit.stroke((1, 1), (1, 6))
    stop("painted")
    visit.choose("network", "digits")
    visit.page.locator("#digits .digit").nth(7).click()
    stop("another network and picture")
    visit.to_tab("integrated")
    visit.page.locator("#to-start").click()
    stop("at the start of the path")
    visit.page.locator("#step-forward").click()
    stop("one step on")
    visit.page.locator("#speed").select_option("60")
    visit.page.locator("#play").click()
    visit.until("() => view.step === 10")
    stop("played")
    visit.page.locator("#integrated-maps [role=application]").nth(3).hover(position={"x": 5, "y": 5})
    visit.until("() => document.getElementById('pixel-area').textContent.includes('row 0, column 0')")
    stop("pointed at a pixel", pointing=True)
    visit.choose("rule", "exact")
    stop("another rule")
    visit.to_tab("compare")
    visit.page.locator("#compare-maps .map-head .tool").first.click()
    stop("enlarged")
    visit.press("Escape")
    visit.to_tab("methods")
    visit.page.locator("#methods-all").evaluate("(all) => (all.open = true)")
    stop("methods")
    visit.choose("network", "logistic")
    stop("methods of another network")
    visit.page.get_by_role("button", name="SmoothGrad²").click()
    stop("a method's card")
    visit.press("Escape")
    visit.page.locator("#convention-choice").select_option("captum")
    stop("a convention")
    visit.page.locator("#brush").fill("35")
    visit.to_tab("compare")
    visit.page.locator("#noise_level").fill("0.17")
    visit.until("() => view.state.noise_level === 0.17")
    visit.rest()
    visit.page.locator("#samples").fill("0")
    visit.until("() => document.getElementById('samples-refusal').textContent")
    stop("settings")
    visit.page.evaluate("() => { explorer.showRefusal('Too much.'); explorer.showTrouble('a test', 'Away.'); }")
    visit.page.evaluate("() => { explorer.showRefusal('Far too much.'); explorer.showTrouble('a test', 'Far away.'); }")
    stop("notices")
    visit.page.locator("#theme").click()
    visit.page.go_back()
    stop("back")
    return read


def test_a_translated_page_says_of_every_picture_what_the_page_says(visits: Visits, server: Server) -> None:
    translated = visits(server.address, apart=True)
    translated.page.add_init_script(TRANSLATOR)
    seen, expected = tour(translated), tour(visits(server.address))
    assert translated.page.locator("#headline font").count() == 2  # it was translated
    for name, lines in expected.items():
        assert seen[name] == lines, name
    # numbers, symbols and drawings are left alone
    assert translated.page.locator("svg font, output font, .formula font, .scale font, .figure font, dl:not(.entry) dd font, .correlations td font").count() == 0

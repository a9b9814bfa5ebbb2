"""Links: what one visitor sees, another sees from the link alone; Back and Forward; visitors do not disturb each other."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from itertools import product

from links import link_of
from playwright.sync_api import Route

from explorer.link import read_link
from explorer.models import Model
from explorer.pictures import BASELINES, PATTERNS
from explorer.state import PREDICTED, RULE_NAMES, State

from .conftest import Server
from .visit import Visit, alike

Visits = Callable[..., Visit]
Zoo = Mapping[str, Model]


def test_a_link_brings_back_the_identical_answer(visits: Visits, server: Server, models: Zoo) -> None:
    first = visits(server.address).open()
    first.page.locator("#digits button").nth(4).click()
    first.page.locator("#baselines [data-name=drawing]").click()
    first.choose("network", "digits")
    first.choose("target", "predicted")
    first.page.locator("#brush").fill("65")
    first.rest()  # the notice of the other network has gone: nothing moves any more
    first.stroke((1, 1), (1, 6))
    first.choose("rule", "gauss-legendre")
    first.rest()
    first.to_tab("compare")
    first.page.locator("#noise_level").fill("0")
    first.until("() => view.state.noise_level === 0")
    first.rest()
    first.page.get_by_label("Own", exact=True).check()
    first.until("() => view.state.scale === 'own'")
    link = first.page.evaluate("() => explorer.link()")
    assert first.page.evaluate("() => location.search") == link
    second = visits(server.address, apart=True).open(link)
    assert second.state == first.state
    assert alike(second.numbers(), first.numbers())
    assert second.page.locator("#tab-compare").get_attribute("aria-selected") == "true"
    assert second.page.get_by_label("Own", exact=True).is_checked()
    assert second.page.locator("#network").input_value() == "digits"
    assert second.page.locator("#baselines [aria-pressed=true]").get_attribute("data-name") == "drawing"
    assert second.text("picture-name") == "Custom"
    assert second.page.evaluate("() => location.search") == link
    assert second.page.locator("#notices").inner_text() == ""
    assert len(second.questions) == 1
    second.shows_the_numbers_of_its_state(models)
    assert read_link(link, models) == (State.from_json(first.state, models), [])


def many_states(models: Zoo) -> list[State]:
    """States of every kind that a page can be in."""
    chance = random.Random(5)
    tones = [k / 100 for k in range(0, 101, 5)] + [k / 16 for k in range(17)] + [k / 14 for k in range(15)]
    drawn = [tuple(chance.choice(tones[: 2 + 7 * i]) for _ in range(64)) for i in range(7)]
    patterns = [tuple(picture.ravel().tolist()) for picture in PATTERNS.values()]
    states = [State(pixels=pixels, drawing=drawing) for pixels, drawing in product(patterns[:3] + drawn, (None, patterns[0], drawn[2]))]
    states += [State(rule=rule, tab="compare") for rule in RULE_NAMES]
    states += [State(baseline=kind, drawing=drawn[0], scale="own") for kind in BASELINES]
    states += [State(noise_level=k / 100) for k in range(51)]
    states += [
        State(network=name, target=target, output="logit", steps=500, samples=1, seed=999_999, baseline_seed=7, clip=True)
        for name in models
        for target in (PREDICTED, 1)
    ]
    return states


def test_the_page_writes_the_same_links_as_python(visit: Visit, models: Zoo) -> None:
    states = many_states(models)
    links = visit.page.evaluate(
        """(states) => {
          return states.map((state) => explorer.link(state));
        }""",
        [state.to_json() for state in states],
    )
    for state, link in zip(states, links, strict=True):
        assert read_link(link, models) == (state, [])
        assert link == link_of(state)


def test_back_and_forward_walk_through_what_was_done(visit: Visit, models: Zoo) -> None:
    opening = visit.state
    visit.stroke((0, 0), (0, 7))
    visit.rest()
    painted = visit.state
    visit.choose("network", "digits")
    visit.rest()
    last = visit.state
    for go, expected in ((visit.page.go_back, painted), (visit.page.go_back, opening), (visit.page.go_forward, painted), (visit.page.go_forward, last)):
        with visit.count_requests(1):
            go()
            visit.until("(state) => JSON.stringify(view.state) === JSON.stringify(state)", expected)
        assert visit.state == expected
        assert visit.page.locator("#network").input_value() == expected["network"]
        assert visit.page.evaluate("() => location.search || '?v=2'") == link_of(State.from_json(expected, models))
        visit.shows_the_numbers_of_its_state(models)
    labels = visit.page.locator("#paint-grid [role=gridcell]").evaluate_all("cells => cells.map((c) => c.getAttribute('aria-label').slice(-4))")
    assert [float(text) for text in labels] == [round(v, 2) for v in last["pixels"]]


def test_looking_around_makes_no_entry_in_the_history(visit: Visit) -> None:
    visit.to_tab("compare")
    visit.to_tab("integrated")
    assert visit.page.evaluate("() => seen.entries") == 0
    assert visit.page.evaluate("() => location.search") in ("", "?v=2")
    visit.stroke((0, 0))
    assert visit.page.evaluate("() => seen.entries") == 1


def test_a_reload_shows_the_same(visit: Visit) -> None:
    visit.stroke((3, 0), (3, 7))
    visit.rest()
    state, numbers = visit.state, visit.numbers()
    visit.page.reload()
    visit.rest()
    assert visit.state == state
    assert alike(visit.numbers(), numbers)


def test_a_damaged_link_shows_what_was_wrong_and_keeps_the_rest(visits: Visits, server: Server) -> None:
    visit = visits(server.address).open("?v=2&net=digits&m=9999&px=AAAA&seed=4")
    notices = visit.text("notices")
    assert "9999" in notices and "painted picture" in notices and "digits" not in notices
    assert (visit.state["network"], visit.state["seed"], visit.state["steps"]) == ("digits", 4, 50)
    assert visit.text("picture-name") == "Vertical edge"
    assert "9999" not in visit.page.evaluate("() => location.search")
    visit.page.locator("#notices").get_by_label("Dismiss").click()  # one notice, however much was wrong
    assert visit.text("notices") == ""
    visit.open("?v=9&m=70")
    assert "version" in visit.text("notices")
    assert visit.state["steps"] == 50
    visit.open("?utm_source=mail")
    assert visit.text("notices") == ""
    assert visit.state == State().to_json()


def test_a_mangled_link_opens_the_picture_that_was_sent_and_the_address_shows_a_clean_one(visits: Visits, server: Server, models: Zoo) -> None:
    visit = visits(server.address)
    sent = State(pixels=(1.0, *State().pixels[1:]), network="digits", steps=77)
    link = link_of(sent)
    half = len(link) // 2
    for arrived in (
        link.replace("?", "#"),
        "?utm_source=mail" + link.replace("?", "#"),
        link.replace("&", "&amp;"),
        "?" + link[1:].replace("%", "%25").replace("=", "%3D").replace("&", "%26"),
        link[:half] + "\r\n> " + link[half:],
        link[:half] + " \u200b" + link[half:] + ").”",
        "?v=2&M=77&Net=DIGITS&px=" + link.partition("px=")[2].partition("&")[0] + "&utm_source=mail",
    ):
        visit.page.goto(server.address + "healthz")  # or a fragment alone would load nothing
        visit.open(arrived)
        assert visit.state == sent.to_json(), arrived
        assert visit.text("notices") == ""
        assert visit.page.evaluate("() => [location.search + location.hash, explorer.link()]") == [link, link]
    visit.shows_the_numbers_of_its_state(models)
    visit.open(link[:-9])
    assert "cut off" in visit.text("notices") and visit.state == State().to_json()


def test_a_fragment_is_a_link_or_a_place_within_the_page(visits: Visits, server: Server) -> None:
    visit = visits(server.address).open("?m=70&v=2#stage")
    assert visit.state["steps"] == 70 and visit.text("notices") == ""
    assert visit.page.evaluate("() => location.search + location.hash") == "?m=70&v=2#stage"
    with visit.count_requests(0):
        visit.page.evaluate("() => void (location.hash = 'concepts')")
        visit.until("() => location.hash === '#concepts' && history.state")
    with visit.page.expect_navigation(wait_until="load"):
        visit.page.evaluate("() => void (location.hash = 'v=2&net=logistic')")  # as typed into the address of the open page
    visit.rest()
    assert visit.state["network"] == "logistic"
    assert visit.page.evaluate("() => location.hash") == ""


def test_copy_link_copies_this_very_state(visits: Visits, server: Server) -> None:
    visit = visits(server.address, permissions=["clipboard-read", "clipboard-write"]).open()
    visit.stroke((6, 0), (6, 7))
    visit.rest()
    visit.page.locator("#copy-link").click()
    visit.until("() => document.getElementById('copy-link').textContent === 'Copied'")
    copied = visit.page.evaluate("() => navigator.clipboard.readText()")
    assert copied == server.address + visit.page.evaluate("() => explorer.link()")
    assert visits(server.address).open(copied.removeprefix(server.address)).state == visit.state


def test_without_a_clipboard_the_link_is_shown_to_be_copied_by_hand(visits: Visits, server: Server) -> None:
    visit = visits(server.address, apart=True)
    visit.page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    visit.open().page.locator("#copy-link").click()
    field = visit.page.locator("dialog[open] input")
    assert field.input_value() == server.address + "?v=2"
    visit.press("Escape")
    visit.until("() => !document.querySelector('dialog')")


def test_two_visitors_at_once_each_get_their_own_numbers(visits: Visits, server: Server, models: Zoo) -> None:
    one, other = visits(server.address).open(), visits(server.address, apart=True).open()
    for turn in range(3):
        one.stroke((turn, 0), (turn, 7))
        other.stroke((0, turn), (7, turn), button="right")
        other.choose("network", list(models)[turn])
        one.page.locator("#digits button").nth(turn).click()
        one.stroke((turn + 3, 0), (turn + 3, 4))
    for visit in (one, other):
        visit.rest()
        visit.shows_the_numbers_of_its_state(models)
    assert one.state["pixels"] != other.state["pixels"]


def test_what_is_painted_before_the_first_answer_is_kept_with_the_rest_of_the_link(visits: Visits, server: Server, models: Zoo) -> None:
    visit = visits(server.address)
    held: list[Route] = []
    visit.page.route("**/_dash-update-component*", lambda route: route.continue_() if held else held.append(route))
    visit.page.goto(server.address + "?v=2&net=digits&m=70&p=ring")
    visit.page.wait_for_function("() => window.explorer?.view?.state && document.querySelector('#paint-grid [role=gridcell]')")
    visit.page.wait_for_function("() => seen.flying === 1")
    visit.stroke((0, 0), (0, 7))
    held[0].continue_()
    visit.rest()
    assert (visit.state["network"], visit.state["steps"]) == ("digits", 70)
    assert visit.pixels[:8] == [1] * 8
    visit.shows_the_numbers_of_its_state(models)

"""Playing, stepping, scrubbing, hovering and looking around: all of it from one answer, without a question."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from .conftest import Server
from .visit import Visit

Visits = Callable[..., Visit]
COUNT = "() => explorer.view.path.count"
PLAYING = "() => document.getElementById('play').textContent === 'Pause'"
RESTING = "() => document.getElementById('play').textContent === 'Play'"


def step(visit: Visit) -> int:
    """Where on the path the page is."""
    at: int = visit.page.evaluate("() => explorer.view.step")
    return at


def blurred(visit: Visit) -> Visit:
    """The visit with no element focused, so that keys go to the page."""
    visit.page.evaluate("() => document.activeElement && document.activeElement.blur()")
    return visit


def looked_at(visit: Visit, tab: str) -> None:
    """Show a tab, and wait for what it needs."""
    visit.page.locator(f"#tab-{tab}").click()
    visit.rest()
    visit.until("(tab) => view.state.tab === tab && (tab === 'saliency' || view.answer.exact)", tab)


def test_playing_to_the_end_asks_nothing_and_ends_at_the_finished_map(visit: Visit) -> None:
    visit.page.locator("#speed").select_option("60")
    visit.to_tab("saliency")
    blurred(visit)
    with visit.count_requests(0):
        visit.page.evaluate("() => { window.steps = []; explorer.on('step', (k) => steps.push(k)); }")
        visit.press("Space")
        visit.until(f"() => steps.length && view.step === view.path.count && ({RESTING})()")
    steps = visit.page.evaluate("() => steps")
    assert steps[0] == 0 and steps == sorted(steps) and steps[-1] == 50
    assert visit.state["tab"] == "integrated"  # there is nothing to play on the first tab
    path = visit.page.evaluate("() => ({ sum: explorer.view.path.sums[50], map: [...explorer.view.path.running.slice(64 * 50)] })")
    finished = visit.numbers()["methods"]["integrated_gradients"]
    assert path == {"sum": finished["total"], "map": finished["map"]}
    assert "(50 steps)" in visit.text("gauge")
    assert visit.text("step-shown") == "50 / 50"


def test_every_step_shows_the_sum_so_far(visit: Visit) -> None:
    visit.to_tab("integrated")
    said = visit.numbers()
    path = visit.page.evaluate(
        "() => ({ sums: [...explorer.view.path.sums], values: [...explorer.view.path.values], alphas: [...explorer.view.path.alphas] })"
    )
    assert path["alphas"] == [0, *said["path"]["alphas"]]
    assert path["values"] == [said["f"]["baseline"], *said["path"]["values"][:-1], said["f"]["input"]]
    assert path["sums"][0] == 0 and abs(path["sums"][49] - said["methods"]["integrated_gradients"]["total"]) < 0.2
    with visit.count_requests(0):
        for k in (0, 1, 17, 49):
            visit.page.locator("#scrub").fill(str(k))
            assert step(visit) == k
            assert visit.text("step-shown") == f"{k} / 50"
            assert "Still missing" in visit.text("gauge") and "steps" not in visit.text("gauge")
            assert visit.page.locator("#scrub").get_attribute("aria-valuetext") == f"step {k} of 50"


def test_space_plays_and_pauses_and_keys_step(visit: Visit) -> None:
    looked_at(visit, "integrated")
    visit.page.locator("#speed").select_option("10")
    blurred(visit)
    with visit.count_requests(0):
        visit.press("Space")
        visit.until(f"() => view.step >= 2 && view.step < 50 && ({PLAYING})()")
        visit.press("Space")
        visit.until(RESTING)
        held = step(visit)
        visit.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert step(visit) == held
        for key, expected in (
            ("ArrowRight", held + 1),
            ("ArrowLeft", held),
            ("Home", 0),
            ("ArrowLeft", 0),
            ("ArrowRight", 1),
            ("End", 50),
            ("ArrowRight", 50),
        ):
            visit.press(key)
            assert step(visit) == expected, key
        for button, expected in (("to-start", 0), ("step-forward", 1), ("step-forward", 2), ("step-back", 1), ("to-end", 50)):
            visit.page.locator(f"#{button}").click()
            assert step(visit) == expected, button


def test_after_a_gap_without_frames_play_goes_on_from_where_it_stood(visits: Visits, server: Server) -> None:
    visit = visits(server.address, apart=True)
    visit.install_clock()
    visit.open("?v=2&tab=integrated").page.locator("#speed").select_option("10")
    visit.page.evaluate("() => { window.steps = []; explorer.on('step', (k) => steps.push([k, performance.now() / 1000])); }")
    visit.page.locator("#play").click()
    visit.let_pass_until("() => view.step >= 10 && view.step < 40")
    visit.page.clock.fast_forward(6000)  # as when the lid was closed, or another window in front
    visit.let_pass_until(RESTING)
    steps = visit.page.evaluate("() => steps")
    assert steps[0][0] == 0 and steps[-1][0] == 50
    assert all(0 < after - before <= 5 for (before, _), (after, _) in pairwise(steps))
    assert steps[-1][1] - steps[0][1] >= 6 + 50 / 10 - 0.6


def test_after_a_click_on_a_tab_the_keys_play_and_on_a_tab_reached_by_keyboard_they_are_its_own(visit: Visit) -> None:
    visit.page.locator("#speed").select_option("10")
    visit.to_tab("saliency")
    focused = "() => document.activeElement.id"
    tab = visit.page.locator("#tab-integrated")
    looked_at(visit, "integrated")
    visit.page.locator("#tab-saliency").click()
    with visit.count_requests(0):
        tab.click()
        visit.press("Space")
        visit.until(f"() => view.step >= 2 && view.step < 50 && ({PLAYING})()")
        visit.press("Space")
        visit.until(RESTING)
        held = step(visit)
        for key, expected in (("ArrowLeft", held - 1), ("ArrowRight", held), ("Home", 0), ("End", 50)):
            visit.press(key)
            assert (step(visit), visit.state["tab"]) == (expected, "integrated"), key
        visit.press("Shift+Tab")
        assert visit.page.evaluate(focused) == "tab-integrated", "the keyboard goes on from the tab that was clicked"
        visit.press("ArrowLeft")
        assert (step(visit), visit.page.evaluate(focused), visit.state["tab"]) == (50, "tab-saliency", "saliency")
        visit.press("Space")  # it is shown already
        assert visit.state["tab"] == "saliency"
        visit.press("ArrowRight", "Space")
        visit.until(f"() => view.step >= 2 && view.step < 50 && ({PLAYING})()")
        visit.press("Space")
        visit.until(RESTING)
        assert (visit.page.evaluate(focused), visit.state["tab"]) == ("tab-integrated", "integrated")


def test_dragging_on_a_chart_of_the_path_scrubs(visit: Visit) -> None:
    visit.to_tab("integrated")
    with visit.count_requests(0):
        for chart in ("plot", "pixel-chart"):
            area = visit.page.locator(f"#{chart} > .cursor-area")
            area.evaluate("(element) => element.scrollIntoView({ block: 'center', behavior: 'instant' })")
            box = area.bounding_box()
            assert box is not None
            y = box["y"] + box["height"] / 2
            visit.page.mouse.move(box["x"] + 0.3 * box["width"], y)
            visit.page.mouse.down()
            assert abs(step(visit) - 15) <= 1
            visit.page.mouse.move(box["x"] + 0.7 * box["width"], y, steps=3)
            assert abs(step(visit) - 35) <= 1
            visit.page.mouse.move(box["x"] + 2 * box["width"], y, steps=3)
            assert step(visit) == 50
            visit.page.mouse.up()
            visit.page.mouse.move(box["x"] + 0.1 * box["width"], y)
            assert step(visit) == 50


def test_a_loop_starts_again_until_it_is_paused(visits: Visits, server: Server) -> None:
    visit = visits(server.address).open("?v=2&m=6&tab=integrated")
    visit.page.locator("#speed").select_option("60")
    visit.page.locator("#loop").click()
    assert visit.page.locator("#loop").get_attribute("aria-pressed") == "true"
    with visit.count_requests(0):
        visit.page.evaluate("() => { window.ends = 0; explorer.on('step', (k) => (ends += k === 6)); }")
        visit.page.locator("#play").click()
        visit.until("() => ends >= 3")
        visit.page.locator("#loop").click()
        visit.until(RESTING)
    assert step(visit) == 6


def test_the_path_of_every_rule_can_be_played(visits: Visits, server: Server) -> None:
    visit = visits(server.address).open("?v=2&m=7&tab=integrated")
    for rule in ("left", "midpoint", "trapezoid", "gauss-legendre", "exact"):
        visit.choose("rule", rule)
        visit.rest()
        count = visit.page.evaluate(COUNT)
        said = visit.numbers()
        assert count == len(said["path"]["alphas"]) - (rule == "trapezoid")  # m trapezoids lie between m + 1 points
        with visit.count_requests(0):
            blurred(visit).press("Home", "ArrowRight")
            assert step(visit) == 1
            visit.press("End")
            assert step(visit) == count
        total = visit.page.evaluate("() => explorer.view.path.running.slice(64 * explorer.view.path.count).reduce((a, b) => a + b)")
        assert abs(total - said["methods"]["integrated_gradients"]["total"]) < 1e-9


def test_a_new_path_is_shown_finished_and_more_of_the_same_answer_keeps_its_step(visits: Visits, server: Server) -> None:
    visit = visits(server.address).open("?v=2&tab=saliency")
    visit.page.evaluate("() => explorer.goToStep(25)")
    visit.until("() => view.answer.exact")  # which came for this tab
    assert step(visit) == 25
    visit.enter("steps", "100")
    visit.rest()
    assert step(visit) == 100


def test_the_stage_does_not_change_its_height_while_playing(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    changing = {}
    for width in (1440, 1024, 390):
        visit.page.set_viewport_size({"width": width, "height": 900})
        visit.open("?v=2&tab=integrated&m=40&rule=left")
        visit.page.evaluate(
            "() => { window.heights = new Set(); explorer.on('step', () => heights.add(document.getElementById('stage').offsetHeight)); }"
        )
        for step_ in (0, 1, 13, 39, 40):
            visit.page.locator("#scrub").fill(str(step_))
        heights = visit.page.evaluate("() => [...heights]")
        if len(heights) > 1:
            changing[width] = heights
    assert not changing


def marked(visit: Visit) -> list[bool]:
    """For each map whether a pixel is marked in it."""
    shown: list[bool] = visit.page.evaluate("() => explorer.maps.map((map) => !map.marker.hidden)")
    return shown


def test_hovering_a_pixel_marks_it_everywhere_and_asks_nothing(visit: Visit) -> None:
    with visit.count_requests(0):
        surface = visit.page.locator("#integrated-maps [role=application]").nth(2)
        box = surface.bounding_box()
        assert box is not None
        for row, column in ((2, 5), (7, 0)):
            visit.page.mouse.move(box["x"] + box["width"] * (column + 0.5) / 8, box["y"] + box["height"] * (row + 0.5) / 8)
            assert visit.view["pixel"] == 8 * row + column
            assert len(marked(visit)) >= 7 and all(marked(visit))
            assert f"row {row}, column {column}" in visit.text("readout")
        visit.page.mouse.move(box["x"] + box["width"] / 2, box["y"] - 40)
        assert visit.view["pixel"] is None
        visit.page.mouse.move(*visit.cell(3, 4))
        assert visit.view["pixel"] == 28 and all(marked(visit))


def test_the_keyboard_moves_the_mark_on_a_map(visit: Visit) -> None:
    with visit.count_requests(0):
        surface = visit.page.locator("#integrated-maps [role=application]").nth(2)
        surface.click(position={"x": 5, "y": 5})
        visit.press("ArrowRight", "ArrowDown")
        assert visit.view["pixel"] == 9 and all(marked(visit))
        assert "row 1, column 1" in visit.text("readout")
        visit.press("End")
        assert visit.view["pixel"] == 15
        assert step(visit) == 50  # the keys belong to the map, not to playback


def test_the_list_of_top_pixels_marks_them(visit: Visit) -> None:
    with visit.count_requests(0):
        buttons = visit.page.locator("#top-pixels button")
        top = visit.numbers()["methods"]["integrated_gradients"]["top"]
        assert buttons.count() == len(top)
        for i, (row, column, _) in enumerate(top):
            buttons.nth(i).hover()
            assert visit.view["pixel"] == 8 * row + column
            assert all(marked(visit))
            assert f"row {row}, column {column}" in buttons.nth(i).inner_text()
            assert f"row {row}, column {column}" in visit.text("readout")


def test_the_first_look_at_the_path_asks_once_and_none_of_the_others_does(visits: Visits, server: Server) -> None:
    visit = visits(server.address).open("?v=2&tab=saliency")
    assert visit.numbers()["exact"] is None
    with visit.count_requests(1):
        looked_at(visit, "integrated")
    assert visit.text("headline") and visit.page.locator("#more li").count() >= 3
    with visit.count_requests(0):
        for tab in ("compare", "saliency", "integrated"):
            looked_at(visit, tab)
    visit.page.locator("#tab-saliency").click()
    visit.stroke((0, 0), (0, 7))
    visit.rest()
    assert visit.numbers()["exact"] is None


def test_playing_at_the_first_look_goes_on_when_the_rest_comes(visits: Visits, server: Server) -> None:
    visit = visits(server.address).open("?v=2&tab=saliency")
    with visit.count_requests(1):
        blurred(visit).press("Space")
        visit.until(f"() => view.answer.exact && view.step >= 3 && view.step < 50 && ({PLAYING})()")
    assert visit.state["tab"] == "integrated"


def test_tabs_theme_and_scale_ask_nothing(visit: Visit) -> None:
    tabs = {name: visit.page.locator(f"#tab-{name}") for name in ("saliency", "integrated", "compare")}

    def shown() -> str:
        selected = [name for name, tab in tabs.items() if tab.get_attribute("aria-selected") == "true"]
        panels = [name for name in tabs if visit.page.locator(f"#panel-{name}").is_visible()]
        reachable = [name for name, tab in tabs.items() if tab.get_attribute("tabindex") == "0"]
        assert selected == panels == reachable and len(selected) == 1
        return selected[0]

    looked_at(visit, "integrated")
    with visit.count_requests(0):
        words = set()
        for name, tab in tabs.items():
            tab.click()
            assert shown() == name
            words.add(visit.text("words"))
        assert len(words) == 3
        tabs["compare"].focus()
        for key, name in (("ArrowLeft", "integrated"), ("Home", "saliency"), ("ArrowRight", "integrated"), ("ArrowRight", "compare")):
            visit.press(key)
            assert shown() == name
            assert visit.page.evaluate("() => document.activeElement.id") == f"tab-{name}"
        limits = "() => explorer.maps.filter((map) => document.getElementById('compare-maps').contains(map.root)).map((map) => map.limit)"
        own = visit.page.evaluate(limits)
        assert own[0] == own[1] > own[2] == own[3], "one for each unit"
        visit.page.get_by_label("Own", exact=True).check()
        visit.until("() => view.state.scale === 'own'")
        assert visit.page.evaluate(limits) == visit.page.evaluate(limits.replace("map.limit", "map.peak")) and len(set(visit.page.evaluate(limits))) == 4
        assert "cannot be compared" in visit.text("scale-note")
        visit.page.get_by_label("One per unit").check()
        visit.until("() => view.state.scale === 'unit'")
        assert visit.page.evaluate(limits) == own
        theme = "() => document.documentElement.dataset.bsTheme"
        assert visit.page.evaluate(theme) == "light"
        visit.page.locator("#theme").click()
        assert visit.page.evaluate(theme) == "dark"
        assert "dark" not in visit.page.locator("#theme").get_attribute("aria-label")  # type: ignore[operator]
    visit.page.locator("#tab-compare").focus()
    for key, name in (("End", "labs"), ("ArrowRight", "saliency"), ("ArrowLeft", "labs")):
        visit.press(key)
        assert visit.page.evaluate("() => document.activeElement.id") == f"tab-{name}"
    visit.open()
    assert visit.page.evaluate(theme) == "dark"  # the choice holds


def test_the_words_follow_the_playback_and_end_with_the_finished_ones(visit: Visit) -> None:
    visit.open("?v=2&tab=integrated")
    finished = visit.text("say")
    assert "its gradient here is blank" in finished and "magnified" not in visit.text("map-gradient")
    visit.page.locator("#to-start").click()
    assert "Start: black. P is 0.002." in visit.text("say") and "Press Play" in visit.text("say")
    visit.page.locator("#scrub").fill("9")
    assert "The gradient flares up." in visit.text("say")  # until it is largest
    visit.page.locator("#scrub").fill("12")
    step = visit.text("say")
    assert "24 % of the way: P rose from 0.002 to" in step and "The gradient is large." in step and "of ΔF" in step
    assert visit.text("words") == " ".join(finished.split()), "what is heard stays that of the answer"
    visit.page.locator("#to-end").click()
    assert visit.text("say") == finished


def test_steps_are_shown_where_they_can_be_seen(visit: Visit) -> None:
    visit.open("?v=2&tab=compare")
    with visit.count_requests(0):
        visit.press("ArrowLeft")
    assert (visit.state["tab"], visit.view["step"]) == ("integrated", 49)
    visit.to_tab("compare")  # there the finished map stands beside its finished figures
    shown = "() => [...explorer.maps.find((map) => map.options.name === 'integrated_gradients' && document.getElementById('compare-maps').contains(map.root)).values]"
    assert visit.page.evaluate(shown) == visit.view["answer"]["methods"]["integrated_gradients"]["map"]


def test_escape_lets_a_chosen_pixel_go(visit: Visit) -> None:
    visit.open("?v=2&tab=integrated")
    visit.page.locator("#integrated-maps [role=application]").first.click(position={"x": 5, "y": 5})
    visit.until("() => view.chosen === 0")
    visit.press("Escape")
    visit.until("() => view.chosen === null")

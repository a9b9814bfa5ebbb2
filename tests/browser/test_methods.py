"""The Methods tab: every method's map of the picture, its card and its settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from links import link_of
from playwright.sync_api import Route

from explorer.attribution import CONVENTIONS, METHODS
from explorer.models import Model
from explorer.page.method_answers import method_answers
from explorer.state import State

from .conftest import Server
from .visit import QUESTION, Visit, alike

Visits = Callable[..., Visit]
Zoo = Mapping[str, Model]
ALL_THERE = "() => Object.keys(view.config.methods).every((name) => explorer.isWhole(name) || view.config.methods[name].unsupported[view.asked.network])"


def gallery(visit: Visit, link: str = "?v=2&tab=methods") -> Visit:
    """Open the Methods tab with all methods, and wait for their maps."""
    visit.open(link)
    open_all(visit)
    visit.until(ALL_THERE)
    return visit


def open_all(visit: Visit) -> None:
    """Open what lies below the first six methods; it is closed when the page is loaded."""
    visit.page.locator("#methods-all > summary").click()


def correlations(visit: Visit) -> list[str]:
    """The cells of Compare's table, once they are there."""
    if visit.page.locator("#alike").get_attribute("open") is None:
        visit.page.locator("#alike > summary").click()
    visit.until("() => document.querySelector('#correlations td') && !document.getElementById('correlations').textContent.includes('…')")
    return visit.page.locator("#correlations tbody td").all_inner_texts()


def shown(visit: Visit) -> list[str]:
    """The titles of the cards, in the order they are seen in."""
    return visit.page.locator("#methods-grid .method-title").all_inner_texts()


def result(visit: Visit, name: str) -> dict[str, Any]:
    """What the page holds of a method."""
    found: dict[str, Any] = visit.page.evaluate("(name) => explorer.resultOf(name)", name)
    return found


def expected(visit: Visit, models: Zoo, *names: str) -> dict[str, Any]:
    """What Python answers of these methods to the page's state."""
    told = method_answers(State.from_json(visit.state, models), list(names), models)
    answers: dict[str, Any] = json.loads(json.dumps(told))
    return answers


def about_methods(visit: Visit) -> int:
    """How many questions about single methods were asked."""
    return sum("method-answers" in (question.post_data or "") for question in visit.questions)


def test_every_method_answers_with_the_numbers_of_the_state(visit: Visit, models: Zoo) -> None:
    gallery(visit, "?v=2&tab=methods&net=digits-cnn&p=ring&out=logit")
    for name, method in METHODS.items():
        assert alike(result(visit, name), expected(visit, models, name)["methods"][name], 1e-6), name
        assert method.title in shown(visit)


def test_what_does_not_apply_is_one_line_that_opens_with_the_reasons(visit: Visit, models: Zoo) -> None:
    gallery(visit, "?v=2&tab=methods&pin=gradient,cam")
    refused = {method.title: method.unsupported_reason(models["shapes"].network) for method in METHODS.values()}
    refused = {title: reason for title, reason in refused.items() if reason}
    assert not set(refused) & set(shown(visit))
    assert visit.text("methods-unsupported-count") == f"{len(refused)} methods do not apply to this network"
    assert visit.text("methods-all-count") == f"All {len(METHODS) - len(refused)} methods that apply, by family"
    listed = visit.page.locator("#methods-unsupported-list li")
    assert not listed.first.is_visible()
    visit.page.locator("#methods-unsupported-count").click()
    assert [line.split("\n")[0] for line in listed.all_inner_texts()] == [f"{title}: {reason}." for title, reason in refused.items()]
    visit.page.get_by_label("Pin CAM", exact=True).uncheck()  # which Compare showed as one that does not apply
    assert visit.state["pinned"] == ["gradient"]
    visit.choose("network", "digits-cnn")
    visit.rest()
    visit.until(ALL_THERE)
    assert set(refused) < set(shown(visit)) and not visit.page.locator("#methods-unsupported").is_visible()


FIRST_SIX = ("gradient", "integrated_gradients", "smoothgrad", "occlusion", "lrp_epsilon", "shapley_values")
SIX_THERE = "(names) => names.every((name) => (explorer.resultOf(name) || {}).map)"


def test_six_methods_come_first_each_with_its_question_and_are_all_that_is_asked_for(visit: Visit, models: Zoo) -> None:
    visit.open("?v=2&tab=methods")
    visit.until(SIX_THERE, FIRST_SIX)
    visit.rest()
    asked = [json.loads(q.post_data or "")["inputs"][0]["value"].get("methods") for q in visit.questions if "method-answers" in (q.post_data or "")]
    assert asked == [["occlusion", "lrp_epsilon"], ["shapley_values"]]  # the others come with the explanation
    cards = visit.page.locator("#methods-first article")
    assert cards.locator("h3").all_inner_texts() == [METHODS[name].title for name in FIRST_SIX]
    for name, text in zip(FIRST_SIX, cards.all_inner_texts(), strict=True):
        assert "?" in text and METHODS[name].paper in text and "at most" in text, name
    limits = dict(zip(FIRST_SIX, visit.page.evaluate("() => explorer.maps.filter((map) => document.getElementById('methods-first').contains(map.root)).map((map) => [map.limit, map.peak])"), strict=True))
    assert limits["gradient"][0] == limits["smoothgrad"][0] >= visit.page.evaluate("() => explorer.view.path.steepest")
    assert all(limits[name][0] == limits[name][1] for name in FIRST_SIX if name not in ("gradient", "smoothgrad"))
    assert visit.text("methods-first").count("too faint at the path’s scale") == sum(peak < 0.04 * limit for limit, peak in limits.values())


def test_the_maps_of_a_network_never_stand_under_the_name_of_another(visits: Visits, server: Server) -> None:
    visit = visits(server.address).open("?v=2&tab=compare&pin=gradient,deeplift,occlusion,integrated_gradients")
    visit.until(SIX_THERE, ["deeplift", "occlusion"])
    visit.to_tab("methods")
    visit.until(SIX_THERE, FIRST_SIX)
    drawn = """(id) => explorer.maps.filter((map) => document.getElementById(id).contains(map.root) && map.options.kind === "signed" && map.peak > 0).length"""
    assert visit.page.evaluate(drawn, "methods-first") == 6
    held: list[Route] = []
    visit.page.route(f"**/{QUESTION}*", lambda route: route.continue_() if held else held.append(route))
    visit.choose("network", "digits")
    visit.until("() => seen.flying === 1")
    assert visit.page.evaluate(drawn, "methods-first") == 0
    visit.to_tab("compare")
    assert visit.page.evaluate(drawn, "compare-maps") == 0
    held[0].continue_()
    visit.until(SIX_THERE, ["gradient", "deeplift", "occlusion", "integrated_gradients"])
    visit.rest()
    assert visit.view["asked"]["network"] == "digits" and visit.page.evaluate(drawn, "compare-maps") == 4


def test_the_methods_are_asked_for_only_when_they_are_looked_at_and_one_question_at_a_time(visit: Visit) -> None:
    visit.open()
    visit.stroke((1, 1), (1, 6))
    visit.rest()
    assert about_methods(visit) == 0
    visit.page.evaluate("() => (seen.most = 0)")
    visit.to_tab("methods")
    visit.until(SIX_THERE, FIRST_SIX)
    assert not visit.page.evaluate("() => explorer.isWhole('vargrad')")
    open_all(visit)
    visit.until(ALL_THERE)
    assert visit.page.evaluate("() => seen.most") == 1
    before = about_methods(visit)
    visit.to_tab("compare")
    visit.to_tab("methods")
    visit.rest()
    assert about_methods(visit) == before  # known ones are not asked again


def test_first_maps_are_there_while_later_ones_are_still_coming(visits: Visits, server: Server) -> None:
    visit = visits(server.address).open("?v=2&tab=methods")
    visit.until(SIX_THERE, FIRST_SIX)
    visit.rest()
    before = visit.page.evaluate("() => Object.keys(explorer.knownResults()).length")
    held: list[Route] = []
    passed: list[list[str]] = []

    def handle(route: Route) -> None:
        if passed and not held:  # one portion of methods passes
            held.append(route)
        else:
            passed.append(methods_asked(route))
            route.continue_()

    visit.page.route(f"**/{QUESTION}*", handle)
    open_all(visit)
    visit.until("(count) => document.querySelector('.methods-tools progress').value === count", before + 4)
    assert len(passed[0]) == 4
    assert visit.page.locator(".methods-tools progress").is_visible()
    assert visit.page.evaluate("() => !explorer.isWhole('xrai')")
    visit.until("(count) => document.querySelector('.methods-count').textContent.includes(`${count} of `)", before + 4)
    visit.until("() => seen.flying === 1")
    held[0].continue_()
    visit.until(ALL_THERE)
    assert not visit.page.locator(".methods-tools progress").is_visible()


def test_a_card_keeps_the_focus_while_maps_come_in_whatever_order(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    held: list[Route] = []
    visit.open("?v=2&tab=methods")
    visit.page.route(f"**/{QUESTION}*", lambda route: route.continue_() if held else held.append(route))
    open_all(visit)
    visit.page.get_by_label("Sort by").select_option("snr")  # so that the cards move
    card = visit.page.get_by_role("button", name="SmoothGrad²")
    card.focus()
    before = shown(visit)
    visit.until("() => seen.flying === 1")
    held[0].continue_()
    visit.until(ALL_THERE)
    assert shown(visit) != before and card.evaluate("(card) => card === document.activeElement")
    visit.press("Enter")
    visit.page.get_by_role("dialog").wait_for()


def test_painting_drops_what_was_on_its_way_and_the_methods_follow_the_new_picture(visit: Visit, models: Zoo) -> None:
    gallery(visit)
    visit.stroke((6, 0), (6, 7))
    visit.rest()
    visit.until(ALL_THERE)
    for name in ("lrp_epsilon", "deeplift", "guided_backprop"):
        assert alike(result(visit, name), expected(visit, models, name)["methods"][name], 1e-6), name


def test_sorting_filtering_and_finding(visit: Visit) -> None:
    gallery(visit, "?v=2&tab=methods&net=digits-cnn")  # to which all apply
    tools = visit.page.locator("#methods-tools")
    tools.get_by_label("Sort by").select_option("name")
    assert shown(visit) == sorted(shown(visit)) and len(shown(visit)) == len(METHODS)
    tools.get_by_label("Sort by").select_option("year")
    years = {method.title: method.year for method in METHODS.values()}
    assert [years[title] for title in shown(visit)] == sorted(years.values())
    tools.get_by_label("Sort by").select_option("snr")
    ratios = [result(visit, name).get("snr") for title in shown(visit) for name in METHODS if METHODS[name].title == title]
    known = [ratio for ratio in ratios if ratio is not None]
    assert known == sorted(known, reverse=True) and ratios[: len(known)] == known  # what does not apply comes last
    tools.get_by_label("Show").select_option("complete")
    assert set(shown(visit)) == {method.title for method in METHODS.values() if method.complete}
    tools.get_by_label("Show").select_option("all")
    tools.get_by_label("Family").select_option("activation maps")
    assert set(shown(visit)) == {method.title for method in METHODS.values() if method.family == "activation maps"}
    tools.get_by_label("Family").select_option("")
    tools.get_by_label("Find").fill("deeplift")
    assert set(shown(visit)) == {"DeepLIFT", "DeepLIFT-SHAP"}
    tools.get_by_label("Find").fill("no such method")
    assert shown(visit) == [] and "No method" in visit.text("methods-grid")


def test_a_card_tells_the_entry_and_its_setting_changes_the_map_the_link_and_back_undoes_it(visit: Visit, models: Zoo) -> None:
    gallery(visit, "?v=2&tab=methods&m=60")
    before = result(visit, "lrp_epsilon")
    visit.page.get_by_role("button", name="LRP-ε").first.click()
    card = visit.page.get_by_role("dialog")
    method = METHODS["lrp_epsilon"]
    for text in (method.formula, method.paper, method.caveat, method.complete):
        assert text in card.inner_text()
    card.get_by_label("Stabiliser ε").fill("2.5")
    card.get_by_label("Stabiliser ε").press("Enter")
    visit.until("() => location.search.includes('lrp_epsilon.epsilon')")
    visit.until(ALL_THERE)
    assert visit.state["options"] == {"lrp_epsilon": {"epsilon": 2.5}}
    assert result(visit, "lrp_epsilon") != before
    assert alike(result(visit, "lrp_epsilon"), expected(visit, models, "lrp_epsilon")["methods"]["lrp_epsilon"], 1e-6)
    card.get_by_label("Stabiliser ε").fill("-3")
    card.get_by_label("Stabiliser ε").press("Enter")
    assert "must be a number from 0 to 10" in card.inner_text()
    assert visit.state["options"] == {"lrp_epsilon": {"epsilon": 2.5}}
    visit.press("Escape")
    visit.page.go_back()
    visit.until("() => Object.keys(view.state.options).length === 0")
    visit.until(ALL_THERE)
    assert result(visit, "lrp_epsilon") == before
    for name, said in (("gradient", "Not on a kink"), ("occlusion", "get the same map, to rounding."), ("deeplift", "may get another map")):
        visit.page.evaluate("(name) => explorer.openMethod(name)", name)
        assert said in card.inner_text() and ("kink" in card.inner_text()) == (name == "gradient")
        visit.press("Escape")


def methods_asked(route: Route) -> list[str]:
    """The methods that a question is about; none for that of the explanation."""
    question = json.loads(route.request.post_data or "")["inputs"][0]["value"]
    return list(question.get("methods", []))


def test_a_failed_portion_is_asked_again_and_a_refused_one_method_by_method(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    visit.expects_errors = True
    visit.open("?v=2&tab=methods")
    visit.until(SIX_THERE, FIRST_SIX)
    visit.rest()
    answers = iter(["lost", "refused"])
    asked: list[list[str]] = []

    def handle(route: Route) -> None:
        asked.append(methods_asked(route))
        how = next(answers, "through")
        if how == "lost":
            route.abort("connectionreset")
        elif how == "refused":
            route.fulfill(status=400, body="This is too much work.\n", content_type="text/plain")
        else:
            route.continue_()

    visit.page.route(f"**/{QUESTION}*", handle)
    open_all(visit)
    visit.until(ALL_THERE)
    lost, refused = asked[0], asked[1]
    assert len(refused) == 4 and asked[2:6] == [[name] for name in refused]
    assert lost in asked[6:]  # asked again after the others
    assert all("map" in result(visit, name) for name in [*lost, *refused])
    assert visit.page.locator(".method-refusal", has_text="too much work").count() == 0


TOO_MUCH = "Smooth IG would take about 9,000 million multiplications, and one question may take 6,500 million: choose a smaller “Samples n”."


@pytest.fixture
def overworked(visits: Visits, server: Server) -> tuple[Visit, list[list[str]]]:
    """A visitor whose server finds Smooth IG with its defaults too much, and what it was asked."""
    visit = visits(server.address)
    visit.expects_errors = True
    asked: list[list[str]] = []

    def handle(route: Route) -> None:
        asked.append(methods_asked(route))
        options = json.loads(route.request.post_data or "")["inputs"][0]["value"].get("state", {}).get("options", {})
        if "smooth_integrated_gradients" in asked[-1] and "smooth_integrated_gradients" not in options:
            route.fulfill(status=400, body=f"{TOO_MUCH}\n", content_type="text/plain; charset=utf-8")
        else:
            route.continue_()

    visit.page.route(f"**/{QUESTION}*", handle)
    return visit, asked


def test_a_method_that_is_too_much_work_says_so_in_its_card_until_its_setting_changes(
    overworked: tuple[Visit, list[list[str]]], models: Zoo
) -> None:
    visit, asked = overworked
    gallery(visit)
    card = visit.page.locator(".method-card", has_text="Smooth IG").first
    assert card.locator(".method-refusal").inner_text() == TOO_MUCH
    assert "map" in result(visit, "averaged_baselines")  # of the same portion
    assert visit.page.locator("#notices .notice").count() == 0
    assert asked.count(["smooth_integrated_gradients"]) == 1
    visit.to_tab("saliency")
    visit.to_tab("methods")
    visit.rest()
    assert asked.count(["smooth_integrated_gradients"]) == 1  # it is known to be refused
    assert f"{len([m for m in METHODS.values() if not m.unsupported_reason(models['shapes'].network)]) - 1} methods answer" in str(visit.page.evaluate("() => explorer.methods.sentence()"))
    card.get_by_role("button", name="Smooth IG").click()
    dialog = visit.page.get_by_role("dialog")
    assert TOO_MUCH in dialog.inner_text()
    dialog.get_by_label("Samples n").fill("3")
    dialog.get_by_label("Samples n").press("Enter")
    visit.until("() => (explorer.resultOf('smooth_integrated_gradients') || {}).map")
    assert TOO_MUCH not in dialog.inner_text() and TOO_MUCH not in card.inner_text()
    assert alike(
        result(visit, "smooth_integrated_gradients"),
        expected(visit, models, "smooth_integrated_gradients")["methods"]["smooth_integrated_gradients"],
    )


def test_a_pinned_method_that_is_too_much_work_says_so_in_compare_and_is_asked_once(overworked: tuple[Visit, list[list[str]]]) -> None:
    visit, asked = overworked
    visit.open("?v=2&tab=compare&pin=deeplift,smooth_integrated_gradients,lrp_zplus")
    visit.until("(text) => document.getElementById('compare-maps').textContent.includes(text)", TOO_MUCH)
    visit.until("() => ['deeplift', 'lrp_zplus'].every((name) => (explorer.resultOf(name) || {}).map)")
    correlations(visit)
    visit.rest()
    assert visit.page.locator("#correlations th[scope=col]").all_inner_texts() == ["DeepLIFT", "LRP-z⁺"]
    assert visit.page.locator("#notices .notice").count() == 0
    assert asked[1:] == [["deeplift", "smooth_integrated_gradients", "lrp_zplus"], ["deeplift"], ["smooth_integrated_gradients"], ["lrp_zplus"]]


def test_a_link_with_heavy_options_opens_and_every_method_answers_in_the_end(visits: Visits, server: Server, models: Zoo) -> None:
    visit = visits(server.address)
    visit.expects_errors = True  # the refusals that the page copes with
    heavy = {
        "smooth_integrated_gradients": {"steps": 100, "samples": 100},
        "averaged_baselines": {"steps": 100, "baselines": 100},
        "lime": {"lime_samples": 20_000},
        "kernel_shap": {"coalitions": 20_000},
        "gradient_shap": {"samples": 5_000},
    }
    perturbations = ["occlusion", "lime", "kernel_shap", "shapley_values"]  # together too much work
    state = State.from_json({"network": "digits-cnn", "pixels": [0.4] * 64, "tab": "compare", "pinned": perturbations, "options": heavy}, models)
    statuses: list[int] = []
    visit.page.on("response", lambda response: statuses.append(response.status) if QUESTION in response.url else None)
    visit.open(link_of(state))
    visit.until(SIX_THERE, perturbations)
    assert statuses.count(400) == 1
    visit.to_tab("methods")
    open_all(visit)
    visit.until(ALL_THERE)
    assert visit.state["options"] == heavy
    assert all("map" in result(visit, name) for name in METHODS)
    assert visit.page.locator("#notices .notice").count() == 0


@pytest.mark.parametrize("name", list(CONVENTIONS))
def test_a_convention_sets_everything_says_what_differs_and_gives_its_numbers(name: str, visit: Visit, models: Zoo) -> None:
    convention = CONVENTIONS[name]
    visit.open("?v=2&tab=methods&base=white&m=7")
    open_all(visit)
    assert visit.page.get_by_label("Conventions").input_value() == ""
    visit.page.get_by_label("Conventions").select_option(name)
    visit.rest()
    visit.until(ALL_THERE)
    state = visit.state
    assert {key: state[key] for key in convention.shared} == dict(convention.shared)
    picture = State.from_json(state, models).case(models)
    for method in ("gradient", "smoothgrad", "integrated_gradients", "vargrad", "gradient_shap", "xrai"):
        values = {"seed": state["seed"], **convention.values(METHODS[method])} if "seed" in str(METHODS[method].settings) else convention.values(METHODS[method])
        by_engine = METHODS[method](picture, **values).attribution.ravel().tolist()
        assert alike(result(visit, method)["map"], by_engine, 1e-9), method
    assert convention.source in visit.text("convention")
    visit.page.get_by_text("What differs", exact=True).click()
    for note in convention.notes:
        assert note in visit.text("convention")
    visit.open(visit.page.evaluate("() => location.search"))  # the link carries it
    assert visit.page.get_by_label("Conventions").input_value() == name


def test_the_newest_of_two_quick_changes_of_an_option_is_the_one_that_is_shown(visit: Visit, models: Zoo) -> None:
    gallery(visit)
    visit.page.get_by_role("button", name="LRP-ε").first.click()
    field = visit.page.get_by_label("Stabiliser ε")
    held: list[Route] = []
    visit.page.route(f"**/{QUESTION}*", lambda route: route.continue_() if held else held.append(route))
    field.fill("5")
    field.press("Enter")
    visit.until("() => seen.flying === 1")
    field.fill("0")
    field.press("Enter")
    held[0].continue_()
    visit.until("() => view.state.options.lrp_epsilon.epsilon === 0 && explorer.isWhole('lrp_epsilon')")
    visit.until(ALL_THERE)
    assert alike(result(visit, "lrp_epsilon"), expected(visit, models, "lrp_epsilon")["methods"]["lrp_epsilon"], 1e-6)


def test_an_open_card_closes_when_back_changes_what_it_shows(visit: Visit) -> None:
    gallery(visit)
    visit.page.get_by_role("button", name="LRP-ε").first.click()
    visit.page.get_by_label("Stabiliser ε").fill("3")
    visit.page.get_by_label("Stabiliser ε").press("Enter")
    visit.until("() => location.search.includes('epsilon')")
    visit.page.go_back()
    visit.until("() => !document.querySelector('dialog')")
    assert visit.state["options"] == {}


def test_methods_say_that_the_server_is_away_and_catch_up(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    visit.expects_errors = True
    visit.open()
    visit.context.set_offline(True)
    visit.to_tab("methods")
    visit.until("() => document.getElementById('away') !== null")
    assert visit.page.evaluate("() => !explorer.isWhole('occlusion')")
    visit.context.set_offline(False)
    visit.until(SIX_THERE, FIRST_SIX)
    visit.until("() => document.getElementById('away') === null")


def test_a_server_that_nobody_waits_for_is_not_called_away(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    visit.expects_errors = True
    visit.open()
    visit.page.route(f"**/{QUESTION}*", lambda route: route.abort("connectionreset"))
    visit.to_tab("methods")
    visit.until("() => document.getElementById('away') !== null")
    visit.to_tab("saliency")
    visit.until("() => document.getElementById('away') === null")

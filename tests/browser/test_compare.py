"""The tab Compare: what is pinned, by unit, with how alike they are and where each asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from explorer.attribution import METHODS, rank_correlations
from explorer.models import Model

from .conftest import Server
from .test_methods import SIX_THERE, about_methods, correlations, expected, gallery, result
from .visit import Visit

Visits = Callable[..., Visit]
Zoo = Mapping[str, Model]


def test_compare_groups_maps_by_the_unit_that_their_settings_give(visit: Visit) -> None:
    visit.open("?v=2&tab=compare&pin=gradient,smoothgrad,lrp_epsilon,smooth_integrated_gradients&set=smoothgrad.of:square,smooth_integrated_gradients.squares:1")
    visit.until(SIX_THERE, ["smoothgrad", "lrp_epsilon", "smooth_integrated_gradients"])
    heads = visit.page.locator("#compare-maps .head h3")
    assert heads.all_inner_texts() == ["P per unit of a pixel", "(P per unit of a pixel)²", "Amounts of the logit", "P²"]
    visit.open("?v=2&tab=compare&out=logit&pin=gradient,smoothgrad,lrp_epsilon,occlusion&scale=unit")
    visit.until(SIX_THERE, ["lrp_epsilon", "occlusion"])
    assert heads.all_inner_texts() == ["logit per unit of a pixel", "Amounts of the logit"]
    limits = visit.page.evaluate("() => explorer.maps.filter((map) => document.getElementById('compare-maps').contains(map.root)).map((map) => [map.limit, map.peak])")
    (gradient, _), (smooth, _), (lrp, lrp_peak), (occlusion, occlusion_peak) = limits
    assert gradient == smooth >= visit.page.evaluate("() => explorer.view.path.steepest")
    assert lrp == occlusion == max(lrp_peak, occlusion_peak)


def test_compare_says_where_each_method_asks(visits: Visits, server: Server) -> None:
    for rule, said in (
        ("&m=7&rule=right", "asks 7 times along the way from black"),
        ("&m=7&rule=trapezoid", "asks 8 times along the way from black"),
        ("&m=1&rule=midpoint&base=white", "asks 1 time along the way from white"),
    ):
        visit = visits(server.address, apart=True).open(f"?v=2&tab=compare&pin=gradient,smoothgrad,integrated_gradients,lime&n=1&noise=0.2{rule}")
        text = visit.text("compare-maps")
        assert said in text and "asks at 1 noisy copy of your picture, σ = 0.2" in text and "asks once, at your picture" in text
        assert f"asks {METHODS['lime'].asks}" in text
    visit.open("?v=2&tab=compare&pin=integrated_gradients&rule=exact")
    pieces = visit.numbers()["exact"]["pieces"]
    assert f"asks on each of {pieces} linear pieces of the way from black" in visit.text("compare-maps")
    visit.open("?v=2&tab=compare&pin=smoothgrad&p=circle&n=9&noise=0.5&set=smoothgrad.noise_range:picture,smoothgrad.clean_last:1")
    assert "asks at 8 noisy copies of your picture, σ = 0.43" in visit.text("compare-maps")  # half of 0.92 − 0.06


def test_pinned_methods_stand_in_compare_with_their_correlations_and_in_the_link(visit: Visit, models: Zoo) -> None:
    gallery(visit)
    for title in ("Integrated Gradients", "SmoothGrad", "Gradient × input"):
        visit.page.get_by_label(f"Pin {title}", exact=True).uncheck()
    for title in ("DeepLIFT", "LRP-z⁺", "Guided Backprop"):
        visit.page.get_by_label(f"Pin {title}", exact=True).check()
    pinned = ["gradient", "deeplift", "lrp_zplus", "guided_backprop"]
    assert visit.state["pinned"] == pinned
    assert visit.page.get_by_label("Pin VarGrad").is_disabled()  # four are enough
    visit.to_tab("compare")
    table = correlations(visit)
    told = rank_correlations(np.array([expected(visit, models, name)["methods"][name]["map"] for name in pinned]).reshape(-1, 8, 8)).tolist()
    assert [float(text.replace("−", "-")) for text in table] == [round(value, 2) for row in told for value in row]
    heads = visit.page.locator("#compare-maps .map-head h3").all_inner_texts()
    assert heads == [METHODS[name].title for name in ("gradient", "guided_backprop", "deeplift", "lrp_zplus")]  # by unit
    link = visit.page.evaluate("() => location.search")
    visit.open(link)
    correlations(visit)
    assert visit.state["pinned"] == pinned
    assert visit.page.locator("#compare-maps .map-head h3").all_inner_texts() == heads


def test_pinned_methods_that_are_known_are_not_asked_again_for_their_correlations(visit: Visit) -> None:
    gallery(visit, "?v=2&tab=methods&pin=deeplift,lrp_zplus,occlusion")
    before = about_methods(visit)
    visit.to_tab("compare")
    visit.rest()
    table = correlations(visit)
    assert len(table) == 9 and "…" not in table and table[0] == "1.00"
    assert about_methods(visit) == before


def test_the_pages_rank_correlation_shares_ranks_among_ties_and_has_none_for_flat_maps(visit: Visit) -> None:
    gallery(visit, "?v=2&tab=methods&p=circle&base=mean&net=digits-cnn")
    names = [name for name in METHODS if name not in ("gradient", "gradient_times_input", "integrated_gradients", "smoothgrad")]
    maps = np.array([result(visit, name)["map"] for name in names]).reshape(-1, 8, 8)
    told = visit.page.evaluate("(names) => names.map((one) => names.map((two) => explorer.correlationOf(one, two)))", names)
    for row, right in zip(told, rank_correlations(maps).tolist(), strict=True):
        assert row == [None if np.isnan(value) else pytest.approx(value, abs=1e-9) for value in right]
    gallery(visit, "?v=2&tab=methods&pin=deeplift,lrp_zplus&base=drawing&draw=edge")  # the input is the baseline
    assert visit.page.evaluate("() => explorer.correlationOf('deeplift', 'lrp_zplus')") is None


def test_compare_shows_a_core_method_as_its_options_have_it(visit: Visit) -> None:
    gallery(visit, "?v=2&tab=methods&set=gradient.magnitude:1")
    visit.to_tab("compare")
    correlations(visit)
    values = visit.page.evaluate("() => [...explorer.maps.find((map) => map.options.name === 'gradient' && document.getElementById('compare-maps').contains(map.root)).values]")
    assert min(values) >= 0 and values == result(visit, "gradient")["map"]


def test_compare_tells_of_what_is_pinned(visit: Visit) -> None:
    visit.open("?v=2&tab=compare&pin=deeplift,lrp_zplus,occlusion")
    correlations(visit)
    visit.until("() => document.getElementById('words').textContent.includes('ranked most alike by')")
    assert visit.page.locator("#compare-maps .head h3").all_inner_texts() == ["Amounts of P", "Amounts of the logit"]
    visit.page.locator("#compare-maps [role=application]").first.hover(position={"x": 5, "y": 5})
    visit.until("() => document.getElementById('readout').textContent.includes('row 0, column 0')")
    assert all(title in visit.text("readout") for title in ("DeepLIFT", "LRP-z⁺", "Occlusion"))


def test_an_answer_draws_compare_once(visit: Visit) -> None:
    visit.open("?v=2&tab=compare")
    correlations(visit)
    chart = "document.getElementById('mean-chart')"
    visit.page.evaluate(
        f"() => {{ window.labels = 0; new MutationObserver((changes) => (labels += changes.length)).observe({chart}, {{ attributeFilter: ['aria-label'] }}); }}"
    )
    before = visit.page.evaluate(f"() => explorer.figureOf({chart}).values")
    visit.page.get_by_role("radio", name="logit").check()
    visit.until("() => view.asked.output === 'logit'")
    visit.rest()
    assert visit.page.evaluate("() => labels") == 1  # the bars, each drawing with its words
    assert visit.page.evaluate(f"() => explorer.figureOf({chart}).values") != before

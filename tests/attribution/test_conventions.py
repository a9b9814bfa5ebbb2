"""Conventions: the table, and the ones whose source is a text rather than a library that could be run."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from explorer.attribution import CONVENTIONS, FAULTY, METHODS, RULES, Case, Network, Settings, explain, gradient_field
from explorer.attribution.method import Method
from explorer.attribution.network import OUTPUTS, Output
from explorer.pictures import BASELINES

from .toys import BLACK, WHITE, Floats, embed, first, linear, mlp, outputs, picture, relative_error, zoo_networks

conventions = pytest.mark.parametrize("name", CONVENTIONS)


def cases(network: Network, output: Output) -> list[Case]:
    """For each class a picture whose range is not 1, so that it matters what the noise is a share of."""
    return [Case(network, 0.2 + 0.5 * picture(t), BLACK, t, output) for t in range(len(network.classes))]


def ours(convention: str, name: str, case: Case) -> Floats:
    method = METHODS[name]
    return method(case, **CONVENTIONS[convention].values(method)).attribution


def draws(count: int) -> Floats:
    """Standard normal numbers, ``(count, 8, 8)``: those of the methods' default seed."""
    return np.random.default_rng(0).standard_normal((count, 8, 8))


# ---------------------------------------------------------------- Xplique, the original and the paper, by formula


@zoo_networks
@outputs
def test_xplique_by_its_formulas(zoo_network: Network, output: Output) -> None:
    for case in cases(zoo_network, output):
        line = np.linspace(0, 1, 50)[:, None, None] * case.input
        on_line = gradient_field(case.network, line, case.target, output).gradients
        at_copies = gradient_field(case.network, case.input + 0.2 * draws(50), case.target, output).gradients
        at_input = gradient_field(case.network, case.input[None], case.target, output).gradients[0]
        unbiased = 50 / 49 * ((at_copies**2).mean(axis=0) - at_copies.mean(axis=0) ** 2)
        expected = {
            "gradient": np.abs(at_input),
            "gradient_times_input": case.input * at_input,
            "integrated_gradients": case.input * (0.5 * (on_line[:-1] + on_line[1:])).mean(axis=0),
            "smoothgrad": at_copies.mean(axis=0),
            "smoothgrad_squared": (at_copies**2).mean(axis=0),
            "vargrad": unbiased,
        }
        for name, found in expected.items():
            error = np.abs(ours("xplique", name, case) - found).max()
            size = expected["smoothgrad_squared"] if name == "vargrad" else found  # a difference of squares, here too
            assert error < 1e-9 * np.abs(size).max(), name


@zoo_networks
def test_the_original_explorer_by_its_formulas(zoo_network: Network) -> None:
    for case in cases(zoo_network, "probability"):
        line = np.arange(1, 51)[:, None, None] / 50 * case.input
        copies = np.clip(case.input + 0.15 * draws(50), 0, 1)
        at = {name: gradient_field(case.network, pictures, case.target).gradients for name, pictures in (("ig", line), ("sg", copies))}
        assert relative_error(ours("original", "integrated_gradients", case), case.input * at["ig"].mean(axis=0)) < 1e-9
        assert relative_error(ours("original", "smoothgrad", case), at["sg"].mean(axis=0)) < 1e-9


def test_the_paper_is_the_defaults() -> None:
    paper = CONVENTIONS["paper"]
    for method in METHODS.values():
        assert method.values(paper.values(method)) == method.values({})
    settings = Settings()
    shared = {name: value for name, value in paper.shared.items() if name not in ("baseline", "output")}
    assert shared == {name: getattr(settings, name) for name in shared}
    assert paper.shared["output"] == Case.__dataclass_fields__["output"].default
    assert paper.shared["baseline"] == "black"


# ---------------------------------------------------------------- the table


def everything(convention: str) -> list[tuple[Method, dict[str, Any]]]:
    return [(method, CONVENTIONS[convention].values(method)) for method in METHODS.values()]


@conventions
def test_every_value_is_one_that_its_method_takes(name: str) -> None:
    for method, values in everything(name):
        accepted = method.values(values)
        assert {key: accepted[key] for key in values} == values
        assert all(isinstance(accepted[key], type(value)) for key, value in values.items())


@conventions
def test_options_are_of_methods_that_are_there_and_what_is_shared_is_of_the_page(name: str) -> None:
    convention = CONVENTIONS[name]
    assert convention.name == name
    assert set(convention.options) <= set(METHODS)
    assert set(convention.shared) - {"output"} == {"baseline", "steps", "rule", "samples", "noise_level", "clip"}
    assert convention.shared["baseline"] in BASELINES
    assert convention.shared.get("output", "logit") in OUTPUTS


@conventions
def test_settings_for_the_common_batch_give_the_same_maps(zoo: dict[str, Network], name: str) -> None:
    """The page asks for the core methods together, with one Settings for all."""
    convention, case = CONVENTIONS[name], cases(zoo["digits"], "logit")[3]
    common = {f.name for f in fields(Settings)}
    core = ("gradient", "gradient_times_input", "integrated_gradients", "smoothgrad", "vargrad")
    told = {k: v for method in core for k, v in convention.values(METHODS[method]).items() if k in common}
    together = explain(case, Settings(**told), core)  # type: ignore[arg-type]
    for method in core:
        assert relative_error(together[method].attribution, ours(name, method, case)) < 1e-12


@conventions
def test_degenerate_questions_get_finite_maps_and_the_same_ones_again(name: str) -> None:
    constant = Network(linear(np.zeros((3, 64)), [1, 2, 3]), background=BLACK[None])
    saturated = Network(mlp(1, scale=30), background=WHITE[None])
    for network in (constant, saturated):
        for x in (BLACK, WHITE, np.round(picture(0))):
            for method, values in everything(name):
                if method.unsupported_reason(network) or (name != "paper" and not values):
                    continue  # a method that the convention leaves alone has its defaults, as under "paper"
                case = Case(network, x, BLACK, 1)
                answer, again = method(case, **values), method(case, **values)
                assert np.isfinite(answer.attribution).all(), method.name
                assert answer.error is None or np.isfinite(answer.error).all(), method.name
                assert relative_error(again.attribution, answer.attribution) < 1e-9, method.name


@conventions
def test_notes_are_sentences(name: str) -> None:
    notes = CONVENTIONS[name].notes
    assert notes
    assert all(note[0].isupper() and note.endswith(".") and len(note) < 200 for note in notes)
    assert len(set(notes)) == len(notes)


def test_a_convention_cannot_be_changed_by_a_visitor() -> None:
    for table in (CONVENTIONS, CONVENTIONS["captum"].shared, CONVENTIONS["captum"].options["gradient"]):
        with pytest.raises(TypeError):
            table["mine"] = 1  # type: ignore[index]


def test_every_faulty_rule_is_some_librarys() -> None:
    assert not set(FAULTY) & set(RULES)
    notes = " ".join(note for convention in CONVENTIONS.values() for note in convention.notes)
    used = {convention.shared["rule"] for convention in CONVENTIONS.values()}
    assert all(name in used or name in notes for name in FAULTY)


def test_a_worked_case_of_two_pixels() -> None:
    """F = 2 x₀ − 3 x₁ at (1, 0.5): every convention knows the gradient, and they differ in what they make of it."""
    case = Case(Network(first([[2.0, -3.0], [0.0, 0.0]])), embed(1.0, 0.5), BLACK, 0, "logit")
    expected = {
        "paper": ([2, -3], [2, -3]),
        "captum": ([2, 3], [2, 3]),
        "pair": ([2, -3], [4, 9]),
        "zennit": ([2, -3], [2, -3]),
        "xplique": ([2, 3], [2, -3]),
        "original": ([2, -3], [2, -3]),
    }
    for name, (gradient, smooth) in expected.items():
        np.testing.assert_allclose(ours(name, "gradient", case).ravel()[:2], gradient, rtol=1e-12)
        np.testing.assert_allclose(ours(name, "smoothgrad", case).ravel()[:2], smooth, rtol=1e-12)
        np.testing.assert_allclose(ours(name, "integrated_gradients", case).ravel()[:2], [2, -1.5], rtol=1e-12)
    trapezoid = METHODS["integrated_gradients"](case, steps=4, rule="captum-trapezoid").attribution
    np.testing.assert_allclose(trapezoid.ravel()[:2], [1.5, -1.125], rtol=1e-12)  # three quarters of it

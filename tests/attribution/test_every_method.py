"""What holds for every method of the table: its entry, its promises, its manners."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from each import each
from torch import nn

from explorer.attribution import FAMILIES, METHODS, Case, Method, Network, Setting, Value, exact_integrated_gradients
from explorer.models import FOLDER
from explorer.pictures import digit_samples

from .toys import BLACK, WHITE, ZOO, Floats, linear, mlp, outputs, picture, random_case, relative_error

every_method = each("method", METHODS.values(), ids=METHODS)

# Settings that make sampling methods quick; what they promise must hold for few draws too.
QUICK = {"samples": 8, "steps": 9, "baselines": 3, "coalitions": 128, "lime_samples": 64}
TO_ROUNDING = ("deeplift", "deeplift_shap", "shapley_values", "kernel_shap", "cam")  # their sums need no limit


def quick(method: Method) -> dict[str, int]:
    """The quick settings that this method has."""
    names = {setting.name for setting in method.settings}
    return {name: value for name, value in QUICK.items() if name in names}


def network_for(method: Method) -> Network:
    """A network of the zoo that the method applies to."""
    return next(network for name, network in ZOO.items() if name in ("digits", "digits-cnn") and not method.unsupported_reason(network))


def digit(number: int) -> Floats:
    return digit_samples(FOLDER)[number][0]


@every_method
def test_an_entry_says_all_that_is_to_be_said(method: Method) -> None:
    assert METHODS[method.name] is method
    assert re.fullmatch(r"[a-z_]+", method.name)
    assert 1953 <= method.year <= 2026  # Shapley and str(method.year) in method.paper
    assert re.search(r"arXiv:\d{4}\.\d{4,5}|doi:10\.|NeurIPS|ECCV|CVPR|ICLR|KDD|Contributions", method.reference), method.reference
    assert method.family in FAMILIES
    assert method.formula and method.passes and "forward" in method.passes
    assert method.caveat.endswith(".") and len(method.caveat) > 40
    names = [setting.name for setting in method.settings]
    assert len(set(names)) == len(names)
    for setting in method.settings:
        assert setting.check(setting.default) == setting.default
        assert setting.title


@every_method
def test_settings_out_of_range_and_of_another_type_are_refused_by_name(method: Method) -> None:
    case = Case(network_for(method), digit(3), BLACK, 3)
    for setting in method.settings:
        wrong: list[object] = [None, "no such", [1]]
        if not setting.choices and not isinstance(setting.default, bool):
            wrong += [setting.low - 1, setting.high + 1, float("nan"), True]
        for value in wrong:
            with pytest.raises(ValueError, match=re.escape(setting.name)):
                method(case, **{setting.name: value})
    with pytest.raises(ValueError, match="no setting 'colour'"):
        method(case, colour=1)


@every_method
@outputs
def test_a_goal_is_told_where_a_sum_is_promised_and_nowhere_else(method: Method, output: str) -> None:
    answer = method(Case(network_for(method), digit(3), BLACK, 3, output), **quick(method))  # type: ignore[arg-type]
    assert (answer.expected_sum is not None) == bool(method.complete)


@each("name", TO_ROUNDING)
@outputs
def test_a_promise_that_needs_no_limit_is_kept_to_rounding(name: str, output: str) -> None:
    method = METHODS[name]
    for number in range(10):
        answer = method(Case(network_for(method), digit(number), BLACK, number, output), **quick(method))  # type: ignore[arg-type]
        assert answer.expected_sum is not None
        assert abs(answer.attribution.sum() - answer.expected_sum) <= 1e-9 * (np.abs(answer.attribution).sum() + abs(answer.expected_sum))


@every_method
@outputs
def test_invariant_methods_do_not_notice_a_rewrite_and_the_others_may(method: Method, output: str) -> None:
    if method.unsupported_reason(ZOO["digits"]):
        assert method.unsupported_reason(ZOO["digits-rewritten"])
        return
    for number in (3,) if method.name == "shapley_values" else (0, 3, 8):
        maps = [
            method(Case(ZOO[name], digit(number), BLACK, number, output), **quick(method)).attribution  # type: ignore[arg-type]
            for name in ("digits", "digits-rewritten")
        ]
        if method.invariant:
            # an adaptive path decides by comparing numbers, and rounding may tip the balance
            tolerance = 1e-3 if method.family == "adaptive path" else 1e-12
            assert relative_error(maps[1], maps[0]) < tolerance


class _Kinked(nn.Module):
    """relu(z) and a constant, z = x₀ − x₁; written as ``z + relu(−z)`` it computes the same."""

    def __init__(self, rewritten: bool) -> None:
        super().__init__()
        self.rewritten = rewritten

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        z = x[:, 0] - x[:, 1]
        return torch.stack([z + torch.relu(-z) if self.rewritten else torch.relu(z), 0 * z], dim=1)


@outputs
def test_on_a_kink_only_what_asks_for_nothing_but_f_is_invariant(output: str) -> None:
    pair = [Network(_Kinked(rewritten)) for rewritten in (False, True)]
    even, uneven = np.full((8, 8), 0.5), np.linspace(0.9, 0.1, 64).reshape(8, 8)  # all of the path to `even` is on the kink
    for method in METHODS.values():
        if not method.invariant or method.unsupported_reason(pair[0]):
            continue
        on, off = (
            [method(Case(network, x, baseline, 0, output), **quick(method)).attribution for network in pair]  # type: ignore[arg-type]
            for x, baseline in ((even, BLACK), (uneven, uneven / 3))
        )
        assert relative_error(off[1], off[0]) < 1e-12, method.name
        if method.family == "perturbation":
            assert np.array_equal(on[0], on[1]), method.name
    for name in ("gradient", "integrated_gradients"):
        maps = [METHODS[name](Case(network, even, BLACK, 0, output)).attribution for network in pair]  # type: ignore[arg-type]
        assert not maps[0].any() and maps[1][0, 0] > 0.1, name


@each("name", ["deeplift", "deeplift_shap", "lrp_epsilon", "lrp_gamma", "lrp_zplus", "guided_backprop", "deconvnet"])
def test_what_is_not_invariant_does_notice_the_rewrite(name: str) -> None:
    method = METHODS[name]
    assert not method.invariant
    changed = []
    for number in range(10):
        maps = [method(Case(ZOO[key], digit(number), BLACK, number, "logit")).attribution for key in ("digits", "digits-rewritten")]
        changed.append(relative_error(maps[1], maps[0]))
    assert max(changed) > 0.005


def test_on_a_linear_network_most_methods_are_the_weights_times_the_difference() -> None:
    weights = np.random.default_rng(0).standard_normal((3, 64))
    network = Network(linear(weights), background=BLACK[None])  # no biases, and nothing is the background
    case = Case(network, picture(0), BLACK, 1, "logit")
    expected = weights[1].reshape(8, 8) * case.difference
    same = ["gradient_times_input", "integrated_gradients", "expected_gradients", "deeplift", "deeplift_shap", "occlusion", "guided_integrated_gradients"]
    for name in same:
        assert relative_error(METHODS[name](case).attribution, expected) < 1e-9, name
    assert relative_error(METHODS["lrp_epsilon"](case, epsilon=0.0).attribution, expected) < 1e-9
    for name in ("gradient", "smoothgrad", "guided_backprop", "deconvnet"):
        assert relative_error(METHODS[name](case).attribution, weights[1].reshape(8, 8)) < 1e-9, name
    assert not METHODS["vargrad"](case).attribution.round(12).any()
    blocks = expected.reshape(4, 2, 4, 2).sum(axis=(1, 3))
    for name in ("shapley_values", "kernel_shap", "lime"):
        found = METHODS[name](case).attribution.reshape(4, 2, 4, 2).sum(axis=(1, 3))
        assert relative_error(found, blocks) < 1e-6, name


def test_expected_gradients_come_to_the_mean_of_exact_maps_over_the_background() -> None:
    network = ZOO["digits"]
    assert network.background is not None
    case = Case(network, digit(3), BLACK, 3)
    limit = np.mean([exact_integrated_gradients(Case(network, digit(3), b, 3)).attribution for b in network.background], axis=0)
    few, many = (METHODS["expected_gradients"](case, samples=n, seed=5) for n in (100, 5000))
    assert many.error is not None and few.error is not None
    assert np.abs(many.attribution - limit).mean() < np.abs(few.attribution - limit).mean() / 3
    assert (np.abs(many.attribution - limit) <= 5 * many.error + 1e-12).all()


def drawn(setting: Setting, rng: np.random.Generator) -> Value:
    """Some value of a setting; large numbers are kept small enough to be quick."""
    if isinstance(setting.default, bool):
        return bool(rng.random() < 0.5)
    if setting.choices:
        return str(rng.choice(setting.choices))
    if isinstance(setting.default, int):
        return int(rng.integers(int(setting.low), int(min(setting.high, setting.low + 30)) + 1))
    return float(rng.uniform(setting.low, setting.high))


@every_method
@each("seed", range(3))
def test_the_passes_that_a_method_tells_beforehand_are_those_that_it_takes(method: Method, seed: int) -> None:
    rng = np.random.default_rng(seed)
    baseline = np.where(rng.random((8, 8)) < rng.choice([0.0, 0.5, 0.97]), BLACK, 1 - digit(seed))
    for name, network in ZOO.items():
        slow = name != "digits" if method.name == "shapley_values" else name == "digits-rewritten"  # an MLP like "digits"
        if slow or method.unsupported_reason(network):
            continue
        case = Case(network, np.where(rng.random((8, 8)) < 0.5, digit(seed), baseline), baseline, 1)
        given = {setting.name: drawn(setting, rng) for setting in method.settings}
        promised, answer = method.count(case, method.values(given)), method(case, **given)
        assert (answer.forward, answer.backward) == promised[:2]
        assert 0 <= promised.sequential <= promised.backward


@every_method
def test_networks_are_sent_what_was_counted_in_batches_that_suit_them(method: Method) -> None:
    for name in ("digits", "digits-cnn"):
        network = Network(ZOO[name].module, classes=ZOO[name].classes, background=ZOO[name].background)
        case = Case(network, digit(4), BLACK, 4)
        if method.unsupported_reason(network) or method.name == "shapley_values":
            continue
        sizes: list[int] = []
        network.module.register_forward_pre_hook(lambda module, given, sizes=sizes: sizes.append(len(given[0])))
        if method.unsupported_reason(network):
            continue  # it goes through the layers itself, past the hook
        answer = method(case, **quick(method))
        assert sum(sizes) == answer.forward
        assert max(sizes) <= network.chunk


def state_of_the_zoo() -> list[object]:
    """Hooks, modes, gradients and weights of the zoo's networks."""
    state: list[object] = []
    for network in ZOO.values():
        for module in network.module.modules():
            hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
            state += [module.training, *(len(kind) for kind in hooks)]
        state += [(p.requires_grad, p.grad, p.detach().numpy().tobytes()) for p in network.module.parameters()]
    return state


@every_method
def test_nothing_is_left_behind_after_success_or_failure(method: Method) -> None:
    before = state_of_the_zoo()
    for network in ZOO.values():
        case = Case(network, digit(3), BLACK, 0)
        if method.unsupported_reason(network):
            with pytest.raises(ValueError, match="does not apply"):
                method(case)
        else:
            method(case, **quick(method))
        with pytest.raises(ValueError, match=r"does not apply|no setting"):
            method(case, colour=1)
    assert state_of_the_zoo() == before


@every_method
def test_eight_threads_get_what_one_gets(method: Method) -> None:
    network = network_for(method)
    cases = [Case(network, digit(number), BLACK, number) for number in range(4)]
    alone = [method(case, **quick(method)).attribution for case in cases]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda case: method(case, **quick(method)).attribution, cases * 2))
    for found, expected in zip(together, alone * 2, strict=True):
        assert relative_error(found, expected) < (1e-3 if method.family == "adaptive path" else 1e-9)


@every_method
@each("mode", [torch.no_grad, torch.inference_mode])
def test_the_callers_torch_mode_changes_nothing(method: Method, mode: type) -> None:
    case = Case(network_for(method), digit(5), BLACK, 5)
    expected = method(case, **quick(method)).attribution
    with mode():
        assert relative_error(method(case, **quick(method)).attribution, expected) < 1e-9


@every_method
@each("steep", [0.0, 1e3])
def test_flat_and_steep_networks_get_finite_maps(method: Method, steep: float) -> None:
    network = Network(mlp(3, scale=steep) if steep else linear(np.zeros((3, 64)), [1, 2, 3]), background=np.stack([BLACK, WHITE, picture(4)]))
    if method.unsupported_reason(network):
        return
    for x, baseline in ((BLACK, BLACK), (WHITE, BLACK), (picture(1), picture(2)), (picture(1), picture(1))):
        for output in ("probability", "logit"):
            answer = method(Case(network, x, baseline, 1, output), **quick(method))  # type: ignore[arg-type]
            assert np.isfinite(answer.attribution).all()
            assert answer.expected_sum is None or np.isfinite(answer.expected_sum)
            if not steep:
                assert not answer.attribution.any() or method.complete not in ("", "F(x) − F(x′)")


def test_a_network_that_cannot_be_seen_through_is_refused_by_those_that_look_inside() -> None:
    class Own(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.stack([x.sum(1), x.prod(1)], 1)

    refused = {method.name for method in METHODS.values() if method.unsupported_reason(Network(Own(), background=BLACK[None]))}
    looking_inside = ("changed backward pass", "activation maps")
    assert refused == {method.name for method in METHODS.values() if method.family in looking_inside}
    without_background = {method.name for method in METHODS.values() if method.unsupported_reason(Network(Own()))}
    assert without_background - refused == {"expected_gradients", "gradient_shap"}  # and README says so


STEPS, SAMPLES = {"steps": 5}, {"samples": 100}


@each(
    ("name", "settings"),
    [("smooth_integrated_gradients", STEPS), ("averaged_baselines", STEPS), ("smoothgrad_squared", SAMPLES), ("vargrad", SAMPLES)],
)
def test_the_standard_error_is_how_far_the_map_moves_with_another_seed(name: str, settings: dict[str, int]) -> None:
    case = random_case(Network(mlp(0)), 3)
    answers = [METHODS[name](case, seed=seed, **settings) for seed in range(60)]
    moved = np.stack([answer.attribution for answer in answers]).std(axis=0, ddof=1)
    error = np.mean([answer.error for answer in answers if answer.error is not None], axis=0)
    assert np.median(moved / error) == pytest.approx(1, abs=0.15)

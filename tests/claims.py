"""What each claim of the page's sentences means: a predicate each, apart from the code that chooses the sentences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from truth import Floats, Truth, close

from explorer.sentences import Sentence

Predicate = Callable[[Truth, Sentence], bool]
PREDICATES: dict[str, Predicate] = {}


def means(claim: str) -> Callable[[Predicate], Predicate]:
    """The decorated function says whether the claim is true."""

    def add(predicate: Predicate) -> Predicate:
        assert claim not in PREDICATES
        PREDICATES[claim] = predicate
        return predicate

    return add


def holds(truth: Truth, sentence: Sentence) -> bool:
    """Whether a sentence is true; advice says nothing of the state."""
    return sentence.claim == "advice" or PREDICATES[sentence.claim](truth, sentence)


# ---------------------------------------------------------------- the gradient


@means("other class")
def _(truth: Truth, said: Sentence) -> bool:
    named = f"“{truth.model.classes[int(truth.scores.argmax())]}”" in said.text and f"“{truth.model.classes[truth.target]}”" in said.text
    return bool(named and truth.scores.argmax() != truth.target and close(said.numbers["score"], truth.scores[truth.target]))


@means("zero gradient")
def _(truth: Truth, said: Sentence) -> bool:
    return not truth.gradient.any()


@means("saturated")
def _(truth: Truth, said: Sentence) -> bool:
    peak = np.abs(truth.gradient).max()
    score = said.numbers["score"]
    near = score > 0.98 if "already" in said.text else score < 0.02
    blank = _is_blank(truth) if "blank" in said.text else _is_seen(truth)
    return bool(close(score, truth.scores[truth.target]) and near and blank and peak < 0.05 and truth.state.output == "probability")


def _scale(truth: Truth) -> float:
    """The largest |gradient| of the path's steps and of the picture."""
    steps = truth.piece_gradients if truth.state.rule == "exact" else truth.steps(truth.state.steps)[0]
    return float(max(np.abs(steps).max(), np.abs(truth.gradient).max()))


def _is_blank(truth: Truth) -> bool:
    """Whether the map of the gradient stays below 4 % of its scale, where no sign is drawn."""
    return bool(0 < np.abs(truth.gradient).max() < 0.0401 * _scale(truth))


def _is_seen(truth: Truth) -> bool:
    """Whether something of it is drawn."""
    return bool(np.abs(truth.gradient).max() > 0.0399 * _scale(truth))


@means("gradient blank")
def _(truth: Truth, said: Sentence) -> bool:
    score = truth.scores[truth.target] if truth.state.output == "probability" else truth.ends[1]
    sure = truth.scores[truth.target] > 0.9499 and truth.scores.argmax() == truth.target if "sure" in said.text else True
    ratio = said.numbers.get("ratio")
    larger = ratio is None or ratio <= 1.001 * _scale(truth) / np.abs(truth.gradient).max()
    return bool(_is_blank(truth) and sure and larger and close(said.numbers["score"], score, absolute=1e-12))


@means("flared up")
def _(truth: Truth, said: Sentence) -> bool:
    return _scale(truth) >= 24.9 * np.abs(truth.gradient).max()


@means("logit not saturated")
def _(truth: Truth, said: Sentence) -> bool:
    peak = np.abs(truth.logit_gradient).max()
    return close(said.numbers["gradient"], peak) and peak > 19.99 * np.abs(truth.gradient).max()


def _rises_by_sign(truth: Truth) -> bool:
    """Whether each marked pixel, raised, moves F as the sign of its gradient says."""
    shown = truth.map("gradient")
    marked = np.flatnonzero(np.abs(shown) >= 0.04 * np.abs(shown).max())  # in paler cells no mark is drawn

    def agrees(h: float, pixels: NDArray[np.intp]) -> NDArray[np.bool_]:
        moved = np.repeat(truth.x[None], len(pixels), axis=0)
        moved[np.arange(len(pixels)), pixels] += h
        rises = truth.look(np.concatenate([truth.x[None], moved]))[2]
        agreed: NDArray[np.bool_] = np.sign(rises[1:] - rises[0]) == np.sign(shown[pixels])
        return agreed

    left = marked[~agrees(1e-5, marked)]
    return not len(left) or bool(agrees(1e-7, left).all())  # a kink may lie within the first


@means("sign")
def _(truth: Truth, said: Sentence) -> bool:
    return _rises_by_sign(truth) and _is_seen(truth) and close(said.numbers["score"], truth.ends[1], absolute=1e-12)


@means("kink here")
def _(truth: Truth, said: Sentence) -> bool:
    x, shown = truth.x, truth.map("gradient")
    rises = (truth.look(np.concatenate([x[None], x + 1e-6 * np.eye(x.size)]))[2][1:] - truth.ends[1]) / 1e-6
    return bool((np.abs(rises - shown) > 0.3 * np.abs(shown))[np.abs(shown) >= 0.04 * np.abs(shown).max()].any()) and close(said.numbers["score"], truth.ends[1], absolute=1e-12)


@means("steepest")
def _(truth: Truth, said: Sentence) -> bool:
    return close(said.numbers["gradient"], np.abs(truth.gradient).max())


def _maps_elsewhere(truth: Truth) -> Floats:
    pictures = np.random.default_rng(3).random((5, 64))
    return np.concatenate([truth.gradient[None], truth.look(pictures)[1]])


@means("one shape")
def _(truth: Truth, said: Sentence) -> bool:
    maps = _maps_elsewhere(truth)
    maps /= np.linalg.norm(maps, axis=1, keepdims=True)
    return bool((maps @ maps[0] > 1 - 1e-9).all())


@means("one map")
def _(truth: Truth, said: Sentence) -> bool:
    maps = _maps_elsewhere(truth)
    return bool((np.abs(maps - maps[0]) <= 1e-12 * np.abs(maps[0]).max()).all())


def _holds_half(truth: Truth, said: Sentence) -> bool:
    """Whether so many pixels hold half of the map and no fewer do, and the ratio is its peak to its mean."""
    sizes = np.sort(np.abs(truth.gradient))[::-1]
    count, half = int(said.numbers["pixels"]), sizes.sum() / 2
    enough = sizes[:count].sum() >= half * (1 - 1e-9) and sizes[: count - 1].sum() <= half * (1 + 1e-9)
    return bool(enough and close(said.numbers["snr"], sizes[0] / sizes.mean()))


@means("concentrated")
def _(truth: Truth, said: Sentence) -> bool:
    sizes = np.sort(np.abs(truth.gradient))[::-1]
    return bool(_holds_half(truth, said) and sizes[:8].sum() >= sizes[8:].sum() * (1 - 1e-9))


@means("diffuse")
def _(truth: Truth, said: Sentence) -> bool:
    sizes = np.sort(np.abs(truth.gradient))[::-1]
    return bool(_holds_half(truth, said) and sizes[:10].sum() < sizes[10:].sum())


# ---------------------------------------------------------------- the path and its sum


def _rounding(said: Sentence) -> float:
    return 1e-10 if "rounding" in said.text else 0.0


@means("no path")
def _(truth: Truth, said: Sentence) -> bool:
    return bool(np.abs(truth.difference).max() <= _rounding(said))


@means("nothing to share")
def _(truth: Truth, said: Sentence) -> bool:
    most = _rounding(said) * max(1, np.abs(truth.dense_gradients).max())
    return bool(np.abs(truth.map("integrated_gradients")).max() <= most and abs(truth.payload["f"]["delta"]) <= most)


def _names_the_ends(truth: Truth, said: Sentence) -> bool:
    return all(close(said.numbers[name], f, absolute=1e-12) for name, f in zip(("baseline", "input"), truth.ends, strict=True))


@means("baseline scores")
def _(truth: Truth, said: Sentence) -> bool:
    return _names_the_ends(truth, said) and truth.ends[0] > 0.4999 and truth.state.output == "probability"


means("ends")(_names_the_ends)


@means("score")
def _(truth: Truth, said: Sentence) -> bool:
    named = close(said.numbers["score"], truth.ends[1], absolute=1e-12)
    return named and _is_seen(truth) and ("logit" in said.text) == (truth.state.output == "logit")


@means("logit responds")
def _(truth: Truth, said: Sentence) -> bool:
    return truth.state.output == "logit" and _is_seen(truth) and close(said.numbers["score"], truth.ends[1], absolute=1e-12)


@means("near 1")
def _(truth: Truth, said: Sentence) -> bool:
    score = truth.scores[truth.target]
    return bool(close(said.numbers["score"], score) and score > 0.9799)


def _moved(sign: int) -> Predicate:
    """Whether F moved that way from the baseline, and some attributions are of that sign."""

    def predicate(truth: Truth, said: Sentence) -> bool:
        named = close(said.numbers["baseline"], truth.ends[0], absolute=1e-12)
        return bool(named and sign * truth.delta_f > 0 and (sign * truth.own_integrated).max() > 0)

    return predicate


means("raised")(_moved(1))
means("lowered")(_moved(-1))


@means("gradient on path")
def _(truth: Truth, said: Sentence) -> bool:
    here, reached = said.numbers["here"], said.numbers["on the path"]
    distance = np.abs(truth.difference)
    moves = distance >= 0.0999 * distance.max()
    if truth.state.rule == "exact":  # a mean over a piece: somewhere on the piece, which may be narrow, it is as large
        cuts = np.array([0.0, *truth.payload["path"]["alphas"]])
        inside = cuts[:-1] + np.diff(cuts) * (np.arange(9)[:, None] + 0.5) / 9
        reaches = np.abs(truth.look(truth.on_path(inside.ravel()))[1][:, moves]).max() >= 0.97 * reached
    else:
        gradients, weights = truth.steps(truth.state.steps)
        reaches = close(np.abs(gradients[weights > 0][:, moves]).max(), reached)
    return bool(reaches and close(here, np.abs(truth.gradient[distance > 0]).max()) and reached > 9.99 * here)


@means("pieces")
def _(truth: Truth, said: Sentence) -> bool:
    cuts = np.array([0.0, *truth.payload["path"]["alphas"]])
    middles = (cuts[:-1] + cuts[1:]) / 2
    with torch.no_grad():
        places = torch.tensor(truth.on_path(np.concatenate([cuts, middles])))
        z = truth.model.network.module(places.reshape(-1, *truth.model.network.input_shape)).numpy()
    at, between = z[: len(cuts)], z[len(cuts) :]
    straight = np.abs(between - (at[:-1] + at[1:]) / 2).max() <= 1e-9 * max(1, np.abs(z).max())
    return bool(straight and len(middles) == said.numbers["pieces"])


@means("complete by pieces")
def _(truth: Truth, said: Sentence) -> bool:
    shown = truth.map("integrated_gradients")
    fine = np.abs(shown - truth.fine_integrated).max() <= 0.05 * np.abs(shown).max() + 1e-9
    return bool(fine and abs(shown.sum() - truth.delta_f) <= 1e-10 * np.abs(shown).sum() + 1e-13 * truth.size)


@means("same ends")
def _(truth: Truth, said: Sentence) -> bool:
    sizes = np.abs(truth.own_integrated).sum()
    return abs(truth.delta_f) <= 1e-11 * max(sizes, truth.size) and close(said.numbers["sum"], truth.own_integrated.sum(), absolute=1e-12 * sizes)


def _misses(truth: Truth) -> float:
    return float(truth.own_integrated.sum() - truth.delta_f)


def _share_is(truth: Truth, share: float) -> bool:
    """Whether the sum misses that share of ΔF, as far as ΔF is known."""
    return close(share, abs(_misses(truth) / truth.delta_f), absolute=1e-10 + 1e-13 * truth.size / abs(truth.delta_f))


@means("incomplete")
def _(truth: Truth, said: Sentence) -> bool:
    missed = _misses(truth)
    named = close(said.numbers["delta"], abs(missed), absolute=1e-14 * truth.size) and _share_is(truth, said.numbers["share"])
    short = abs(truth.own_integrated.sum()) < abs(truth.delta_f) or truth.own_integrated.sum() * truth.delta_f < 0
    return bool(named and abs(missed) > 0.0099 * abs(truth.delta_f) and said.numbers["short"] == short)


@means("more steps")
def _(truth: Truth, said: Sentence) -> bool:
    finer = [max(truth.dense // 4, 3 * truth.state.steps), 8000, 32000]  # nearer in the end, not at once
    if truth.state.rule == "gauss-legendre":
        finer = [300, 1000, 2000, 4000]  # whose nodes are dear
    no_error = True
    if "the exact rule" in said.text:  # of which is said that it leaves no error
        exact = sum(truth.payload["exact"]["map"])
        no_error = abs(exact - truth.delta_f) <= 1e-10 * np.abs(truth.payload["exact"]["map"]).sum() + 1e-13 * truth.size
    return bool(no_error and any(abs(truth.integrated(m).sum() - truth.delta_f) < abs(_misses(truth)) for m in finer))


@means("complete")
def _(truth: Truth, said: Sentence) -> bool:
    return _share_is(truth, said.numbers["share"]) and said.numbers["share"] <= 0.01 and said.numbers["steps"] == truth.state.steps


def _errors(truth: Truth) -> Floats:
    return truth.own_integrated - truth.fine_integrated


@means("pixel errors")
def _(truth: Truth, said: Sentence) -> bool:
    error = np.abs(_errors(truth)).max() / np.abs(truth.fine_integrated).max()
    return bool(close(said.numbers["error"], error, 0.1, 0.003) and error > 2 * abs(_misses(truth) / truth.delta_f))


@means("errors cancel")
def _(truth: Truth, said: Sentence) -> bool:
    errors = _errors(truth)
    return bool(abs(errors.sum()) <= 0.15 * np.abs(errors).sum())


@means("equal pixels")
def _(truth: Truth, said: Sentence) -> bool:
    equal = truth.x == truth.baseline
    return bool(equal.sum() == said.numbers["pixels"] and not truth.map("integrated_gradients")[equal].any())


# ---------------------------------------------------------------- the comparison


def _correlation(one: Floats, two: Floats) -> float:
    return float(stats.spearmanr(one, two).statistic)


def _ranked(low: float, high: float) -> Predicate:
    """Whether the rank correlation lies there: as shown, and as it is with many steps."""

    def predicate(truth: Truth, said: Sentence) -> bool:
        shown = _correlation(truth.gradient, truth.own_integrated)
        fine = _correlation(truth.gradient, truth.fine_integrated)
        return close(said.numbers["correlation"], shown, 0, 0.01) and all(low - 0.03 <= found <= high + 0.03 for found in (shown, fine))

    return predicate


means("ranked alike")(_ranked(0.8, 1))
means("ranked in part")(_ranked(0.3, 0.8))
means("ranked apart")(_ranked(-1, 0.3))


@means("rank unsettled")
def _(truth: Truth, said: Sentence) -> bool:
    shown, fine = (_correlation(truth.gradient, found) for found in (truth.own_integrated, truth.fine_integrated))
    return close(said.numbers["correlation"], shown, 0, 0.01) and close(said.numbers["exact"], fine, 0, 0.05) and said.numbers["steps"] == truth.state.steps


@means("flat map")
def _(truth: Truth, said: Sentence) -> bool:
    way = np.abs(truth.difference).max() * max(1, np.abs(truth.dense_gradients).max())
    return bool(np.ptp(truth.map("gradient")) == 0 or np.ptp(truth.map("integrated_gradients")) <= 1e-10 * min(1, way / 1e-10) or way <= 1e-9)


@means("no noise")
def _(truth: Truth, said: Sentence) -> bool:
    return bool((np.abs(truth.own_samples - truth.gradient) <= 1e-12 * np.abs(truth.gradient).max()).all())


@means("one sample")
def _(truth: Truth, said: Sentence) -> bool:
    return len(truth.own_samples) == 1


def _spread(truth: Truth) -> Floats:
    """Of each pixel over the samples, as a share of the largest value."""
    return np.ptp(truth.own_samples, axis=0) / (np.abs(truth.own_samples).max() or 1)


@means("samples alike")
def _(truth: Truth, said: Sentence) -> bool:
    return bool(_spread(truth).max() <= 1e-9 and said.numbers["samples"] == len(truth.own_samples) > 1)


@means("few pixels differ")
def _(truth: Truth, said: Sentence) -> bool:
    spread, count = _spread(truth), said.numbers["pixels"]
    return bool((spread > 1e-9).sum() <= count <= (spread > 1e-14).sum() and count <= 32 and said.numbers["samples"] == len(truth.own_samples))


@means("few samples")
def _(truth: Truth, said: Sentence) -> bool:
    return said.numbers["samples"] == len(truth.own_samples) < said.numbers["enough"]


def _median_is(truth: Truth, said: Sentence) -> bool:
    return len(truth.own_samples) >= 20 and close(said.numbers["errors"], float(np.median(truth.ratios)), 1e-5)


@means("noise hides")
def _(truth: Truth, said: Sentence) -> bool:
    hidden = truth.ratios <= said.numbers["errors"] * (1 + 1e-5)
    true_ratios = np.abs(truth.many_samples.mean(axis=0)) / (truth.many_samples.std(axis=0) / np.sqrt(truth.state.samples))
    return bool(_median_is(truth, said) and hidden.sum() >= 32 and np.median(true_ratios[hidden]) < 2)


@means("noise in part")
def _(truth: Truth, said: Sentence) -> bool:
    return _median_is(truth, said) and 0.999 <= said.numbers["errors"] <= 2.001


@means("clear of noise")
def _(truth: Truth, said: Sentence) -> bool:
    clear = truth.ratios >= np.median(truth.ratios)
    right = np.sign(truth.own_samples.mean(axis=0)) == np.sign(truth.many_samples.mean(axis=0))
    return bool(_median_is(truth, said) and right[clear].mean() >= 0.9)


@means("four times")
def _(truth: Truth, said: Sentence) -> bool:
    return len(truth.own_samples) > 1 and truth.state.noise_level > 0  # a law: a test of its own holds it against many seeds


def error_by_four_times(truth: Truth, seeds: int) -> float:
    """The root mean square over many seeds of the standard error with four times the samples, as a share of that with n."""
    n = truth.state.samples
    mean_squares = [np.mean([truth.samples(count, 100 + seed).var(axis=0, ddof=1) / count for seed in range(seeds)]) for count in (n, 4 * n)]
    return float(np.sqrt(mean_squares[1] / mean_squares[0]))

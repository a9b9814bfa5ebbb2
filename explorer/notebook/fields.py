"""Recipes of the gradient family: the gradient at known points, averaged in one way or another."""

from __future__ import annotations

import numpy as np

from explorer.attribution.exact import exact_path
from explorer.attribution.methods.averaged_ig import noise_pictures
from explorer.attribution.methods.expected_gradients import draw
from explorer.attribution.methods.guided_ig import guided_path
from explorer.attribution.network import SHAPE
from explorer.attribution.segments import regions
from explorer.notebook.recipe import Recipe, Wanted
from explorer.notebook.source import packed, packed_bits

EVEN = "np.full({m}, 1 / {m})"
NODES = {
    "left": ("np.arange({m}) / {m}", EVEN),
    "right": ("np.arange(1, {m} + 1) / {m}", EVEN),
    "midpoint": ("(np.arange({m}) + 0.5) / {m}", EVEN),
    "trapezoid": ("np.arange({m} + 1) / {m}", "np.array([0.5, *np.ones({m} - 1), 0.5]) / {m}"),
    "closed-average": ("np.linspace(0, 1, {m})", EVEN),
}
CAPTUMS = {
    "left": "riemann_left",
    "right": "riemann_right",
    "midpoint": "riemann_middle",
    "gauss-legendre": "gausslegendre",
    "captum-trapezoid": "riemann_trapezoid",
}
SALIENCY = ("Saliency",)
GAUSS = """
nodes, weights = np.polynomial.legendre.leggauss({m})
alphas, weights = (nodes + 1) / 2, weights / weights.sum()
"""
CAPTUM_TRAPEZOID = """
alphas, weights = np.linspace(0, 1, {m}), np.full({m}, 1 / {m})  # these weights sum to (m − 1) / m
weights[0] -= 0.5 / {m}
weights[-1] -= 0.5 / {m}
"""


def quadrature(rule: str, steps: int) -> str:
    """Statements that make the ``alphas`` and ``weights`` of a rule."""
    if rule in NODES:
        alphas, weights = (part.format(m=steps) for part in NODES[rule])
        return f"alphas, weights = {alphas}, {weights}"
    return (GAUSS if rule == "gauss-legendre" else CAPTUM_TRAPEZOID).format(m=steps).strip()


def quadrature_of(wanted: Wanted) -> str:
    """The same for a method's own rule and steps."""
    return quadrature(str(wanted.values["rule"]), int(wanted.values["steps"]))


def gradient(wanted: Wanted) -> Recipe:
    """Captum's Saliency keeps the sign only when told to."""
    size = bool(wanted.values["magnitude"])
    return Recipe("Captum’s Saliency", f"found = Saliency(f).attribute(tensor(x).requires_grad_(), target=TARGET, abs={size})", SALIENCY)


def gradient_times_input(wanted: Wanted) -> Recipe:
    """Captum's InputXGradient."""
    return Recipe("Captum’s InputXGradient", "found = InputXGradient(f).attribute(tensor(x).requires_grad_(), target=TARGET)", ("InputXGradient",))


def integrated_gradients(wanted: Wanted) -> Recipe:
    """In double precision, and by Captum where it has the rule; or piece by piece between the switches of ReLUs."""
    if wanted.exact:
        return _exact(wanted)
    rule, steps = str(wanted.values["rule"]), int(wanted.values["steps"])
    torch_s = f"{quadrature(rule, steps)}\nfound = integrate(x[None], x0[None], alphas, weights)[0]"
    if rule not in CAPTUMS or (rule != "gauss-legendre" and steps == 1):
        return Recipe(f"plain torch, as Captum has no such rule{' of one step' if rule in CAPTUMS else ''}", torch_s, helpers=("integrate",))
    captums = (
        f'theirs = IntegratedGradients(f).attribute(tensor(x), tensor(x0), target=TARGET, n_steps={steps}, method="{CAPTUMS[rule]}")\n'
        'check(theirs, page["integrated_gradients"], share=1e-5)'
    )
    note = "Captum keeps α and the weights in single precision: its map is asserted to 1e-5, and the same sum in double precision to 1e-6."
    return Recipe("Captum’s IntegratedGradients", f"{captums}\n{torch_s}", ("IntegratedGradients",), ("integrate",), note=note)


def _exact(wanted: Wanted) -> Recipe:
    code = """
cuts = np.concatenate([[0.0], cuts_of_path])
moves = np.diff(net(tensor((1 - cuts[:, None, None]) * x0 + cuts[:, None, None] * x)).numpy(), axis=0)
parts = np.maximum(1, np.ceil(np.ptp(moves, axis=1) + np.abs(moves).max(axis=1))).astype(int)  # so that F bends little within one
ends = np.append(np.concatenate([np.linspace(a, b, n, endpoint=False) for a, b, n in zip(cuts, cuts[1:], parts)]), 1.0)
nodes, shares = np.polynomial.legendre.leggauss(8)
alphas = (ends[:-1, None] + (nodes + 1) / 2 * np.diff(ends)[:, None]).ravel()
weights = (shares / 2 * np.diff(ends)[:, None]).ravel()
found = integrate(x[None], x0[None], alphas, weights)[0]
"""
    note = "Between two cuts, where a ReLU switches, the logits are linear: eight Gauss–Legendre nodes a piece leave no error. The explorer found the cuts."
    return Recipe("plain torch", code, helpers=("integrate",), data={"cuts_of_path": packed(exact_path(wanted.case).alphas)}, note=note)


def copies(wanted: Wanted) -> tuple[str, dict[str, str]]:
    """Statements that make SmoothGrad's noisy ``copies``, and their standard normal numbers."""
    values = wanted.values
    samples, seed, level = int(values["samples"]), int(values["seed"]), float(values["noise_level"])
    name = f"noise_{seed}_{samples}"
    span = " * np.ptp(x)" if values.get("noise_range") == "picture" else ""
    lines = [f"copies = x + {level!r}{span} * {name}"]
    if values["clip"]:
        lines.append("copies = np.clip(copies, 0, 1)")
    if values.get("clean_last"):
        lines.append("copies[-1] = x")
    return "\n".join(lines), {name: packed(np.random.default_rng(seed).standard_normal((samples, *SHAPE)))}


DRAWS = "Captum’s NoiseTunnel would draw its own noise: here Captum gets the page’s noisy copies as a batch."


def smoothgrad(wanted: Wanted) -> Recipe:
    """The mean of the copies' gradients, or of their magnitudes or squares."""
    make, data = copies(wanted)
    of = {"gradient": "gradients(copies)", "magnitude": "np.abs(gradients(copies))", "square": "gradients(copies) ** 2"}[str(wanted.values["of"])]
    return Recipe("Captum’s Saliency on noisy copies", f"{make}\nfound = ({of}).mean(axis=0)", helpers=("gradients",), data=data, note=DRAWS)


def smoothgrad_squared(wanted: Wanted) -> Recipe:
    """The mean of the squares."""
    make, data = copies(wanted)
    return Recipe("Captum’s Saliency on noisy copies", f"{make}\nfound = (gradients(copies) ** 2).mean(axis=0)", helpers=("gradients",), data=data, note=DRAWS)


def vargrad(wanted: Wanted) -> Recipe:
    """The variance, which is 0 for one copy."""
    make, data = copies(wanted)
    varied = "np.abs(gradients(copies))" if wanted.values["variance_of"] == "magnitude" else "gradients(copies)"
    divisor = max(int(wanted.values["samples"]) - int(wanted.values["ddof"]), 1)
    code = f"{make}\nvaried = {varied}\nfound = ((varied - varied.mean(axis=0)) ** 2).sum(axis=0) / {divisor}"
    return Recipe("Captum’s Saliency on noisy copies", code, helpers=("gradients",), data=data, note=DRAWS)


def smooth_integrated_gradients(wanted: Wanted) -> Recipe:
    """One path to each copy."""
    make, data = copies(wanted)
    square = " ** 2" if wanted.values["squares"] else ""
    code = f"{make}\n{quadrature_of(wanted)}\nfound = (integrate(copies, np.broadcast_to(x0, copies.shape), alphas, weights){square}).mean(axis=0)"
    return Recipe("Captum’s Saliency along paths to noisy copies", code, helpers=("integrate",), data=data, note=DRAWS)


def averaged_baselines(wanted: Wanted) -> Recipe:
    """One path from each noise picture."""
    code = f"{quadrature_of(wanted)}\nfound = integrate(np.broadcast_to(x, baselines.shape), baselines, alphas, weights).mean(axis=0)"
    drawn = noise_pictures(int(wanted.values["baselines"]), int(wanted.values["seed"]))
    return Recipe("Captum’s Saliency along paths from random pictures", code, helpers=("integrate",), data={"baselines": packed(drawn)})


def expected_gradients(wanted: Wanted) -> Recipe:
    """One point on one path for each sample; Captum's GradientShap is that of noisy copies."""
    make, data = copies(wanted) if "noise_level" in wanted.values else ("copies = np.broadcast_to(x, starts.shape)", {})
    background = wanted.case.network.background
    assert background is not None  # else unsupported
    drawn = draw(background, int(wanted.values["samples"]), int(wanted.values["seed"]))
    places = (drawn.baselines[:, None] == background[None]).all(axis=(2, 3)).argmax(axis=1)
    code = f"""
starts = background[drawn_pictures.astype(int)]
{make}
points = (1 - drawn_alphas[:, None, None]) * starts + drawn_alphas[:, None, None] * copies
found = ((copies - starts) * gradients(points)).mean(axis=0)
"""
    data |= {"background": packed(background), "drawn_pictures": packed(places.astype(np.float64)), "drawn_alphas": packed(drawn.alphas)}
    note = "Captum’s GradientShap would draw its own pictures, α and noise: here Captum gets the page’s points as a batch."
    return Recipe("Captum’s Saliency at points on random paths", code, helpers=("gradients",), data=data, note=note)


def blur_integrated_gradients(wanted: Wanted) -> Recipe:
    """The changes of the picture between the ends of the rule's cells, or a difference quotient as in PAIR."""
    largest, step = float(wanted.values["sigma_max"]), float(wanted.values["grad_step"])
    changes = "changes = np.diff(blurred(x, largest * (1 - ends)), axis=0)"
    if step > 0:
        changes = f"changes = largest * weights[:, None, None] * (pictures - blurred(x, largest * (1 - alphas) + {step!r})) / {step!r}"
    code = f"""
{quadrature_of(wanted)}
largest = {largest!r}
ends = np.concatenate([[0.0], np.cumsum(weights)])
ends[-1] = 1
pictures = blurred(x, largest * (1 - alphas))
{changes}
found = (changes * gradients(pictures)).sum(axis=0)
"""
    return Recipe("plain torch, as Captum does not have it", code, helpers=("gradients", "blurred"))


def guided_integrated_gradients(wanted: Wanted) -> Recipe:
    """Along the explorer's path: a rounding error can send it elsewhere."""
    code = """
before, after = progress[:-1], progress[1:]
found = (gradients((1 - before) * x0 + before * x) * (after - before) * (x - x0)).sum(axis=0)
"""
    path, _ = guided_path(wanted.case, wanted.values)
    note = "The path is the explorer’s: which pixels move next depends on which slopes are smallest, and a rounding error can turn that."
    data = {"progress": packed(path.reshape(-1, *SHAPE))}
    return Recipe("plain torch, as Captum does not have it", code, helpers=("gradients",), data=data, note=note)


def xrai(wanted: Wanted) -> Recipe:
    """The regions are the explorer's; their attributions and order are computed."""
    code = f"""
{quadrature_of(wanted)}
ends = np.stack([np.zeros((8, 8)), np.ones((8, 8))])
base = integrate(np.stack([x, x]), ends, alphas, weights).mean(axis=0)
found, left = np.zeros((8, 8)), np.ones((8, 8), bool)
while (new := segments & left).any():
    gains = [base[one].mean() if one.any() else -np.inf for one in new]
    best = int(np.argmax(gains))
    found[new[best]] = gains[best]
    left &= ~segments[best]
if left.any():
    found[left] = base[left].mean()
"""
    note = "The regions are Felzenszwalb’s segmentation at several scales, as the explorer found them."
    return Recipe("plain torch, as Captum does not have it", code, helpers=("integrate",), data={"segments": packed_bits(regions(wanted.case.input))}, note=note)


RECIPES = {
    "gradient": gradient,
    "gradient_times_input": gradient_times_input,
    "integrated_gradients": integrated_gradients,
    "smoothgrad": smoothgrad,
    "smoothgrad_squared": smoothgrad_squared,
    "vargrad": vargrad,
    "smooth_integrated_gradients": smooth_integrated_gradients,
    "averaged_baselines": averaged_baselines,
    "expected_gradients": expected_gradients,
    "gradient_shap": expected_gradients,
    "blur_integrated_gradients": blur_integrated_gradients,
    "guided_integrated_gradients": guided_integrated_gradients,
    "xrai": xrai,
}

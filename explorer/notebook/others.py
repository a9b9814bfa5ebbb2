"""Recipes of what needs more than the gradient: changed backward passes, activation maps, perturbation."""

from __future__ import annotations

from torch import nn

from explorer.attribution.coalitions import BLOCKS, game
from explorer.attribution.feature_maps import split_at_feature_maps
from explorer.attribution.layers import sequential_layers
from explorer.attribution.methods import lime, shapley
from explorer.attribution.network import Network
from explorer.notebook.fields import copies
from explorer.notebook.recipe import Recipe, Wanted
from explorer.notebook.source import packed, packed_bits

SHARING = (nn.Linear, nn.Conv2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)
CAPTUMS_LRP = (*SHARING, nn.ReLU, nn.Flatten, nn.Unflatten)
NO_CAPTUM = "plain torch, as Captum does not have it"
NOISE = "Captum would draw its own coalitions and keep F in single precision: here the page’s coalitions are fitted in double precision."


def deeplift(wanted: Wanted) -> Recipe:
    """The rescale rule; of a softmax the mean slopes between the two sets of logits."""
    slopes = "slope of the logit" if wanted.case.output == "logit" else "slopes of the probability"
    if wanted.method.name == "deeplift":
        return Recipe("Captum’s DeepLift", "found = deeplift(x0[None])[0]", helpers=("deeplift", slopes))
    background = wanted.case.network.background
    assert background is not None  # else unsupported
    return Recipe("Captum’s DeepLift, averaged over background pictures", "found = deeplift(background).mean(axis=0)", helpers=("deeplift", slopes), data={"background": packed(background)})


def deconvnet(wanted: Wanted) -> Recipe:
    """Captum's Deconvolution."""
    return Recipe("Captum’s Deconvolution", "found = Deconvolution(f).attribute(tensor(x).requires_grad_(), target=TARGET)", ("Deconvolution",))


def guided_backprop(wanted: Wanted) -> Recipe:
    """Captum's GuidedBackprop."""
    return Recipe("Captum’s GuidedBackprop", "found = GuidedBackprop(f).attribute(tensor(x).requires_grad_(), target=TARGET)", ("GuidedBackprop",))


LRP_CODE = """
from captum.attr._utils.lrp_rules import EpsilonRule

for layer in net:  # relevance starts at the target's logit, whatever output is chosen
    if isinstance(layer, (nn.Linear, nn.Conv2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)):
        layer.rule = EpsilonRule({epsilon!r})
    elif not isinstance(layer, nn.ReLU):
        layer.rule = EpsilonRule(1e-300)
found = LRP(net).attribute(tensor(x).requires_grad_(), target=TARGET)
"""


def lrp(wanted: Wanted) -> Recipe | str:
    """Captum's rules where they are the same; its γ-rule treats biases and negative outputs in another way."""
    unknown = [type(layer).__name__ for layer in sequential_layers(wanted.case.network) if type(layer) not in CAPTUMS_LRP]
    if unknown:
        return f"Captum’s LRP does not know the layer {unknown[0]}"
    if wanted.method.name == "lrp_gamma":
        shares = GAMMA_SHARES.format(gamma=float(wanted.values["gamma"]))
        return Recipe("plain torch, as Captum’s γ-rule leaves biases as they are", LAYER_BY_LAYER.format(shares=shares))
    if wanted.method.name == "lrp_zplus":
        return Recipe("plain torch, as Captum’s α1β0-rule takes no negative inputs of a layer", LAYER_BY_LAYER.format(shares="    shared = total = positive"))
    epsilon = max(float(wanted.values["epsilon"]), 1e-300)
    return Recipe("Captum’s LRP", LRP_CODE.format(epsilon=epsilon), ("LRP",))


GAMMA_SHARES = """\
    linear = without_bias(layer, a, lambda w: w)
    shared = z + {gamma!r} * torch.where(z > 0, positive, linear - positive)  # more of what has the output's sign
    total = shared + {gamma!r} * torch.where(z > 0, (z - linear).clamp(min=0), (z - linear).clamp(max=0))"""
LAYER_BY_LAYER = """
def without_bias(layer, a, keep):
    \"\"\"The layer's output for the part of its weights that `keep` keeps.\"\"\"
    if isinstance(layer, nn.Linear):
        return nn.functional.linear(a, keep(layer.weight))
    if isinstance(layer, nn.Conv2d):
        return layer._conv_forward(a, keep(layer.weight), None)
    return layer(a)  # pooling has no weights


steps, a = [], tensor(x)
for layer in net:
    if isinstance(layer, (nn.ReLU, nn.Flatten, nn.Unflatten)):
        a = layer(a)
        continue
    a = a.detach().requires_grad_()
    z = layer(a)
    positive = without_bias(layer, a.clamp(min=0), lambda w: w.clamp(min=0)) + without_bias(layer, a.clamp(max=0), lambda w: w.clamp(max=0))
{shares}
    steps.append((a, shared, total.detach()))
    a = z.detach()
relevance = torch.zeros_like(a)
relevance[0, TARGET] = a[0, TARGET]  # it starts at the target's logit, whatever output is chosen
for a, shared, total in reversed(steps):
    share = torch.where(total.abs() > 1e-200, relevance.reshape(total.shape) / torch.where(total.abs() > 1e-200, total, 1.0), 0.0)
    relevance = a.detach() * torch.autograd.grad(shared, a, share)[0]
found = relevance
"""


def body_of(network: Network) -> int:
    """The number of layers up to the last convolutional feature maps."""
    return len(split_at_feature_maps(network).body)


def cam(wanted: Wanted) -> Recipe:
    """The head's own weights."""
    code = f"""
A = net[:{body_of(wanted.case.network)}](tensor(x))[0]
weights = next(layer for layer in reversed(net) if isinstance(layer, nn.Linear)).weight[TARGET]
found = resampled((torch.tensordot(weights, A, dims=1) / A[0].numel()).numpy())
"""
    return Recipe(NO_CAPTUM, code, helpers=("resampled",))


GRAD_CAM = """
coarse = LayerGradCam(f, net[{layer}]).attribute(tensor(x).requires_grad_(), target=TARGET, relu_attributions=True)
found = resampled(coarse.detach().numpy()[0, 0])
"""


def grad_cam(wanted: Wanted) -> Recipe:
    """Captum's LayerGradCam."""
    code = GRAD_CAM.format(layer=body_of(wanted.case.network) - 1)
    return Recipe("Captum’s LayerGradCam", code, ("LayerGradCam",), ("resampled",))


def guided_grad_cam(wanted: Wanted) -> Recipe:
    """The product of two maps of Captum's."""
    code = GRAD_CAM.format(layer=body_of(wanted.case.network) - 1) + "guided = GuidedBackprop(f).attribute(tensor(x).requires_grad_(), target=TARGET)\nfound = found * guided.detach().numpy().reshape(8, 8)"
    return Recipe("Captum’s LayerGradCam times its GuidedBackprop", code, ("LayerGradCam", "GuidedBackprop"), ("resampled",))


def grad_cam_plus_plus(wanted: Wanted) -> Recipe:
    """At the picture, or averaged over noisy copies."""
    make, data = copies(wanted) if "samples" in wanted.values else ("copies = x[None]", {})
    code = f"""
BODY = {body_of(wanted.case.network)}
{make}
A = feature_maps(x[None])[0][0]
found = resampled(np.maximum(np.tensordot(plus_plus(feature_maps(copies)[1], A), A, axes=1), 0))
"""
    return Recipe(NO_CAPTUM, code, helpers=("feature_maps", "plus_plus", "resampled"), data=data)


def occlusion(wanted: Wanted) -> Recipe:
    """Captum's Occlusion, with every place of the window."""
    side = int(wanted.values["window"])
    code = f"""
occlusion = Occlusion(lambda pictures: f(pictures.reshape(-1, *SHAPE))[:, TARGET])
found = occlusion.attribute(torch.tensor(x)[None], sliding_window_shapes=({side}, {side}), strides=1, baselines=torch.tensor(x0)[None])
"""
    return Recipe("Captum’s Occlusion", code, ("Occlusion",))


def lime_(wanted: Wanted) -> Recipe:
    """The page's coalitions of all 16 blocks."""
    width = float(wanted.values["kernel_width"])
    code = f"""
players = np.add.outer(4 * (np.arange(8) // 2), np.arange(8) // 2)  # blocks of 2 × 2 pixels
worths = values(shown(coalitions, players))
distances = 1 - np.sqrt(coalitions.mean(axis=1))
rows = np.hstack([np.ones((len(coalitions), 1)), coalitions])
found = spread(fit(rows, worths - worths[0], np.exp(-((distances / {width!r}) ** 2) / 2))[1:], players)
"""
    drawn = lime.draw(int(BLOCKS.max()) + 1, int(wanted.values["lime_samples"]), int(wanted.values["seed"]))
    return Recipe("plain torch and numpy", code, helpers=("shown", "fit"), data={"coalitions": packed_bits(drawn)}, note=NOISE)


PLAYERS = """
blocks = np.add.outer(4 * (np.arange(8) // 2), np.arange(8) // 2)  # 2 × 2 pixels each; those that equal the baseline do not play
changed = np.unique(blocks[x != x0])
n = len(changed)
players = np.full(16, -1)
players[changed] = np.arange(n)
players = players[blocks]
"""
EVERYONE = """
everyone = (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(bool)
worths = values(shown(everyone, players))
"""


def kernel_shap(wanted: Wanted) -> Recipe:
    """The page's pairs of coalitions; or all coalitions, where they are few."""
    players, budget = game(wanted.case).count, int(wanted.values["coalitions"])
    if players == 0:
        return Recipe("nothing: the picture is the baseline", "found = np.zeros((8, 8))")
    data = {}
    if 2**players <= budget + 2:
        code = f"""{PLAYERS}{EVERYONE}
coalitions, worth, none, all_of_them = everyone[1:-1], worths[1:-1], worths[0], worths[-1]
sizes = coalitions.sum(axis=1)
weights = np.array([(n - 1) / (math.comb(n, s) * s * (n - s)) for s in sizes.tolist()])
"""
    else:
        drawn = shapley.draw(players, budget // 2, int(wanted.values["seed"]))
        data["coalitions"] = packed_bits(drawn)
        code = f"""{PLAYERS}
none, all_of_them, *worth = values(shown(np.vstack([np.zeros((1, n), bool), np.ones((1, n), bool), coalitions]), players))
worth, weights = np.array(worth), np.ones(len(coalitions))
"""
    code = f"""import math
{code}
shares = coalitions.mean(axis=1)
deviations = fit(coalitions - shares[:, None], worth - none - shares * (all_of_them - none), weights)
found = spread((all_of_them - none) / n + deviations, players)
"""
    return Recipe("plain torch and numpy", code, helpers=("shown", "fit"), data=data, note=NOISE if data else "")


def shapley_values(wanted: Wanted) -> Recipe:
    """All coalitions."""
    if game(wanted.case).count == 0:
        return Recipe("nothing: the picture is the baseline", "found = np.zeros((8, 8))")
    code = f"""import math
{PLAYERS}{EVERYONE}
by_size = np.array([1 / (n * math.comb(n - 1, s)) for s in range(n)])
worth = np.empty(n)
for player in range(n):
    without = np.flatnonzero(~everyone[:, player])
    worth[player] = by_size[everyone[without].sum(axis=1)] @ (worths[without | 1 << player] - worths[without])
found = spread(worth, players)
"""
    note = "Captum’s ShapleyValues goes through all orders of the players, which are too many here: this sums over all coalitions."
    return Recipe("plain torch and numpy", code, helpers=("shown",), note=note)


RECIPES = {
    "deeplift": deeplift,
    "deeplift_shap": deeplift,
    "deconvnet": deconvnet,
    "guided_backprop": guided_backprop,
    "lrp_epsilon": lrp,
    "lrp_gamma": lrp,
    "lrp_zplus": lrp,
    "cam": cam,
    "grad_cam": grad_cam,
    "guided_grad_cam": guided_grad_cam,
    "grad_cam_plus_plus": grad_cam_plus_plus,
    "smooth_grad_cam_plus_plus": grad_cam_plus_plus,
    "occlusion": occlusion,
    "lime": lime_,
    "kernel_shap": kernel_shap,
    "shapley_values": shapley_values,
}

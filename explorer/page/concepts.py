"""Key concepts, each behind its own fold: the formulas and where they come from."""

from __future__ import annotations

from dataclasses import dataclass

from dash import html


@dataclass(frozen=True, slots=True)
class Concept:
    """One fold: a title, a formula, a few sentences, and the paper."""

    title: str
    formula: str
    text: str
    paper: str
    address: str


CONCEPTS = (
    Concept(
        "Vanilla gradient (saliency map)",
        "S(x) = ∂F(x) / ∂x",
        "How much F changes when one pixel changes a little, here, at this picture. One backward pass. Where F has "
        "saturated (a probability near 1, a ReLU that is off) it is nearly zero even at pixels that F depends on.",
        "Simonyan, Vedaldi & Zisserman 2013, Deep Inside Convolutional Networks",
        "https://arxiv.org/abs/1312.6034",
    ),
    Concept(
        "Integrated Gradients",
        "IGᵢ(x) = (xᵢ − x′ᵢ) · ∫₀¹ ∂F(x′ + α (x − x′)) / ∂xᵢ dα  ≈  (xᵢ − x′ᵢ) · Σₖ wₖ ∂F(x′ + αₖ (x − x′)) / ∂xᵢ",
        "Walk straight from the baseline x′ to the picture x, collect the gradient on the way, and scale it by how far "
        "each pixel moved. What happened before saturation counts too. A pixel that equals the baseline gets 0.",
        "Sundararajan, Taly & Yan 2017, Axiomatic Attribution for Deep Networks",
        "https://arxiv.org/abs/1703.01365",
    ),
    Concept(
        "Completeness",
        "Σᵢ IGᵢ(x) = F(x) − F(x′) = ΔF",
        "Nothing is lost and nothing invented: the attributions share out the whole change of F. A sum with m steps only comes "
        "close; Σ − ΔF is its completeness delta. A small delta is necessary, not sufficient, as errors of single pixels can "
        "cancel, so the explorer also shows each pixel’s error against the exact integral.",
        "Sundararajan, Taly & Yan 2017, section 3",
        "https://arxiv.org/abs/1703.01365",
    ),
    Concept(
        "The exact rule",
        "x′ + α (x − x′) crosses finitely many linear pieces of a ReLU network",
        "Between the places where a unit switches on or off the logits are linear in α, so the integral can be taken piece by "
        "piece without error beyond rounding: of a logit in closed form, of a probability by a short quadrature. That is what the "
        "other rules are measured against. The ticks under the path chart are the switches.",
        "Sotoudeh & Thakur 2019, Computing Linear Restrictions of Neural Networks",
        "https://arxiv.org/abs/1908.06214",
    ),
    Concept(
        "SmoothGrad",
        "SG(x) = 1/n · Σⱼ ∂F(x + εⱼ) / ∂x,   εⱼ ~ N(0, σ²)",
        "The gradient averaged over noisy copies of the picture: what wobbles cancels, what persists stays. σ is the noise level "
        "times the range of a pixel, which is 1. With some 20 samples or more, the standard error of each pixel tells which of it is "
        "signal.",
        "Smilkov, Thorat, Kim, Viégas & Wattenberg 2017, SmoothGrad: removing noise by adding noise",
        "https://arxiv.org/abs/1706.03825",
    ),
    Concept(
        "Two signal-to-noise ratios",
        "SNR = max |a| / mean |a|        statistical SNR = median over pixels of |mean| / standard error",
        "The first is the peak-to-mean ratio of a map: 1 is flat, 64 a single pixel. It measures concentration, not truth. "
        "The second belongs to SmoothGrad and says how far its mean stands above its own sampling noise.",
        "The first is the original explorer’s; the second is the usual standard error of a mean",
        "https://en.wikipedia.org/wiki/Standard_error",
    ),
    Concept(
        "What about Grad-CAM?",
        "L = ReLU( Σₖ wₖ Aᵏ ),   wₖ = mean over positions of ∂F / ∂Aᵏ",
        "It weighs the feature maps of a convolutional layer instead of pixels: coarser, and steadier in space. It needs such a "
        "layer, so of the networks here only the convolutional one has it; there, with global average pooling and one linear "
        "layer, it is CAM without its negative part where F is the logit.",
        "Selvaraju et al. 2017, Grad-CAM",
        "https://arxiv.org/abs/1610.02391",
    ),
    Concept(
        "Implementation invariance",
        "F₁(x) = F₂(x) for all x   ⇒   the same map",
        "Two networks that compute the same function should get the same explanation. Whatever only asks for F and its gradient "
        "keeps this, but on a kink, where a gradient is a convention; methods that change the backward pass layer by layer (LRP, "
        "DeepLIFT, Guided Backprop) need not. Compare "
        "the networks Digits and Digits, rewritten.",
        "Sundararajan et al. 2017, Axiomatic Attribution for Deep Networks, section 2",
        "https://arxiv.org/abs/1703.01365",
    ),
    Concept(
        "Shapley values",
        "φᵢ = Σ over S without i of |S|! (n − |S| − 1)! / n! · (F(S ∪ i) − F(S))",
        "What a player adds, averaged over all orders in which the players could come. Here the players are the sixteen 2 × 2 blocks, "
        "so all 65,536 coalitions can be asked; blocks that are out have the baseline’s pixels. The values sum to ΔF exactly. "
        "KernelSHAP estimates them from some of the coalitions.",
        "Lundberg & Lee 2017, A Unified Approach to Interpreting Model Predictions",
        "https://arxiv.org/abs/1705.07874",
    ),
)


def concepts() -> html.Section:
    """All concepts, folded."""
    return html.Section(
        [html.H2("Key concepts"), *[_fold(concept) for concept in CONCEPTS]], id="concepts", className="concepts"
    )


def _fold(concept: Concept) -> html.Details:
    return html.Details(
        [
            html.Summary(concept.title),
            html.P(concept.formula, className="formula notranslate"),
            html.P(concept.text),
            html.P(
                html.A(concept.paper, href=concept.address, target="_blank", rel="noopener noreferrer"), className="quiet"
            ),
        ]
    )

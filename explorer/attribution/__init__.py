"""The attribution engine: torch and numpy in, arrays out. It imports nothing of the page and reads no file.

::

    import numpy as np, torch
    from explorer.attribution import Case, Network, explain, exact_integrated_gradients

    network = Network(torch.nn.Sequential(torch.nn.Linear(64, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3)))
    case = Case(network, np.random.default_rng(0).random((8, 8)), np.zeros((8, 8)), target=0)
    explanation = explain(case)
    explanation["integrated_gradients"].attribution   # (8, 8), signed
    exact_integrated_gradients(case).attribution      # the same without quadrature error

Reading order: ``network`` (``network_checks``: which networks are accepted), ``case`` (the inputs of every method),
``field`` (F and ∂F/∂x at many points), ``method`` (what a method is), ``methods`` (one module a method or close family),
``conventions`` (settings of other libraries), ``explain`` (several methods in one batch), ``measures``; ``perturbation``,
``faithfulness``, ``road`` (does a map foretell what the network does without some pixels?).
``conventions`` (settings of other libraries), ``explain`` (several methods in one batch), ``measures``. Tests of maps:
``similarity``, ``randomisation``, ``shift``, ``fragility``; each takes a network of your own.
"""

from explorer.attribution.case import Case, Settings
from explorer.attribution.conventions import CONVENTIONS, Convention
from explorer.attribution.exact import (
    ExactTrace,
    NotPiecewiseLinear,
    Switch,
    exact_integrated_gradients,
    has_exact_path,
    likely_pieces,
)
from explorer.attribution.explain import Explanation, Result, explain
from explorer.attribution.faithfulness import Subsets, changes_of, infidelity, sensitivity_n, subsets
from explorer.attribution.field import Field, gradient_field
from explorer.attribution.fragility import MapAttack, attack_map, attack_maps
from explorer.attribution.interactions import exact_interactions
from explorer.attribution.measures import (
    Completeness,
    Figures,
    completeness,
    figures,
    mean_magnitude,
    rank_correlations,
    snr,
    statistical_snr,
    top_pixels,
)
from explorer.attribution.method import FAMILIES, SHARED, Attribution, GradientMethod, Method, Passes, Setting, Value
from explorer.attribution.methods.integrated_gradients import trace
from explorer.attribution.methods.registry import CORE, METHODS
from explorer.attribution.methods.smoothgrad import standard_error
from explorer.attribution.network import Network, Output
from explorer.attribution.paths import Trace, values_on_path
from explorer.attribution.perturbation import (
    area,
    deletion_curves,
    greedy_order,
    insertion_curves,
    pixel_order,
    random_maps,
)
from explorer.attribution.randomisation import WeightedLayer, affine_layers, randomised
from explorer.attribution.road import imputed, road_curves, road_noise
from explorer.attribution.rules import FAULTY, RULES, rule
from explorer.attribution.shift import shifted, shifted_case
from explorer.attribution.similarity import Similarity, similarities, similarity, structural_similarity

__all__ = [
    "CONVENTIONS",
    "CORE",
    "FAMILIES",
    "FAULTY",
    "METHODS",
    "RULES",
    "SHARED",
    "Attribution",
    "Case",
    "Completeness",
    "Convention",
    "ExactTrace",
    "Explanation",
    "Field",
    "Figures",
    "GradientMethod",
    "MapAttack",
    "Method",
    "Network",
    "NotPiecewiseLinear",
    "Output",
    "Passes",
    "Result",
    "Setting",
    "Settings",
    "Similarity",
    "Subsets",
    "Switch",
    "Trace",
    "Value",
    "WeightedLayer",
    "affine_layers",
    "area",
    "attack_map",
    "attack_maps",
    "changes_of",
    "completeness",
    "deletion_curves",
    "exact_integrated_gradients",
    "exact_interactions",
    "explain",
    "figures",
    "gradient_field",
    "greedy_order",
    "has_exact_path",
    "imputed",
    "infidelity",
    "insertion_curves",
    "likely_pieces",
    "mean_magnitude",
    "pixel_order",
    "random_maps",
    "randomised",
    "rank_correlations",
    "road_curves",
    "road_noise",
    "rule",
    "sensitivity_n",
    "shifted",
    "shifted_case",
    "similarities",
    "similarity",
    "snr",
    "standard_error",
    "statistical_snr",
    "structural_similarity",
    "subsets",
    "top_pixels",
    "trace",
    "values_on_path",
]

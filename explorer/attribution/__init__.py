"""The attribution engine: torch and numpy in, arrays out.

It knows nothing of the web page and reads no file, so it works as well in a notebook::

    import numpy as np, torch
    from explorer.attribution import Case, Network, explain, exact_integrated_gradients

    network = Network(torch.nn.Sequential(torch.nn.Linear(64, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3)))
    case = Case(network, np.random.default_rng(0).random((8, 8)), np.zeros((8, 8)), target=0)
    explanation = explain(case)
    explanation["integrated_gradients"].attribution   # (8, 8), signed
    exact_integrated_gradients(case).attribution      # the same without quadrature error

The modules read in this order: ``network`` (what is explained; ``network_checks``: what can be), ``case`` (the question), ``field`` (the one
idea: look at F and its gradient at many points at once), one module a method, ``methods`` (the table of them),
``conventions`` (what libraries understand by the same names),
``explain`` (all methods from one batch), ``measures`` (the numbers beside the pictures).
"""

from explorer.attribution.case import Case, Settings
from explorer.attribution.conventions import CONVENTIONS, Convention
from explorer.attribution.exact import (
    ExactTrace,
    NotPiecewiseLinear,
    Switch,
    exact_integrated_gradients,
    likely_pieces,
)
from explorer.attribution.explain import Explanation, Result, explain
from explorer.attribution.field import Field, look
from explorer.attribution.integrated import Trace, trace, values_on_path
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
from explorer.attribution.method import FAMILIES, SHARED, Answer, FieldWork, Method, Passes, Setting, Value
from explorer.attribution.methods import CORE, METHODS
from explorer.attribution.network import Network, Output
from explorer.attribution.rules import FAULTY, RULES, rule
from explorer.attribution.smooth import standard_error

__all__ = [
    "CONVENTIONS",
    "CORE",
    "FAMILIES",
    "FAULTY",
    "METHODS",
    "RULES",
    "SHARED",
    "Answer",
    "Case",
    "Completeness",
    "Convention",
    "ExactTrace",
    "Explanation",
    "Field",
    "FieldWork",
    "Figures",
    "Method",
    "Network",
    "NotPiecewiseLinear",
    "Output",
    "Passes",
    "Result",
    "Setting",
    "Settings",
    "Switch",
    "Trace",
    "Value",
    "completeness",
    "exact_integrated_gradients",
    "explain",
    "figures",
    "likely_pieces",
    "look",
    "mean_magnitude",
    "rank_correlations",
    "rule",
    "snr",
    "standard_error",
    "statistical_snr",
    "top_pixels",
    "trace",
    "values_on_path",
]

"""Layer-by-layer methods against the libraries on the very networks that the page offers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from torch import nn

from explorer.attribution import METHODS, Case, Network
from explorer.models import FOLDER
from explorer.pictures import digit_samples

from .each import each
from .test_deeplift import captums as captums_deeplift
from .test_lrp_parity import captums as captums_lrp
from .test_lrp_parity import captums_zplus, zennits
from .toys import BLACK, ZOO, relative_error
from .zennits import load_zennit

networks = each("network", ZOO.values(), ids=ZOO)
relu_networks = each(
    "network", [n for n in ZOO.values() if any(isinstance(m, nn.ReLU) for m in n.module)], ids=[k for k in ZOO if k != "logistic"]
)


def cases(network: Network) -> list[Case]:
    """Real digits against black and against another digit, for the class that scores highest and one that does not."""
    samples = digit_samples(FOLDER)
    found = []
    for number in (0, 3, 8):
        picture, other = samples[number][0], samples[(number + 5) % 10][1]
        best = network.predict(picture)
        for target in (best, (best + 1) % len(network.classes)):
            found += [Case(network, picture, baseline, target, "logit") for baseline in (BLACK, other)]
    return found


@networks
@pytest.mark.filterwarnings("ignore::UserWarning:captum")
def test_captums_deeplift_and_deeplift_shap(network: Network) -> None:
    assert network.background is not None
    for case in cases(network):
        assert relative_error(METHODS["deeplift"](case).attribution, captums_deeplift(case, case.baseline[None])) < 1e-9
    found = METHODS["deeplift_shap"](case).attribution
    assert relative_error(found, captums_deeplift(case, np.array(network.background))) < 1e-9


@pytest.fixture(scope="module")
def zennit() -> Any:
    return load_zennit()


@relu_networks
def test_zennits_lrp_rules(network: Network, zennit: Any) -> None:
    for case in cases(network):
        epsilon = METHODS["lrp_epsilon"](case, epsilon=0.1).attribution
        assert relative_error(epsilon, zennits(zennit, case, zennit.rules.Epsilon(0.1))) < 1e-9
        gamma = METHODS["lrp_gamma"](case, gamma=0.25).attribution
        assert relative_error(gamma, zennits(zennit, case, zennit.rules.Gamma(0.25))) < 1e-5  # it adds a stabiliser of 1e-6
        zplus_rule = zennit.rules.ZPlus(stabilizer=1e-30, zero_params=["bias"])
        assert relative_error(METHODS["lrp_zplus"](case).attribution, zennits(zennit, case, zplus_rule)) < 1e-9


@relu_networks
def test_captums_lrp_rules(network: Network) -> None:
    for case in cases(network):
        epsilon = METHODS["lrp_epsilon"](case, epsilon=0.1).attribution
        assert relative_error(epsilon, captums_lrp(case, lambda rules: rules.EpsilonRule(0.1))) < 1e-9
        zplus = METHODS["lrp_zplus"](case).attribution
        # Captum takes no notice of the sign of what goes in, and between two linear layers of this network it is mixed
        if network is not ZOO["digits-rewritten"]:
            assert relative_error(zplus, captums_lrp(case, captums_zplus)) < 1e-9

"""Small modules with random weights: as many as it takes to have every layer that a network file may have."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class Chain(nn.Module):
    """As a first course writes a network."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.drop, self.out = nn.Conv2d(1, 4, 3), nn.Dropout(0.5), nn.Linear(36, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.max_pool2d(functional.relu(self.conv(x)), 2)
        return self.out(self.drop(x.view(-1, 36)))  # type: ignore[no-any-return]


class Rows(nn.Module):
    """Flattened in two other common ways."""

    def __init__(self, shape: bool) -> None:
        super().__init__()
        self.conv, self.out, self.shape = nn.Conv2d(1, 2, 5), nn.Linear(32, 3), shape

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.tanh(self.conv(x))
        return self.out(x.reshape(x.shape[0], -1) if self.shape else x.view(x.size(0), -1))  # type: ignore[no-any-return]


class Residual(nn.Module):
    """No chain: one layer's output goes to two."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(64, 8), nn.Linear(8, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.first(x))
        return x + self.second(x)  # type: ignore[no-any-return]


def modules() -> dict[str, nn.Module]:
    """Networks of all allowed layers, with random weights."""
    torch.manual_seed(3)
    found: dict[str, nn.Module] = {
        "mlp": nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Dropout(0.5), nn.Sequential(nn.Linear(16, 8), nn.ReLU()), nn.Linear(8, 4)),
        "tanh": nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 4)),
        "sigmoid": nn.Sequential(nn.Linear(64, 16, bias=False), nn.Sigmoid(), nn.Linear(16, 4)),
        "smooth": nn.Sequential(nn.Linear(64, 8), nn.ELU(0.5), nn.Linear(8, 8), nn.GELU(), nn.SiLU(), nn.Softplus(2), nn.Linear(8, 3)),
        "leaky": nn.Sequential(nn.Linear(64, 16), nn.BatchNorm1d(16), nn.LeakyReLU(0.2), nn.Linear(16, 4)),
        "cnn": nn.Sequential(
            nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(6, 8, (3, 1), groups=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)
        ),
        "maximum": nn.Sequential(nn.Conv2d(1, 4, 3, stride=1), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(36, 3)),
        "linear": nn.Sequential(nn.Linear(64, 3)),
        "chain": Chain(),
        "rows": Rows(shape=True),
        "size": Rows(shape=False),
    }
    for module in found.values():
        for part in module.modules():
            if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
                part.running_mean = torch.randn(part.num_features)
                part.running_var = torch.rand(part.num_features) + 0.5
    return {name: module.eval() for name, module in found.items()}

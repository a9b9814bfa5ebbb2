"""Write docs/networks.md and its picture: every pattern's maps by both networks of the shapes, and what was measured of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from explorer.attribution import Case, Settings, exact_integrated_gradients, explain
from explorer.attribution.network import Floats
from explorer.models import Model, load_zoo
from explorer.pictures import PATTERN_TITLES, PATTERNS

DOCS = Path(__file__).resolve().parent.parent / "docs"
NETWORKS = ("shapes", "shapes-ordinary")
METHODS = ("gradient", "integrated_gradients", "smoothgrad")
CELL, GAP, LEFT, TOP = 9, 14, 92, 54  # px
STOPS = {-1: ["#f7f7f5", "#a9cfe6", "#2f7fbf", "#0b3d78"], 1: ["#f7f7f5", "#f6c3a4", "#d6603f", "#8e1023"]}  # as on the page
BLACK = np.zeros((8, 8))


def explained(model: Model, picture: Floats) -> tuple[float, dict[str, Floats]]:
    """P of the predicted class, and the maps of it."""
    case = Case(model.network, picture, BLACK, model.network.predict(picture))
    found = explain(case, Settings())
    return found.f_input, {name: found[name].attribution for name in METHODS}


def smoothness(values: Floats) -> float:
    """The total variation of a map, as a share of that of the same values in random order."""

    def variation(values: Floats) -> float:
        return float(np.abs(np.diff(values, axis=0)).sum() + np.abs(np.diff(values, axis=1)).sum())

    rng = np.random.default_rng(0)
    return variation(values) / float(np.mean([variation(rng.permutation(values.ravel()).reshape(8, 8)) for _ in range(50)]))


def page(zoo: Mapping[str, Model]) -> str:
    """The page as Markdown."""
    rows = []
    for name in ("edge", "ring", "circle", "diagonal", "cross"):
        picture, cells = PATTERNS[name], []
        for network in NETWORKS:
            model = zoo[network].network
            exact = exact_integrated_gradients(Case(model, picture, BLACK, model.predict(picture)))
            sizes, p = np.abs(exact.attribution), model.scores(picture[None])[0].max()
            cells.append(f"{p:.3f} | {len(exact.alphas)} | {sizes[picture > 0.5].sum() / sizes.sum():.2f} | {smoothness(exact.attribution):.2f}")
        rows.append(f"| {PATTERN_TITLES[name]} | {' | '.join(cells)} |")
    facts = " and ".join(f"{100 * float(zoo[name].accuracy or 0):.1f} % ({zoo[name].title})" for name in NETWORKS)
    return f"""# Two networks for one task

Written by `make docs`. *Shapes* (64-64-48-8) was trained on pictures that an adversary changes by up to 0.3 (L2) to be classified worse.
*Shapes, ordinary training* (64-48-32-8) saw the same pictures unchanged. They classify {facts} of {zoo["shapes"].held_out} held-out shapes right.
Maps of networks that were trained against an adversary are easier to read (Tsipras et al. 2019, arXiv:1805.12152; Etmann et al. 2019,
arXiv:1905.04172). `models/shapes-checkpoints.npz` holds 20 stages of the first network's training, with and without an adversary.

For each network: P of the predicted class, linear pieces of the path from black, the share of |Integrated Gradients| on bright pixels
(above 0.5), and the map's total variation as a share of that of the same values in random order (less is smoother).

| | Shapes: P | pieces | on bright | variation | Ordinary: P | pieces | on bright | variation |
|---|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}

Each map below has its own scale, whose limit stands under it.

![Every pattern: gradient, Integrated Gradients and SmoothGrad of both networks](networks.svg)
"""


def picture(zoo: Mapping[str, Model]) -> str:
    """The picture as SVG: a row for each pattern, three maps of each network."""
    side, step = 8 * CELL, 8 * CELL + GAP + 12
    width, height = LEFT + 7 * (side + GAP) + 20, TOP + len(PATTERNS) * step
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" font-size="9">']
    parts.append(f'<rect width="{width}" height="{height}" fill="#fff"/>')
    for k, network in enumerate(NETWORKS):
        left = LEFT + (1 + 3 * k) * (side + GAP) + 20 * k
        parts.append(f'<text x="{left}" y="20" font-size="12" font-weight="600">{zoo[network].title}</text>')
        parts += [f'<text x="{left + j * (side + GAP)}" y="44">{title}</text>' for j, title in enumerate(("gradient", "Integrated Gradients", "SmoothGrad"))]
    for i, (name, values) in enumerate(PATTERNS.items()):
        y = TOP + i * step
        parts.append(f'<text x="4" y="{y + 14}">{PATTERN_TITLES[name]}</text>')
        parts.append(_map(values, LEFT, y, grey=True))
        for k, network in enumerate(NETWORKS):
            p, maps = explained(zoo[network], values)
            parts.append(f'<text x="4" y="{y + 30 + 14 * k}" fill="#525d6b">{"P" if k == 0 else "ordinary"} {p:.3f}</text>')
            for j, method in enumerate(METHODS):
                x = LEFT + (1 + 3 * k + j) * (side + GAP) + 20 * k
                parts.append(_map(maps[method], x, y))
                parts.append(f'<text x="{x}" y="{y + side + 10}" fill="#525d6b">±{np.abs(maps[method]).max():.2g}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _map(values: Floats, x: int, y: int, *, grey: bool = False) -> str:
    limit = float(np.abs(values).max()) or 1.0
    fills = [f"#{round(255 * v):02x}" + f"{round(255 * v):02x}" * 2 if grey else _colour(v / limit) for v in values.ravel().tolist()]
    cells = "".join(f'<path fill="{fill}" d="M{x + CELL * (i % 8)} {y + CELL * (i // 8)}h{CELL}v{CELL}h-{CELL}z"/>' for i, fill in enumerate(fills))
    return f'<g>{cells}<rect x="{x}" y="{y}" width="{8 * CELL}" height="{8 * CELL}" fill="none" stroke="#7b8594"/></g>'


def _colour(share: float) -> str:
    stops = [[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in STOPS[1 if share > 0 else -1]]
    at = min(abs(share), 1) * 3
    i = min(2, int(at))
    return "#" + "".join(f"{round(a + (b - a) * (at - i)):02x}" for a, b in zip(stops[i], stops[i + 1], strict=True))


def main() -> None:
    """Write both files."""
    zoo = load_zoo()
    (DOCS / "networks.md").write_text(page(zoo), encoding="utf-8")
    (DOCS / "networks.svg").write_text(picture(zoo), encoding="utf-8")


if __name__ == "__main__":
    main()

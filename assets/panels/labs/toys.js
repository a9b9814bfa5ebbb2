// The toy functions of the lab saturation, F(x) = offset + scale · ReLU(bias + Σ weights · x): the same formulas as in saturation.py.

/** @typedef {{ weights: number[], bias: number, scale: number, offset: number, high: number }} Toy */

/**
 * What its ReLU is given.
 * @param {Toy} toy
 * @param {number[]} x
 */
export const inside = (toy, x) => toy.bias + x.reduce((sum, pixel, i) => sum + toy.weights[i] * pixel, 0);

/**
 * @param {Toy} toy
 * @param {number[]} x
 */
export const outputOf = (toy, x) => toy.offset + toy.scale * Math.max(0, inside(toy, x));

/**
 * With ReLU′(0) = 0.
 * @param {Toy} toy
 * @param {number[]} x
 */
export const gradientOf = (toy, x) => toy.weights.map((weight) => (inside(toy, x) > 0 ? toy.scale * weight : 0));

/**
 * Where on the straight path the ReLU switches, as a share of it; null if it does not.
 * @param {Toy} toy
 * @param {number[]} x
 * @param {number[]} start
 */
export function turnOf(toy, x, start) {
  const [before, after] = [inside(toy, start), inside(toy, x)];
  return before > 0 === after > 0 ? null : before / (before - after);
}

/**
 * Where the left or right rule with m steps asks, as shares of the path.
 * @param {number} steps
 * @param {"left" | "right"} rule
 */
export const nodes = (steps, rule) => Array.from({ length: steps }, (_, k) => (k + Number(rule === "right")) / steps);

/**
 * A point of the straight path.
 * @param {number[]} x
 * @param {number[]} start
 * @param {number} alpha
 */
export const onPath = (x, start, alpha) => start.map((from, i) => from + alpha * (x[i] - from));

/**
 * The mean gradient of the straight path, exact or by a rule with m steps; times x − x′ it is Integrated Gradients.
 * @param {Toy} toy
 * @param {number[]} x
 * @param {number[]} start
 * @param {"exact" | "left" | "right"} by
 * @param {number} steps
 */
export function meanGradient(toy, x, start, by, steps) {
  if (by !== "exact") {
    const gradients = nodes(steps, by).map((alpha) => gradientOf(toy, onPath(x, start, alpha)));
    return x.map((_, i) => gradients.reduce((sum, gradient) => sum + gradient[i] / steps, 0));
  }
  const turn = turnOf(toy, x, start);
  const on = inside(toy, start) > 0;
  const share = turn === null ? Number(on) : on ? turn : 1 - turn;
  return toy.weights.map((weight) => toy.scale * share * weight);
}

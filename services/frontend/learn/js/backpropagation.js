// Backpropagation through a tiny network, node by node, as in digitnet's layers.
// Two units compute z = w x + b and h = max(0, z). The output is y = v1 h1 + v2 h2 + c. The loss is L = (y - t)^2 / 2.

import { inWords } from "./elements.js";

/** @import { Given, Input, Made, Step } from "./networks.js" */

/** @type {Readonly<Given>} */
export const GIVEN = { x: 2, w1: 0.5, b1: 0.5, w2: -0.5, b2: 1.5, v1: 1, v2: -2, c: 0.5, t: 2 };

/** @param {Given} given @returns {Record<Made, number>} */
export function forward({ x, w1, b1, w2, b2, v1, v2, c, t }) {
  const [z1, z2] = [w1 * x + b1, w2 * x + b2];
  const [h1, h2] = [Math.max(0, z1), Math.max(0, z2)];
  const y = v1 * h1 + v2 * h2 + c;
  return { z1, h1, z2, h2, y, L: (y - t) ** 2 / 2 };
}

/** @param {Given} given @returns {Record<Input | Made, number>} the gradient of L for each number */
export function backward(given) {
  const { x, w1, w2, v1, v2, t } = given;
  const made = forward(given);
  const y = made.y - t;
  const [h1, h2] = [v1 * y, v2 * y];
  const [z1, z2] = [made.z1 > 0 ? h1 : 0, made.z2 > 0 ? h2 : 0];
  const layer1 = { z1, z2, w1: z1 * x, w2: z2 * x, b1: z1, b2: z2, x: w1 * z1 + w2 * z2 };
  return { L: 1, y, t: -y, c: y, v1: y * made.h1, v2: y * made.h2, h1, h2, ...layer1 };
}

/** @param {Given} given @returns {Step[]} forward node by node, then back node by node */
export function steps(given) {
  const made = forward(given);
  const grad = backward(given);
  const said = (/** @type {Input | Made} */ name) => inWords({ ...given, ...made }[name]);
  const d = (/** @type {Input | Made} */ name) => inWords(grad[name]);

  const sum = (/** @type {1 | 2} */ i) => ({
    node: /** @type {Made} */ (`z${i}`),
    isBack: false,
    shows: [/** @type {Made} */ (`z${i}`)],
    rule: `z${low(i)} = w${low(i)} · x + b${low(i)} = ${said(`w${i}`)} · ${said("x")} + ${said(`b${i}`)} = ${said(`z${i}`)}.`,
  });
  const bend = (/** @type {1 | 2} */ i) => ({
    node: /** @type {Made} */ (`h${i}`),
    isBack: false,
    shows: [/** @type {Made} */ (`h${i}`)],
    rule:
      `h${low(i)} = max(0, z${low(i)}) = max(0, ${said(`z${i}`)}) = ${said(`h${i}`)}` +
      (made[`z${i}`] > 0 ? "." : ": this unit is off."),
  });
  const backFromY = (/** @type {1 | 2} */ i) => ({
    node: /** @type {Made} */ (`h${i}`),
    isBack: true,
    shows: /** @type {(Input | Made)[]} */ ([`h${i}`, `v${i}`]),
    rule:
      `dL/dh${low(i)} = v${low(i)} · dL/dy = ${said(`v${i}`)} · ${d("y")} = ${d(`h${i}`)}, ` +
      `and dL/dv${low(i)} = h${low(i)} · dL/dy = ${said(`h${i}`)} · ${d("y")} = ${d(`v${i}`)}.`,
  });
  const backThroughBend = (/** @type {1 | 2} */ i) => ({
    node: /** @type {Made} */ (`z${i}`),
    isBack: true,
    shows: /** @type {(Input | Made)[]} */ ([`z${i}`, `b${i}`]),
    rule:
      made[`z${i}`] > 0
        ? `z${low(i)} is above zero, so the gradient passes: dL/dz${low(i)} = dL/dh${low(i)} = ${d(`z${i}`)}. ` +
          `dL/db${low(i)} is the same.`
        : `z${low(i)} is not above zero, so no gradient passes: dL/dz${low(i)} = 0. Neither w${low(i)} nor b${low(i)} gets one.`,
  });

  return [
    { node: "x", isBack: false, shows: ["x"], rule: `x = ${said("x")} is the network's input.` },
    sum(1),
    bend(1),
    sum(2),
    bend(2),
    {
      node: "y",
      isBack: false,
      shows: ["y"],
      rule:
        `y = v₁ · h₁ + v₂ · h₂ + c = ${said("v1")} · ${said("h1")} + ${said("v2")} · ${said("h2")} + ${said("c")} ` +
        `= ${said("y")}.`,
    },
    {
      node: "L",
      isBack: false,
      shows: ["L"],
      rule: `L = ½ (y − t)² = ½ · (${said("y")} − ${said("t")})² = ${said("L")}. This is the loss. Now go back.`,
    },
    {
      node: "y",
      isBack: true,
      shows: ["y", "c", "t", "L"],
      rule: `dL/dy = y − t = ${said("y")} − ${said("t")} = ${d("y")}. dL/dc is the same.`,
    },
    backFromY(1),
    backThroughBend(1),
    backFromY(2),
    backThroughBend(2),
    {
      node: "w1",
      isBack: true,
      shows: ["w1", "w2"],
      rule:
        `dL/dw₁ = x · dL/dz₁ = ${said("x")} · ${d("z1")} = ${d("w1")}, ` +
        `and dL/dw₂ = x · dL/dz₂ = ${said("x")} · ${d("z2")} = ${d("w2")}.`,
    },
    {
      node: "x",
      isBack: true,
      shows: ["x"],
      rule:
        `x has two effects, so their gradients add up: dL/dx = w₁ · dL/dz₁ + w₂ · dL/dz₂ ` +
        `= ${said("w1")} · ${d("z1")} + ${said("w2")} · ${d("z2")} = ${d("x")}.`,
    },
  ];
}

/** Write "w1" as "w₁". @param {string} name */
export function written(name) {
  return name.replace(/[12]/, (digit) => low(Number(digit)));
}

/** @param {number} i */
function low(i) {
  return i === 1 ? "₁" : "₂";
}

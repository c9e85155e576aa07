// Numbers of chapter 9: the best path through the candidates of a line, as digitnet.images.segment.best_path finds it.

/** @import { BestPath, Candidate, Costs, Line, Step } from "./lattice.js" */

/** @typedef {{left: number, right: number}} Extent */

/** @type {Costs} */
export const COSTS = { gap: 4, cut: 1 };
export const UNREADABLE = -4;
const OVERLAP_COST = 6;
const NARROWEST = 0.1;

/** @param {Line} line @param {Costs} costs @returns {BestPath} */
export function bestPath({ pieces, candidates }, costs) {
  const extents = pieces.map(({ box: [left, , width] }) => ({ left, right: left + width }));
  const height = Math.max(...pieces.map(({ box: [, , width, tall] }) => Math.max(tall, width / 4)), 1e-6);
  const around = candidates.map(({ start, end }) => union(extents.slice(start, end)));
  /** @type {Step[]} */
  const steps = candidates.map(() => ({ score: 0, gap: 0, cut: 0, overlap: 0, before: -1, total: -Infinity }));
  // All candidates that end where another one starts come before it.
  const order = candidates.map((_, index) => index).sort((a, b) => candidates[a].start - candidates[b].start || a - b);
  for (const index of order) {
    const { start, end, score } = candidates[index];
    const step = steps[index];
    step.score = Math.max(score, UNREADABLE);
    step.gap = (costs.gap * widestGap(extents.slice(start, end))) / height;
    if (start === 0) {
      step.total = step.score - step.gap;
      continue;
    }
    if (pieces[start].is_cut) step.cut = costs.cut;
    candidates.forEach((candidate, other) => {
      if (candidate.end !== start) return;
      const overlap = OVERLAP_COST * overlapOf(around[other], around[index], height);
      const total = steps[other].total - overlap - step.cut + step.score - step.gap;
      if (total > step.total) Object.assign(step, { total, overlap, before: other });
    });
  }
  const last = order.filter((index) => candidates[index].end === pieces.length);
  const path = [last.reduce((best, index) => (steps[index].total > steps[best].total ? index : best))];
  while (steps[path[0]].before >= 0) path.unshift(steps[path[0]].before);
  return { path, steps };
}

/** Return the digits of a path; "?" is unreadable. @param {Candidate[]} candidates @param {number[]} path */
export function textOf(candidates, path) {
  return path.map((index) => (candidates[index].score > UNREADABLE ? candidates[index].digit : "?")).join("");
}

/** @param {Extent[]} extents @returns {Extent} */
function union(extents) {
  return { left: Math.min(...extents.map(({ left }) => left)), right: Math.max(...extents.map(({ right }) => right)) };
}

/** Return the width of the widest gap between pieces. @param {Extent[]} extents */
function widestGap(extents) {
  const [first, ...rest] = extents.toSorted((a, b) => a.left - b.left);
  let [widest, reached] = [0, first.right];
  for (const { left, right } of rest) {
    widest = Math.max(widest, left - reached);
    reached = Math.max(reached, right);
  }
  return widest;
}

/** Return the share of the narrower of two candidates that is above or below the other. @param {Extent} one @param {Extent} other @param {number} height */
function overlapOf(one, other, height) {
  const shared = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const narrower = Math.min(one.right - one.left, other.right - other.left);
  return Math.max(shared, 0) / Math.max(narrower, NARROWEST * height);
}

// The stack of the learning path's last chapter, as rules: what nginx.conf, the model store and the trainer's test do, slowed
// down. Four drawings take a second here. Nothing is changed in place: each function gives the stack as it is afterwards.

/** How many replicas nginx asks for one answer at most: proxy_next_upstream_tries. */
export const MAX_ATTEMPTS = 3;
/** Each replica looks into the model store once a second, and nginx uses an address for as long. */
export const TICKS_PER_SECOND = 4;
/** Of MNIST's test. */
export const DIGITS = 10_000;
/** What a candidate must not be worse by, and how sure the test must be of that: `test` in params.yaml. */
export const MARGIN = 0.005;
export const SIGNIFICANCE = 0.01;

/**
 * @typedef {{isUp: boolean, downTicks: number, live: string, candidate: string | null}} Replica
 *   downTicks: since it was killed
 * @typedef {{live: string, candidate: string | null, history: string[], misreads: Record<string, number>}} Store
 *   misreads: of each version, how many of MNIST's test digits
 * @typedef {{sent: number, answered: number, retried: number, failed: number}} Counts
 *   retried: answered, but not by the first that was asked
 * @typedef {{replicas: Replica[], store: Store, tick: number, counts: Counts}} Stack
 * @typedef {{digits: number, onlyCandidate: number, onlyLive: number}} Comparison
 *   onlyCandidate: how many it reads right, and live does not
 */

/** @param {number} size how many replicas @param {number} misreads of the model that is live @returns {Stack} */
export function newStack(size, misreads) {
  const live = versionOf(misreads);
  const store = { live, candidate: null, history: [], misreads: { [live]: misreads } };
  const empty = { replicas: [], store, tick: 0, counts: { sent: 0, answered: 0, retried: 0, failed: 0 } };
  return scaled(empty, size);
}

/**
 * The same network has the same name: a hash of what it is (FNV-1a here, SHA-256 there).
 * @param {number} misreads stands for it
 */
export function versionOf(misreads) {
  let hash = 0x811c9dc5;
  for (const character of `a network that misreads ${misreads}`) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, "0").slice(-4);
}

/** @param {Stack} stack @param {number} size @returns {Stack} */
export function scaled(stack, size) {
  const added = Array.from({ length: Math.max(0, size - stack.replicas.length) }, () => fresh(stack.store));
  return { ...stack, replicas: [...stack.replicas.slice(0, size), ...added] };
}

/** @param {Stack} stack @param {number} which @returns {Stack} */
export function killed(stack, which) {
  return withReplica(stack, which, { ...stack.replicas[which], isUp: false, downTicks: 0 });
}

/** It loads what the store names before it takes a question. @param {Stack} stack @param {number} which @returns {Stack} */
export function started(stack, which) {
  return withReplica(stack, which, fresh(stack.store));
}

/** Whether nginx would ask it: its address is still believed. @param {Replica} replica */
export function isListed({ isUp, downTicks }) {
  return isUp || downTicks < TICKS_PER_SECOND;
}

/**
 * One drawing, which takes one tick. nginx begins with any of the addresses (here in turn) and goes on to the next where one
 * refuses the connection.
 * @param {Stack} before
 * @returns {{stack: Stack, asked: number[], version: string | null, loaded: number | null}} which replicas were asked (the last
 *   of them answered with the version, unless that is null); which one has taken up another model in that tick
 */
export function sent(before) {
  const listed = before.replicas.flatMap((replica, i) => (isListed(replica) ? [i] : []));
  const { sent: turn } = before.counts;
  const order = listed.map((_, i) => listed[(turn + i) % listed.length]).slice(0, MAX_ATTEMPTS);
  const found = order.findIndex((i) => before.replicas[i].isUp);
  const asked = found < 0 ? order : order.slice(0, found + 1);
  const counts = {
    sent: turn + 1,
    answered: before.counts.answered + (found >= 0 ? 1 : 0),
    retried: before.counts.retried + (found > 0 ? 1 : 0),
    failed: before.counts.failed + (found < 0 ? 1 : 0),
  };
  const version = found < 0 ? null : before.replicas[order[found]].live;
  return { ...afterTick({ ...before, counts }), asked, version };
}

/**
 * A new network comes to the store, which validates its own copy of it first. No replica answers with a candidate unless it is
 * asked for that.
 * @param {Stack} stack @param {number} misreads @param {boolean} isWhole
 * @returns {Stack} as it was, where the network is damaged
 */
export function published(stack, misreads, isWhole) {
  if (!isWhole) return stack;
  const version = versionOf(misreads);
  const { store } = stack;
  return { ...stack, store: { ...store, candidate: version, misreads: { ...store.misreads, [version]: misreads } } };
}

/**
 * The candidate, once each replica has it, reads the test digits beside what is live. Then it is live, or it is gone.
 * @param {Stack} stack with a candidate
 * @returns {{stack: Stack, comparison: Comparison, passes: boolean}}
 */
export function tested(stack) {
  let later = stack;
  for (let i = 0; i < TICKS_PER_SECOND; i += 1) later = afterTick(later).stack;
  const { store } = later;
  const candidate = /** @type {string} */ (store.candidate);
  const comparison = compared(store.misreads[candidate], store.misreads[store.live]);
  const passes = isGoodEnough(comparison);
  // Names that are moved, not files: what was live stays where it is, and the history remembers it.
  const history = candidate === store.live ? store.history : [...store.history, store.live];
  const promoted = { ...store, live: candidate, candidate: null, history };
  return { stack: { ...later, store: passes ? promoted : { ...store, candidate: null } }, comparison, passes };
}

/** What was live before is live again; where nothing was, nothing changes. @param {Stack} stack @returns {Stack} */
export function rolledBack(stack) {
  const { store } = stack;
  const place = store.history.findLastIndex((version) => version !== store.live);
  if (place < 0) return stack;
  return { ...stack, store: { ...store, live: store.history[place], history: store.history.slice(0, place) } };
}

/**
 * How two networks may fare on the same digits. Hard digits are hard for both: half of what the better one misreads, both do.
 * @param {number} candidate how many it misreads @param {number} live @returns {Comparison}
 */
export function compared(candidate, live) {
  const both = Math.floor(Math.min(candidate, live) / 2);
  return { digits: DIGITS, onlyCandidate: live - both, onlyLive: candidate - both };
}

/** By how much the candidate is worse, as a share of the digits. @param {Comparison} comparison */
export function deficit({ digits, onlyCandidate, onlyLive }) {
  return (onlyLive - onlyCandidate) / digits;
}

/** McNemar's exact test, two-sided, as in trainer/evaluation/mcnemar.py. @param {Comparison} comparison */
export function pEqual({ onlyCandidate, onlyLive }) {
  const tosses = onlyCandidate + onlyLive;
  let [tail, term] = [0, 2 ** -tosses];
  for (let heads = 0; heads <= Math.min(onlyCandidate, onlyLive); heads += 1) {
    tail += term;
    term *= (tosses - heads) / (heads + 1);
  }
  return Math.min(1, 2 * tail);
}

/**
 * How likely so large a deficit is for a candidate that is worse by the margin and no more, as in trainer/evaluation/mcnemar.py.
 * @param {Comparison} comparison @param {number} margin
 */
export function pWithin(comparison, margin) {
  const { digits, onlyCandidate, onlyLive } = comparison;
  const apart = Math.max((onlyCandidate + onlyLive) / digits, margin);
  const variance = (apart - margin ** 2) / digits;
  if (variance <= 0) return 1;
  return 0.5 * erfc((deficit(comparison) - margin) / Math.sqrt(2 * variance));
}

/** Not worse by more than the margin and by more than chance. @param {Comparison} comparison */
export function isGoodEnough(comparison) {
  return !(deficit(comparison) > MARGIN && pWithin(comparison, MARGIN) < SIGNIFICANCE);
}

/** The share of the time in which one of them is up, if they fail independently. @param {number} each @param {number} replicas */
export function availability(each, replicas) {
  return 1 - (1 - each) ** replicas;
}

/**
 * What is live in the stack that this page comes from; null where none answers.
 * @param {typeof globalThis.fetch} fetch
 * @returns {Promise<{version: string, accuracy: number} | null>}
 */
export async function liveModel(fetch) {
  try {
    const answer = await fetch("../api/model");
    const { version, test } = await answer.json();
    const isKnown = answer.ok && typeof version === "string" && typeof test?.accuracy === "number";
    return isKnown ? { version, accuracy: test.accuracy } : null;
  } catch {
    return null;
  }
}

/** @param {Store} store @returns {Replica} */
function fresh({ live, candidate }) {
  return { isUp: true, downTicks: 0, live, candidate };
}

/** @param {Stack} stack @param {number} which @param {Replica} replica @returns {Stack} */
function withReplica(stack, which, replica) {
  return { ...stack, replicas: stack.replicas.map((each, i) => (i === which ? replica : each)) };
}

/** Each replica has its own tick, in which it looks into the store. @param {Stack} stack */
function afterTick(stack) {
  const tick = stack.tick + 1;
  const looks = tick % TICKS_PER_SECOND;
  const { live, candidate } = stack.store;
  const before = stack.replicas[looks];
  const isNews = before?.isUp && (before.live !== live || before.candidate !== candidate);
  const replicas = stack.replicas.map((replica, i) => {
    if (!replica.isUp) return { ...replica, downTicks: replica.downTicks + 1 };
    return i === looks ? { ...replica, live, candidate } : replica;
  });
  return { stack: { ...stack, tick, replicas }, loaded: isNews ? looks : null };
}

/** Abramowitz and Stegun, 7.1.26, by Horner's scheme: off by 1.5e-7 at most. @param {number} x */
function erfc(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const coefficients = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  const above = coefficients.reduce((sum, coefficient) => (sum + coefficient) * t, 0) * Math.exp(-x * x);
  return x < 0 ? 2 - above : above;
}

// The rules of chapter 8's stack, from nginx.conf, the model store and the trainer's test, in slow motion: four drawings take a
// second. Functions change nothing in place; each returns the new stack.

/** @import { Comparison, Replica, Sent, Stack, Store } from "./stack.js" */

/** How many replicas nginx tries at most for one request: proxy_next_upstream_tries. */
export const MAX_ATTEMPTS = 3;
/** Each replica polls the model store once a second, and nginx keeps an address as long. */
export const TICKS_PER_SECOND = 4;
/** The number of MNIST's test digits. */
export const DIGITS = 10_000;
/** The largest allowed deficit of a candidate, and the significance level of the test: `test` in params.yaml. */
export const MARGIN = 0.005;
export const SIGNIFICANCE = 0.01;

/** @param {number} size replicas @param {number} misreads of the live model @returns {Stack} */
export function newStack(size, misreads) {
  const live = versionOf(misreads);
  const store = { live, candidate: null, history: [], misreads: { [live]: misreads } };
  const empty = { replicas: [], store, tick: 0, counts: { sent: 0, answered: 0, retried: 0, failed: 0 } };
  return scaled(empty, size);
}

/**
 * Name a network by a hash (FNV-1a here, SHA-256 in the real store).
 * @param {number} misreads stands for the network
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

/**
 * Start a replica. It loads the store's models before its first request.
 * @param {Stack} stack
 * @param {number} which
 * @returns {Stack}
 */
export function started(stack, which) {
  return withReplica(stack, which, fresh(stack.store));
}

/** Return whether nginx still has the replica's address. @param {Replica} replica */
export function isListed({ isUp, downTicks }) {
  return isUp || downTicks < TICKS_PER_SECOND;
}

/**
 * Send one drawing, which takes one tick. nginx starts with any address; here they take turns. If a replica refuses the
 * connection, nginx tries the next.
 * @param {Stack} before
 * @returns {Sent}
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
 * Publish a network as the candidate. The store validates its copy first. Replicas use a candidate only on request.
 * @param {Stack} stack @param {number} misreads @param {boolean} isWhole
 * @returns {Stack} the same stack if the network is damaged
 */
export function published(stack, misreads, isWhole) {
  if (!isWhole) return stack;
  const version = versionOf(misreads);
  const { store } = stack;
  return { ...stack, store: { ...store, candidate: version, misreads: { ...store.misreads, [version]: misreads } } };
}

/**
 * Compare the candidate with the live model once each replica has it. Then promote it or drop it.
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
  // Promotion moves an alias, no files. The history keeps the previous live version for a rollback.
  const history = candidate === store.live ? store.history : [...store.history, store.live];
  const promoted = { ...store, live: candidate, candidate: null, history };
  return { stack: { ...later, store: passes ? promoted : { ...store, candidate: null } }, comparison, passes };
}

/** Make the previous live version live again, if there is one. @param {Stack} stack @returns {Stack} */
export function rolledBack(stack) {
  const { store } = stack;
  const place = store.history.findLastIndex((version) => version !== store.live);
  if (place < 0) return stack;
  return { ...stack, store: { ...store, live: store.history[place], history: store.history.slice(0, place) } };
}

/**
 * Invent a comparison of two networks. Hard digits are hard for both: both misread half of the better one's errors.
 * @param {number} candidate its errors @param {number} live its errors @returns {Comparison}
 */
export function compared(candidate, live) {
  const both = Math.floor(Math.min(candidate, live) / 2);
  return { digits: DIGITS, onlyCandidate: live - both, onlyLive: candidate - both };
}

/** Return the share of the digits by which the candidate is worse. @param {Comparison} comparison */
export function deficit({ digits, onlyCandidate, onlyLive }) {
  return (onlyLive - onlyCandidate) / digits;
}

/** Run McNemar's exact test, two-sided, as in trainer/evaluation/mcnemar.py. @param {Comparison} comparison */
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
 * Return the probability of a deficit this large for a candidate that is worse by exactly the margin, as in mcnemar.py.
 * @param {Comparison} comparison @param {number} margin
 */
export function pWithin(comparison, margin) {
  const { digits, onlyCandidate, onlyLive } = comparison;
  const apart = Math.max((onlyCandidate + onlyLive) / digits, margin);
  const variance = (apart - margin ** 2) / digits;
  if (variance <= 0) return 1;
  return 0.5 * erfc((deficit(comparison) - margin) / Math.sqrt(2 * variance));
}

/** Return whether the candidate passes: no deficit beyond both the margin and chance. @param {Comparison} comparison */
export function isGoodEnough(comparison) {
  return !(deficit(comparison) > MARGIN && pWithin(comparison, MARGIN) < SIGNIFICANCE);
}

/**
 * Return the share of the time in which at least one replica is up, if they fail independently.
 * @param {number} each
 * @param {number} replicas
 */
export function availability(each, replicas) {
  return 1 - (1 - each) ** replicas;
}

/**
 * Return the live model of the stack behind this page, or null if no service answers.
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

/** Advance one tick. Each replica polls the store in its own tick. @param {Stack} stack */
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

/** Approximate erfc to 1.5e-7 (Abramowitz and Stegun, 7.1.26). @param {number} x */
function erfc(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const coefficients = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  const above = coefficients.reduce((sum, coefficient) => (sum + coefficient) * t, 0) * Math.exp(-x * x);
  return x < 0 ? 2 - above : above;
}

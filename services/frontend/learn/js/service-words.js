// What happens in the stack of the last chapter, in words.

import { statusMessage } from "../../js/error-messages.js";
import { inWords } from "./elements.js";
import { DIGITS, MARGIN, deficit, isGoodEnough, pEqual, pWithin } from "./service.js";

/** @import { Batch, Comparison, Replica } from "./stack.js" */

const HOURS_A_YEAR = 365.25 * 24;
const failure = `answers 502, and the page shows “${statusMessage(502, undefined)}”`;

/**
 * Describe the result of one drawing.
 * @param {number[]} asked
 * @param {string | null} version
 * @param {number | null} loaded
 * @param {readonly Replica[]} replicas
 */
export function ofOne(asked, version, loaded, replicas) {
  const names = asked.map((i) => i + 1);
  if (version === null) {
    const inVain = names.length === 0 ? "knows no replica" : `tried ${names.length} without an answer`;
    return `nginx ${inVain}. It ${failure}`;
  }
  const last = names.pop();
  const inVain = names.length === 0 ? "" : `Replica ${names.join(" and ")} did not answer, so nginx tried the next. `;
  const news = loaded === null ? "" : ` Replica ${loaded + 1} has loaded ${models(replicas[loaded])}.`;
  return `${inVain}Replica ${last} answered, with ${version}.${news}`;
}

/** @param {Batch} batch */
export function ofMany({ sent, retried, failed, versions }) {
  const by = [...versions].map(([version, count]) => `${count} with ${version}`).join(", ");
  const again = retried === 0 ? "" : `. For ${retried} of them nginx tried more than one replica`;
  if (failed === 0) return `${sent} drawings sent, all answered: ${by}${again}.`;
  const answered = failed === sent ? "0 answered" : `${sent - failed} answered: ${by}${again}`;
  return `${sent} drawings sent, ${answered}. nginx ${failure}`;
}

/** Name a replica's models. @param {Replica} replica */
export function models({ live, candidate }) {
  return candidate === null ? live : `${live} and the candidate ${candidate}`;
}

/**
 * Describe the result of a test.
 * @param {string} version @param {string} live
 * @param {Comparison} comparison @param {boolean} passes
 */
export function ofTest(version, live, { onlyCandidate, onlyLive }, passes) {
  const fewer = onlyLive - onlyCandidate;
  const read = `it gets ${fewer > 0 ? `${fewer} fewer` : `${-fewer} more`} of ${grouped(DIGITS)} digits right than ${live}`;
  if (!passes) return `${version} is rejected: ${read}, which stays live.`;
  return `${version} passes: ${read}. It is live now, and each replica loads it within a second.`;
}

/**
 * Predict the result of a test.
 * @param {Comparison} comparison
 * @param {number} misreads of the candidate @param {number} live of the live model
 */
export function ofComparison(comparison, misreads, live) {
  const ifWorse =
    deficit(comparison) > MARGIN
      ? `if it were exactly ${percent(MARGIN)} worse, p ${probability(pWithin(comparison, MARGIN))}`
      : `it is not ${percent(MARGIN)} worse`;
  return (
    `Of ${grouped(DIGITS)} digits the live model misreads ${live}, this network ${misreads}. ` +
    `Only the live model is right on ${comparison.onlyLive}, only this network on ${comparison.onlyCandidate}. ` +
    `If they were equally good, p ${probability(pEqual(comparison))}; ${ifWorse}. ` +
    (isGoodEnough(comparison) ? "It would pass." : "It would be rejected.")
  );
}

/** @param {number} available a share of the time @param {number} replicas */
export function ofAvailability(available, replicas) {
  const lost = duration((1 - available) * HOURS_A_YEAR);
  const up = `up ${percent(available)} of the time`;
  const how = replicas === 1 ? `The only replica is ${up}` : `If ${replicas} replicas fail independently, at least one is ${up}`;
  return `${how}. No replica is up for ${lost} a year.`;
}

/** Write a share with enough decimals to tell it from 100%. @param {number} share */
export function percent(share) {
  const decimals = Math.min(10, Math.max(2, Math.ceil(-Math.log10(1 - share))));
  return `${Number((100 * share).toFixed(decimals))}%`;
}

/** @param {number} hours */
function duration(hours) {
  if (hours >= 48) return `${inWords(hours / 24, 0)} days`;
  if (hours >= 1) return `${inWords(hours, 1)} hours`;
  if (hours * 60 >= 1) return `${inWords(hours * 60, 1)} minutes`;
  return hours * 3600 >= 1 ? `${inWords(hours * 3600, 1)} seconds` : "less than a second";
}

/** @param {number} p */
function probability(p) {
  return p < 0.001 ? "< 0.001" : `= ${inWords(p, 3)}`;
}

/** @param {number} count */
function grouped(count) {
  return count.toLocaleString("en-US");
}

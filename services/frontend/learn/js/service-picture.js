// The figure of chapter 8: drawings pass through the stack while replicas stop and models change.

import { button, html, inWords, pictureFrame, slider, tick } from "./elements.js";
import { makeDiagram } from "./service-diagram.js";
import { models, ofAvailability, ofComparison, ofMany, ofOne, ofTest, percent } from "./service-words.js";
import {
  MARGIN,
  availability,
  compared,
  isGoodEnough,
  killed,
  liveModel,
  newStack,
  pEqual,
  pWithin,
  published,
  rolledBack,
  scaled,
  sent,
  started,
  tested,
  versionOf,
} from "./service.js";

/** @import { Batch } from "./stack.js" */

const [REPLICAS, MOST_REPLICAS] = [3, 4];
// Errors on MNIST's 10,000 test digits.
const [LIVE_MISREADS, PERCEPTRON_MISREADS] = [31, 213];
const MANY = 20; // drawings
const INTERVAL = 220; // milliseconds between drawings

let stack = newStack(REPLICAS, LIVE_MISREADS);
let waiting = 0; // drawings still to be sent
/** @type {Batch | null} */
let batch = null;

const isStill = matchMedia("(prefers-reduced-motion: reduce)");
const diagram = makeDiagram(MOST_REPLICAS, killOrStart, isStill);
const says = html("p", { class: "says", "aria-live": "polite" });
says.textContent = "Send some drawings. Kill a replica while they are on their way.";
const odds = html("p", { class: "odds", "aria-live": "polite" });
const verdict = html("p", { class: "verdict", "aria-live": "polite" });

const killers = Array.from({ length: MOST_REPLICAS }, (_, i) => button("", () => killOrStart(i)));
const test = button("Test it", testCandidate);
const back = button("Roll back", rollBack);
const size = slider("replicas", { min: 1, max: MOST_REPLICAS, step: 1, value: REPLICAS }, () => {
  stack = scaled(stack, size.value);
  draw();
});
const asShare = (/** @type {number} */ value) => `${inWords(value, 1)}%`;
const each = slider("each is up", { min: 50, max: 99.9, step: 0.1, value: 99, show: asShare }, draw);
const misreads = slider("candidate misreads", { min: 20, max: 220, step: 1, value: PERCEPTRON_MISREADS }, draw);
const isFlipped = tick("with a byte flipped", false, draw);

/** @param {number} count */
function send(count) {
  const isUnderWay = waiting > 0;
  waiting += count;
  batch ??= { sent: 0, retried: 0, failed: 0, versions: new Map() };
  if (!isUnderWay) sendNext();
}

/** Send the next drawing, or all at once if the user prefers reduced motion. */
function sendNext() {
  do {
    waiting -= 1;
    sendOne(/** @type {NonNullable<typeof batch>} */ (batch));
  } while (isStill.matches && waiting > 0);
  if (waiting > 0) setTimeout(sendNext, INTERVAL);
  else batch = null;
}

/** @param {NonNullable<typeof batch>} inARow */
function sendOne(inARow) {
  const { stack: after, asked, version, loaded } = sent(stack);
  stack = after;
  inARow.sent += 1;
  if (version === null) inARow.failed += 1;
  else inARow.versions.set(version, (inARow.versions.get(version) ?? 0) + 1);
  if (version !== null && asked.length > 1) inARow.retried += 1;
  draw(version === null ? null : asked[asked.length - 1]);
  diagram.flyToReplicas(asked, version !== null);
  if (loaded !== null) diagram.flyFromStore(loaded);
  if (waiting === 0) tell(says, inARow.sent === 1 ? ofOne(asked, version, loaded, stack.replicas) : ofMany(inARow));
}

/** @param {number} which */
function killOrStart(which) {
  const isKilled = stack.replicas[which].isUp;
  stack = isKilled ? killed(stack, which) : started(stack, which);
  const news = isKilled
    ? "gone. nginx still has its address for one second, or four drawings"
    : `back, with ${models(stack.replicas[which])}`;
  tell(says, `Replica ${which + 1} is ${news}.`);
  draw();
}

function publish() {
  stack = published(stack, misreads.value, !isFlipped.checked);
  if (!isFlipped.checked) diagram.flyToStore();
  const news = isFlipped.checked
    ? "Rejected: the checksum differs from model.json. The model store has not changed."
    : `${versionOf(misreads.value)} is the candidate. Each replica loads it within a second, for requests to /candidate/ only.`;
  tell(says, news);
  draw();
}

function testCandidate() {
  const { live, candidate } = stack.store;
  if (candidate === null) {
    tell(says, "There is no candidate. Publish one first.");
    return;
  }
  const { stack: after, comparison, passes } = tested(stack);
  stack = after;
  tell(says, ofTest(candidate, live, comparison, passes));
  draw();
}

function rollBack() {
  const { live: before } = stack.store;
  stack = rolledBack(stack);
  const { live } = stack.store;
  const isBack = live !== before;
  tell(says, isBack ? `${live} is live again. Each replica loads it within a second.` : `No model was live before ${live}.`);
  draw();
}

/** @param {number | null} [answering] the replica that has just answered */
function draw(answering = null) {
  const { replicas, store } = stack;
  diagram.show(stack, answering);
  for (const [i, killer] of killers.entries()) {
    killer.hidden = !replicas[i];
    killer.textContent = `${replicas[i]?.isUp ? "Kill" : "Start"} ${i + 1}`;
  }
  enable(test, store.candidate !== null);
  enable(back, store.history.length > 0);

  const available = availability(each.value / 100, size.value);
  tell(odds, ofAvailability(available, size.value));
  odds.dataset.available = String(available);

  const comparison = compared(misreads.value, store.misreads[store.live]);
  tell(verdict, ofComparison(comparison, misreads.value, store.misreads[store.live]));
  const figures = { equal: pEqual(comparison), within: pWithin(comparison, MARGIN), passes: isGoodEnough(comparison) };
  Object.assign(verdict.dataset, { ...comparison, ...figures });
}

/**
 * Change the text only if it differs, so screen readers announce only news.
 * @param {HTMLElement} element
 * @param {string} words
 */
function tell(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

/**
 * Mark a button as disabled. The attribute `disabled` itself would take the focus from it.
 * @param {HTMLElement} element
 * @param {boolean} isUseful
 */
function enable(element, isUseful) {
  element.setAttribute("aria-disabled", String(!isUseful));
  element.style.opacity = isUseful ? "1" : "0.45";
}

/** Put buttons side by side. @param {...HTMLElement} buttons */
function row(...buttons) {
  const element = html("div", {}, ...buttons);
  Object.assign(element.style, { display: "flex", flexWrap: "wrap", gap: "0.5rem" });
  return element;
}

/** Put two elements side by side, or one below the other in a narrow window. @param {Element} one @param {HTMLElement} other */
function pair(one, other) {
  other.style.flex = "1 1 14rem";
  return html("div", { class: "parts" }, one, other);
}

/** @param {...Node} inside */
function controls(...inside) {
  return html("div", { class: "controls" }, ...inside);
}

const buttons = controls(
  row(button("Send a drawing", () => send(1)), button(`Send ${MANY}`, () => send(MANY))),
  row(...killers),
  row(button("Publish a candidate", publish)),
  row(test, back),
  says
);
says.style.minHeight = "8em"; // keeps the elements below in place
const whole = html(
  "div",
  {},
  pair(diagram.element, buttons),
  pair(controls(size.element, each.element), odds),
  pair(controls(misreads.element, isFlipped.element), verdict)
);
Object.assign(whole.style, { display: "grid", gridTemplateColumns: "minmax(0, 1fr)", gap: "1.25rem" });
pictureFrame().append(whole);
draw();

liveModel((address) => fetch(address)).then((model) => {
  if (model === null) return;
  const { version, accuracy } = model;
  const words = `The real stack behind this page has ${version} live. Its accuracy on MNIST's test digits is ${percent(accuracy)}.`;
  whole.append(html("p", { class: "muted real" }, words));
});

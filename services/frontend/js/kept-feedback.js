// Kept feedback: waits to be sent, in the browser's storage, which all tabs share. Without storage, it waits in this page's
// memory.

/** @import { Entry, FeedbackRequest } from "./feedback.js" */

export const STORAGE_KEY = "doodle-feedback";
export const MOST_ENTRIES = 100;
export const MOST_AGE_MS = 24 * 60 * 60 * 1000;

export class KeptFeedback {
  #storage;
  #now;

  /** Entries that the storage did not accept. @type {Entry[]} */
  #inMemory = [];

  /** Entries that the storage did not remove, and that must not be sent again. @type {Entry[]} */
  #done = [];

  /**
   * @param {() => Storage | undefined} storage returns localStorage; throws if storage is forbidden
   * @param {() => number} now Date.now
   */
  constructor(storage, now) {
    this.#storage = storage;
    this.#now = now;
  }

  /** Return the oldest entry. @returns {Entry | undefined} */
  first() {
    // Read the storage each time, since another tab may have sent an entry.
    return this.#read()[0] ?? this.#inMemory.find((entry) => this.#isRecent(entry));
  }

  /**
   * Add an entry, and remove older feedback on the same prediction.
   * @param {FeedbackRequest} request
   * @returns {boolean} whether it outlives the page
   */
  put(request) {
    this.forget(request.prediction_id);
    const entry = { time: this.#now(), request };
    if (this.#write([...this.#read(), entry].slice(-MOST_ENTRIES))) return true;
    this.#inMemory = [...this.#inMemory, entry].slice(-MOST_ENTRIES);
    return false;
  }

  /** @param {Entry} entry @returns {boolean} whether it was still there: newer feedback may have replaced it */
  remove(entry) {
    return this.#drop((other) => isSame(entry, other));
  }

  /** Remove the feedback on a prediction. @param {string} predictionId */
  forget(predictionId) {
    this.#drop((entry) => entry.request.prediction_id === predictionId);
  }

  /** @param {(entry: Entry) => boolean} isDropped */
  #drop(isDropped) {
    const stored = this.#read();
    const inMemory = this.#inMemory;
    const dropped = stored.filter(isDropped);
    if (dropped.length > 0 && !this.#write(stored.filter((entry) => !isDropped(entry)))) this.#done.push(...dropped);
    this.#inMemory = inMemory.filter((entry) => !isDropped(entry));
    return dropped.length > 0 || this.#inMemory.length < inMemory.length;
  }

  /** Return the valid, recent entries in the storage. The next write drops all others. @returns {Entry[]} */
  #read() {
    let found;
    try {
      found = JSON.parse(this.#storage()?.getItem(STORAGE_KEY) ?? "[]");
    } catch {
      return []; // storage is forbidden, or its text is not JSON
    }
    if (!Array.isArray(found)) return [];
    return found.filter((entry) => isEntry(entry) && this.#isRecent(entry) && !this.#done.some((done) => isSame(done, entry)));
  }

  /** @param {Entry[]} entries @returns {boolean} whether the storage accepted them */
  #write(entries) {
    try {
      const storage = this.#storage();
      if (!storage) return false;
      if (entries.length === 0) storage.removeItem(STORAGE_KEY);
      else storage.setItem(STORAGE_KEY, JSON.stringify(entries));
      return true;
    } catch {
      return false; // storage is forbidden or full
    }
  }

  /** @param {Entry} entry */
  #isRecent({ time }) {
    return this.#now() - time <= MOST_AGE_MS;
  }
}

/** @param {{time?: unknown, request?: Partial<FeedbackRequest>} | null} found @returns {found is Entry} */
function isEntry(found) {
  const request = found?.request;
  if (!Number.isFinite(found?.time) || typeof request?.prediction_id !== "string") return false;
  const digit = request.actual_digit;
  return digit === null || (typeof digit === "number" && Number.isInteger(digit) && digit >= 0 && digit <= 9);
}

/** @param {Entry} one @param {Entry} other */
function isSame(one, other) {
  return (
    one.time === other.time &&
    one.request.prediction_id === other.request.prediction_id &&
    one.request.actual_digit === other.request.actual_digit
  );
}

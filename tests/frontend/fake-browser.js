// Fakes of localStorage and of a clock with timers.

/** localStorage, shared by several tabs. Methods in `broken` throw, as if storage were forbidden or full. */
export class FakeStorage {
  items = new Map();
  broken = new Set();

  getItem = (key) => this.#itemsFor("getItem").get(key) ?? null;
  setItem = (key, value) => this.#itemsFor("setItem").set(key, String(value));
  removeItem = (key) => this.#itemsFor("removeItem").delete(key);

  #itemsFor(method) {
    return this.broken.has(method) ? forbidden() : this.items;
  }
}

/** Throw as forbidden storage does. */
export function forbidden() {
  throw new DOMException("no", "SecurityError");
}

/** A clock and timers that only the test advances. */
export class FakeClock {
  now = 1_800_000_000_000;
  #due = new Map();
  #lastId = 0;

  setTimeout(run, ms) {
    this.#due.set(++this.#lastId, { run, at: this.now + ms });
    return this.#lastId;
  }

  clearTimeout = (id) => this.#due.delete(id);

  /** Milliseconds until each timer fires. */
  get waits() {
    return Array.from(this.#due.values(), ({ at }) => at - this.now);
  }

  async advance(ms) {
    this.now += ms;
    for (const [id, { run, at }] of [...this.#due]) {
      if (at > this.now) continue;
      this.#due.delete(id);
      run();
    }
    await settled();
  }
}

/** Resolve after all pending promises. */
export const settled = () => new Promise((go) => setImmediate(go));

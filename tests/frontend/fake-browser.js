// What the tests of kept feedback have for a browser: a storage, and a clock with a timer.

/** localStorage, as several tabs share it. `broken`: the methods that throw, as where the person forbids it or where it is full. */
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

/** A storage that the person forbids. */
export function forbidden() {
  throw new DOMException("no", "SecurityError");
}

/** A clock that only the test moves, and the timer that goes by it. */
export class FakeClock {
  now = 1_800_000_000_000;
  #due = new Map();
  #lastId = 0;

  setTimeout(run, ms) {
    this.#due.set(++this.#lastId, { run, at: this.now + ms });
    return this.#lastId;
  }

  clearTimeout = (id) => this.#due.delete(id);

  /** The milliseconds until each appointment. */
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

/** Once all that can go on without the clock has gone on. */
export const settled = () => new Promise((go) => setImmediate(go));

// Random numbers that a seed repeats (mulberry32, T. Ettinger, 2017).

/** @typedef {() => number} Random a number from 0 to below 1 */

/** @param {number} seed a whole number @returns {Random} */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Return a normally distributed number with variance 1 (Box and Muller, 1958). @param {Random} random */
export function normal(random) {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}

/** Return 0 to count - 1 in random order (Fisher and Yates). @param {number} count @param {Random} random */
export function shuffled(count, random) {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

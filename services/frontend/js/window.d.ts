// What early-ink.js, which is no module, hands to main.js.

interface Window {
  /** Stop keeping events, and return those to replay. */
  takeEarlyInk?: () => PointerEvent[];
}

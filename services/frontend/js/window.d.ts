// The interface between early-ink.js, a classic script, and main.js.

interface Window {
  /** Stop recording events, and return the recorded ones. */
  takeEarlyInk?: () => PointerEvent[];
}

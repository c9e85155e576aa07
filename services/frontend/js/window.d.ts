// The interface between early-ink.js, a classic script, and main.js.

interface Window {
  /** Stop recording events, and return the recorded ones. */
  takeEarlyInk?: () => PointerEvent[];
  /** Whether there is room for a wide canvas, and whether the user wants one; null without a choice. */
  wideCanvas: { room: MediaQueryList; choice: boolean | null };
}

// The timeline: finds its elements. It asks for the moments of the model's training, and for the answer to the drawing at each of them.

import { requestSnapshotReadings, requestSnapshots } from "./api.js";
import { element } from "./element.js";
import { LatestOnly } from "./latest.js";
import { buildPredictionRequest } from "./prediction-request.js";
import { Sequence } from "./sequence.js";
import { TimelineView } from "./timeline-view.js";

/** @import { Connection } from "./api.js" */
/** @import { Shared } from "./latest.js" */
/** @import { PredictionRequest } from "./prediction-request.js" */
/** @import { StrokeRecorder } from "./strokes.js" */

/**
 * @param {StrokeRecorder} recorder
 * @param {{fetch: Connection["fetch"], shared: Shared}} connections
 * @returns {{watch: () => void, clear: () => void, follow: (modelVersion: string) => void}} calls for a changed drawing, for an empty
 *   canvas, and for each answer of a model
 */
export function connectTimeline(recorder, { fetch, shared }) {
  /** @type {HTMLDetailsElement} */
  const timeline = element("timeline");
  const view = new TimelineView({
    status: element("timeline-status"),
    body: element("timeline-body"),
    slider: element("moment"),
    play: element("play-btn"),
    moment: element("moment-words"),
    reading: element("moment-reading"),
    readings: element("moment-readings"),
    trainCurve: element("train-curve"),
    validationCurve: element("validation-curve"),
    marker: element("moment-marker"),
    measured: element("moment-measured"),
    filters: element("moment-filters"),
    layers: element("moment-layers"),
    map: element("map"),
  });
  const fail = (/** @type {string} */ error) => view.showProblem(error);
  const snapshots = new LatestOnly(
    () => requestSnapshots({ fetch }),
    (outcome) => {
      if ("absent" in outcome) return view.showAbsence("No snapshots were kept of this model's training.");
      view.show(outcome.snapshots);
      watch();
    },
    fail,
    { ...shared, sequence: new Sequence() }, // the same whatever is drawn
  );
  const readings = new LatestOnly(
    (/** @type {PredictionRequest} */ asked) => requestSnapshotReadings(asked, { fetch }),
    (outcome, { number }) => view.showReadings(outcome.readings, number === shared.sequence.number),
    fail,
    shared,
  );

  function watch() {
    if (!timeline.open || view.modelVersion === "") return;
    if (recorder.isEmpty) return view.showReadings(null);
    view.waitForReadings();
    readings.ask(buildPredictionRequest(recorder.strokes));
  }

  timeline.addEventListener("toggle", () => {
    if (timeline.open && view.modelVersion === "") snapshots.ask(undefined);
    else watch();
  });

  return {
    watch,
    clear() {
      readings.forget();
      watch();
    },
    follow(modelVersion) {
      if (timeline.open && view.modelVersion !== modelVersion) snapshots.ask(undefined);
    },
  };
}

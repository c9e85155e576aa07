// The timeline: finds its elements, and requests the snapshots of the model's training and their predictions for the input.

import { requestSnapshotPredictions, requestTrainingHistory } from "./api.js";
import { element } from "./element.js";
import { LatestOnly } from "./latest.js";
import { Sequence } from "./sequence.js";
import { TimelineView } from "./timeline-view.js";

/** @import { InsideConnections, Input, TimelinePanel } from "./page.js" */
/** @import { PredictionRequest } from "./requests.js" */

/** @param {() => Input} input @param {Pick<InsideConnections, "fetch" | "shared">} connections @returns {TimelinePanel} */
export function connectTimeline(input, { fetch, shared }) {
  /** @type {HTMLDetailsElement} */
  const timeline = element("timeline");
  const view = new TimelineView({
    status: element("timeline-status"),
    body: element("timeline-body"),
    slider: element("moment"),
    play: element("play-btn"),
    when: element("moment-words"),
    prediction: element("moment-reading"),
    predictions: element("moment-readings"),
    trainCurve: element("train-curve"),
    validationCurve: element("validation-curve"),
    marker: element("moment-marker"),
    measured: element("moment-measured"),
    filters: element("moment-filters"),
    layers: element("moment-layers"),
    map: element("map"),
  });
  const fail = (/** @type {string} */ error) => view.showProblem(error);
  const history = new LatestOnly(
    () => requestTrainingHistory({ fetch }),
    (answer) => {
      if (answer === null) return view.showAbsence("This model has no snapshots of its training.");
      view.show(answer);
      watch();
    },
    fail,
    { ...shared, sequence: new Sequence() }, // independent of the input
  );
  const predictions = new LatestOnly(
    (/** @type {PredictionRequest} */ asked) => requestSnapshotPredictions(asked, { fetch }),
    (answer, { number }) => view.showPredictions(answer, number === shared.sequence.number),
    fail,
    shared,
  );

  function watch() {
    if (!timeline.open || view.modelVersion === "") return;
    if (input().isEmpty) return view.showPredictions(null);
    view.waitForPredictions();
    predictions.ask(input().request());
  }

  timeline.addEventListener("toggle", () => {
    if (timeline.open && view.modelVersion === "") history.ask(undefined);
    else watch();
  });

  return {
    watch,
    clear() {
      predictions.forget();
      watch();
    },
    follow(modelVersion) {
      if (timeline.open && view.modelVersion !== modelVersion) history.ask(undefined);
    },
  };
}

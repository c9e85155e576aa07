// Examples of chapter 9: strokes, and what the included model answers to POST /read?candidates=true.

/** @import { Example } from "./lattice.js" */

/** @type {Example[]} */
export const EXAMPLES = [
  {
    name: "42",
    strokes: [[[150, 30], [120, 90], [180, 90]], [[162, 60], [160, 130]], [[200, 50], [230, 30], [255, 55], [200, 130], [260, 130]]],
    pieces: [
      { box: [120, 30, 60, 60], is_cut: false },
      { box: [160, 60, 2, 70], is_cut: false },
      { box: [200, 30, 60, 100], is_cut: false },
    ],
    candidates: [
      { start: 0, end: 1, digit: 2, score: -11.56 },
      { start: 0, end: 2, digit: 4, score: 0 },
      { start: 0, end: 3, digit: 6, score: -20.723 },
      { start: 1, end: 2, digit: 1, score: 0 },
      { start: 2, end: 3, digit: 2, score: 0 },
    ],
  },
  {
    name: "10",
    strokes: [[[140, 30], [140, 130]], [[187, 30], [168, 45], [162, 80], [168, 115], [187, 130]], [[193, 30], [212, 45], [218, 80], [212, 115], [193, 130]]],
    pieces: [
      { box: [140, 30, 0, 100], is_cut: false },
      { box: [162, 30, 25, 100], is_cut: false },
      { box: [193, 30, 25, 100], is_cut: false },
    ],
    candidates: [
      { start: 0, end: 1, digit: 1, score: 0 },
      { start: 0, end: 2, digit: 4, score: -16.051 },
      { start: 0, end: 3, digit: 0, score: -10.801 },
      { start: 1, end: 2, digit: 1, score: -0.056 },
      { start: 1, end: 3, digit: 0, score: 0 },
      { start: 2, end: 3, digit: 1, score: -0.255 },
    ],
  },
  {
    name: "2026",
    strokes: [[[45, 50], [75, 30], [100, 55], [45, 130], [110, 130], [150, 30], [125, 60], [125, 100], [150, 130], [175, 100], [175, 60], [150, 30]], [[195, 50], [225, 30], [250, 55], [195, 130], [255, 130]], [[319, 30], [279, 70], [274, 110], [299, 130], [321, 110], [299, 85], [277, 100]]],
    pieces: [
      { box: [45, 30, 68, 100], is_cut: false },
      { box: [113, 30, 62, 100], is_cut: true },
      { box: [195, 30, 60, 100], is_cut: false },
      { box: [274, 30, 47, 100], is_cut: false },
    ],
    candidates: [
      { start: 0, end: 1, digit: 2, score: 0 },
      { start: 0, end: 2, digit: 0, score: -20.723 },
      { start: 1, end: 2, digit: 0, score: -0.009 },
      { start: 1, end: 3, digit: 0, score: -20.723 },
      { start: 2, end: 3, digit: 2, score: 0 },
      { start: 2, end: 4, digit: 6, score: -20.723 },
      { start: 3, end: 4, digit: 6, score: 0 },
    ],
  },
  {
    name: "77",
    strokes: [[[140, 30], [195, 30], [160, 130], [205, 30], [260, 30], [225, 130]]],
    pieces: [
      { box: [140, 30, 70.2, 100], is_cut: false },
      { box: [210.2, 30, 49.8, 100], is_cut: true },
    ],
    candidates: [
      { start: 0, end: 1, digit: 7, score: -0.002 },
      { start: 0, end: 2, digit: 7, score: -13.492 },
      { start: 1, end: 2, digit: 7, score: -0.004 },
    ],
  },
];

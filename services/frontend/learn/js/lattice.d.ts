// The lattice of chapter 9: pieces, and the candidates between them.

/** A line of POST /read?candidates=true. Boxes are left, top, width and height. */
export interface Line {
  pieces: { box: number[]; is_cut: boolean }[];
  candidates: Candidate[];
}

/** Neighboring pieces that may be a digit: from `start` up to but not including `end`. */
export interface Candidate {
  start: number;
  end: number;
  digit: number;
  /** Its log probability. */
  score: number;
}

export interface Example extends Line {
  name: string;
  strokes: number[][][];
}

export interface Costs {
  /** Of a gap inside a digit that is as wide as the line is high. */
  gap: number;
  /** Of two digits that share a stroke. */
  cut: number;
}

/** What a candidate adds, after the best path that ends where it starts. */
export interface Step {
  score: number;
  gap: number;
  cut: number;
  overlap: number;
  /** The candidate before; −1 for none. */
  before: number;
  /** Of the whole path up to here. */
  total: number;
}

export interface BestPath {
  /** The indices of its candidates. */
  path: number[];
  /** Of each candidate. */
  steps: Step[];
}

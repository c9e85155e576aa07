// The stack of chapter 8: replicas, the model store, and its test.

export interface Replica {
  isUp: boolean;
  /** Ticks since it was killed. */
  downTicks: number;
  live: string;
  candidate: string | null;
}

export interface Store {
  live: string;
  candidate: string | null;
  history: string[];
  /** How many of MNIST's test digits each version misreads. */
  misreads: Record<string, number>;
}

/** Counts of drawings. */
export interface Counts {
  sent: number;
  answered: number;
  /** Answered, but not by the first replica. */
  retried: number;
  failed: number;
}

export interface Stack {
  replicas: Replica[];
  store: Store;
  tick: number;
  counts: Counts;
}

export interface Comparison {
  digits: number;
  /** How many digits only the candidate gets right. */
  onlyCandidate: number;
  /** How many digits only the live model gets right. */
  onlyLive: number;
}

/** The result of one drawing. */
export interface Sent {
  stack: Stack;
  /** The replicas that nginx tried. */
  asked: number[];
  /** The version that the last of them answered with; null without an answer. */
  version: string | null;
  /** The replica that loaded a model in this tick. */
  loaded: number | null;
}

/** The result of several drawings in a row. */
export interface Batch {
  sent: number;
  retried: number;
  failed: number;
  versions: Map<string, number>;
}

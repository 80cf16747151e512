// Time, handed in so that tests need not wait for it. Nothing here relies on less than some milliseconds.

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `run` once after `delayMs`, unless the returned function is called before. */
  after(delayMs: number, run: () => void): () => void;
}

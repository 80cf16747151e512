// The steps of a release's test, each with its outcome and its time. A failed step ends the test: the next ones build on it.

export interface Checks {
  /** Runs a step and prints its line. Throws what the step throws, after saying which step it was. */
  step<T>(name: string, run: () => T | Promise<T>): Promise<T>;
  /** Seconds since the first step began. */
  seconds(): number;
}

export function createChecks(print: (line: string) => void = console.log): Checks {
  let begun: number | undefined;
  return {
    async step(name, run) {
      begun ??= performance.now();
      const started = performance.now();
      try {
        const result = await run();
        print(`ok      ${((performance.now() - started) / 1_000).toFixed(1).padStart(6)} s  ${name}`);
        return result;
      } catch (error) {
        print(`FAILED  ${((performance.now() - started) / 1_000).toFixed(1).padStart(6)} s  ${name}`);
        throw error;
      }
    },
    seconds: () => (begun === undefined ? 0 : (performance.now() - begun) / 1_000),
  };
}

/** Throws an Error with `message` when the claim is false. */
export function must(claim: boolean, message: string): asserts claim {
  if (!claim) throw new Error(message);
}

// What is done at once, as a promise: a store that answers at once is used like one that takes its time.

/** `work` runs before the call returns; what it throws is what the promise rejects with. */
export function inOneStep<Parameters extends readonly unknown[], Result>(
  work: (...parameters: Parameters) => Result,
): (...parameters: Parameters) => Promise<Result> {
  return (...parameters) =>
    new Promise((resolve) => {
      resolve(work(...parameters));
    });
}

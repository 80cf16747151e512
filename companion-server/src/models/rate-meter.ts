// How fast something grows, over the last seconds: soon right after a change of pace, and not nervous.

/** Length of the past that counts. */
const windowMs = 5_000;
/** Before that nothing is said. */
const leastMs = 500;
/** Two values closer together count as one. */
const stepMs = 100;

/** Takes the amount and the time in milliseconds and returns the growth per second; null at the beginning. */
export function createRateMeter(): (amount: number, atMs: number) => number | null {
  let past: { readonly amount: number; readonly atMs: number }[] = [];
  return (amount, atMs) => {
    const last = past.at(-1);
    // What is thrown away and fetched again makes the amount fall: the past says nothing any more.
    if (last !== undefined && amount < last.amount) past = [];
    if (last === undefined || amount < last.amount || atMs - last.atMs >= stepMs) {
      past.push({ amount, atMs });
    }
    while (past.length > 2 && atMs - (past[1]?.atMs ?? 0) > windowMs) past.shift();
    const [first] = past;
    if (first === undefined || atMs - first.atMs < leastMs) return null;
    return ((amount - first.amount) / (atMs - first.atMs)) * 1000;
  };
}

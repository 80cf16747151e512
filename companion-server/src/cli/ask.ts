// A question on the terminal.

import { createInterface } from 'node:readline/promises';
import { CanceledError } from '../errors.ts';

/** The answer, without the end of the line; empty when the input ends. Throws CanceledError. */
export async function askOnTerminal(question: string, signal: AbortSignal): Promise<string> {
  // Without a terminal of its own, readline leaves Ctrl+C to the process.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    return await Promise.race([lines.question(question, { signal }), ended]);
  } catch (error) {
    if (signal.aborted) throw new CanceledError();
    throw error;
  } finally {
    lines.close();
  }
}

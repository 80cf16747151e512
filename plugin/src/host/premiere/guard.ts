// Uncaught exceptions have crashed Premiere. So everything that Premiere or UXP calls goes through `guarded`, and every
// promise that the panel gets goes through `answering`.

import { CanceledError } from '../../../../protocol/errors.ts';
import { HostError } from '../problems.ts';

export type Log = (line: string) => void;

/** `task`, but its exceptions and rejections go to the log. */
export function guarded<Args extends readonly unknown[]>(
  log: Log,
  name: string,
  task: (...args: Args) => unknown,
): (...args: Args) => void {
  const report = (error: unknown): void => log(`${name}: ${describe(error)}`);
  return (...args) => {
    try {
      Promise.resolve(task(...args)).catch(report);
    } catch (error) {
      report(error);
    }
  };
}

/** The result of `task`; its errors become a HostError. */
export async function answering<T>(log: Log, name: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (error instanceof CanceledError) throw error;
    log(`${name}: ${describe(error)}`);
    if (error instanceof HostError) throw error;
    throw new HostError('host-refused', `${name}: ${String(error)}`, error);
  }
}

/** `methods` with every promise passed through `answering`. */
export function answeringAll<T extends object>(log: Log, name: string, methods: T): T {
  const wrapped = Object.entries(methods).map(([key, method]: [string, unknown]) => {
    if (typeof method !== 'function') return [key, method] as const;
    const call = method as (...args: unknown[]) => unknown;
    return [
      key,
      (...args: unknown[]) => {
        const answer = call(...args);
        return answer instanceof Promise ? answering(log, `${name}.${key}`, () => answer) : answer;
      },
    ] as const;
  });
  return Object.fromEntries(wrapped) as T;
}

function describe(error: unknown): string {
  if (error instanceof HostError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}

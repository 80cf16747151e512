// Every change of the project goes through here. Premiere requires that an action is created while the project is locked
// and used at once, with no await in between. So the caller first reads everything that it needs, and then passes a
// function that only adds actions. One call is one undo step.
//
// Whether Premiere takes back what was added before a refusal is not documented. So the action that matters comes
// first, nothing is added after a refusal, and what may be missing (a label, a record) is added as `optional`.

import { HostError, type HostProblemCode } from '../../problems.ts';
import type { Action, Project } from '../api.ts';

export interface ActionAdder {
  /** Adds the action that `create` makes. It is made and added at once, so that no unused action remains. */
  must(create: () => Action): void;
  /** The same for an optional action: if it fails, the other actions still make sense. */
  optional(create: () => Action): void;
}

/**
 * Changes the project in one undo step, named `undoName`. `build` must be synchronous. Returns why optional
 * actions were left out. Throws HostError `code` when Premiere refuses a needed action or the whole.
 */
export function runTransaction(
  project: Project,
  undoName: string,
  code: HostProblemCode,
  build: (add: ActionAdder) => undefined,
): readonly string[] {
  // Premiere must not see an exception within its callback, and lockedAccess gives nothing back.
  const state: { refusal: { readonly reason: unknown } | null; isDone: boolean } = {
    refusal: null,
    isDone: false,
  };
  const leftOut: string[] = [];
  project.lockedAccess(() => {
    try {
      state.isDone = project.executeTransaction((compound) => {
        const refused = (create: () => Action): { readonly reason: unknown } | null => {
          try {
            return compound.addAction(create()) ? null : { reason: 'addAction said no' };
          } catch (reason) {
            return { reason };
          }
        };
        try {
          build({
            must: (create) => void (state.refusal ??= refused(create)),
            optional(create) {
              const reason = state.refusal === null ? refused(create) : null;
              if (reason !== null) leftOut.push(String(reason.reason));
            },
          });
        } catch (reason) {
          state.refusal ??= { reason };
        }
      }, undoName);
    } catch (reason) {
      state.refusal ??= { reason };
    }
  });
  if (state.refusal !== null) {
    const { reason } = state.refusal;
    throw new HostError(code, `${undoName}: ${String(reason)}`, reason);
  }
  if (!state.isDone) throw new HostError(code, `${undoName}: executeTransaction said no.`);
  return leftOut;
}

// A failure as the panel holds it: what the server or the host has reported, as it is. For people there is a sentence per
// code in the texts; message and hint are details.

import type { ErrorCode } from '../../../protocol/error-codes.ts';
import type { HostProblemCode } from '../host/problems.ts';

export type ProblemCode = ErrorCode | HostProblemCode;

export interface Problem {
  readonly code: ProblemCode;
  /** As it was reported, for copying. */
  readonly message: string;
  /** What the server advises; null in tasks that an earlier panel has kept. */
  readonly hint?: string | null | undefined;
}

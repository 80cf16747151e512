// A failure as the panel holds it: as the server or the host has reported it. The user sees the sentence for its code from
// the texts; message and hint are details.

import type { ErrorCode } from '../../../protocol/error-codes.ts';
import type { HostProblemCode } from '../host/problems.ts';

export type ProblemCode = ErrorCode | HostProblemCode;

export interface Problem {
  readonly code: ProblemCode;
  /** As it was reported, for copying. */
  readonly message: string;
  /** The server's advice; null in tasks that an earlier panel has stored. */
  readonly hint?: string | null | undefined;
}

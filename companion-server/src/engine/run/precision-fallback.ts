// What to try when a device gives wrong numbers: single precision and standard operators, then the CPU.

import { plainExecution, preferredExecution, type Execution } from '../../onnx/execution.ts';
import { EditError } from '../../errors.ts';

/** The next safer way to run graphs; null when there is none. */
export function saferExecution(execution: Execution): Execution | null {
  const { provider, float, fused } = execution;
  if (provider === 'cpu') return null;
  const plain = plainExecution(provider);
  const isPlain = float === plain.float && JSON.stringify(fused) === JSON.stringify(plain.fused);
  return isPlain ? preferredExecution.cpu : plain;
}

/** Whether the error says that the computed numbers are wrong, so that another way of computing may help. */
export function isNonsense(error: unknown): error is EditError {
  return error instanceof EditError && error.code === 'result-invalid';
}

/** The same error where the CPU in single precision gave the wrong numbers: there is no device left to advise. */
export function withoutDeviceAdvice(error: EditError): EditError {
  return new EditError(error.code, error.message, {
    hint: 'The CPU in single precision computed this, so no device will do better. The checkpoint is most likely damaged: check it with models verify, or use another one. If other edits with it work, choose another prompt or a guidance nearer to 1.',
    cause: error,
  });
}

/** A sentence for the edit's report. */
export function fallbackNotice(from: Execution, to: Execution, error: EditError): string {
  const how =
    to.provider === from.provider ? `on ${to.provider} in single precision` : `on the ${to.provider.toUpperCase()}`;
  return `${error.message} From there the edit went on ${how}, which is slower.`;
}

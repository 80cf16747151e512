// What is said of an engine process that ended by itself, and of an edit that failed with it.

import { EditError } from '../../errors.ts';
import { faultOfFiles, type ModelFiles } from '../model/file-faults.ts';

/** The process read a part of a mapped file that is not there any more. */
class MappedFileError extends EditError {}

const statusInPageError = 0xc0000006;
/** How a process ends then: on POSIX systems, and on Windows. */
const mappedFileEndings: readonly string[] = ['by SIGBUS', `with exit code ${statusInPageError}`];

/** The fault of a file of the edit's model, where that may be why it failed; else the error as it is. */
export async function explainByFiles(error: unknown, files: ModelFiles): Promise<unknown> {
  const isOpen = error instanceof MappedFileError || (error instanceof EditError && error.code === 'internal');
  const fault = isOpen ? await faultOfFiles(files) : null;
  return fault === null ? error : new EditError(fault.code, fault.message, { hint: fault.hint, cause: error });
}

/** @param heartbeatMs how often the process should have shown that it lives */
export function frozenError(heartbeatMs: number): EditError {
  const seconds = Math.round((5 * heartbeatMs) / 1_000);
  return new EditError(
    'engine-crashed',
    `The engine process showed no sign of life for ${seconds} seconds and was ended.`,
    {
      hint: 'Something may have stopped it, or the machine has no memory left: close other programs.',
    },
  );
}

/** @param ending how the process ended, as `by SIGKILL` */
export function crashError(ending: string, stderrTail: string): EditError {
  if (/\b(EMFILE|ENFILE|EAGAIN)\b/.test(ending)) {
    return new EditError('limit-reached', `The engine process could not be started: ${ending}.`, {
      hint: 'Too many files or programs are open on this machine: close some.',
    });
  }
  if (mappedFileEndings.includes(ending)) {
    return new MappedFileError(
      'engine-crashed',
      'A file became shorter, or its disk went away, while the edit read it.',
      {
        hint: 'Try again. If the model is on a disk that can be removed, or a program writes to its files, copy it first.',
        cause: new Error(stderrTail),
      },
    );
  }
  const lastLine = stderrTail.trimEnd().split('\n').at(-1) ?? '';
  const hint =
    ending === 'by SIGKILL'
      ? 'The system may have ended it for want of memory: try a smaller size, or close other programs.'
      : 'Try again; if it happens again, report it with the log.';
  const lastWords = lastLine === '' ? '' : ` Its last words: ${lastLine.slice(0, 300)}`;
  return new EditError('engine-crashed', `The engine process ended ${ending}.${lastWords}`, {
    hint,
    cause: new Error(stderrTail),
  });
}

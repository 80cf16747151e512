// For a disk that does not answer: when the server of a network folder is gone, every call on the folder blocks without
// end, and the call cannot be canceled.

import { EditError } from '../errors.ts';

/** A sleeping disk wakes up within about ten seconds. */
const patienceMs = 30_000;

/** The result of `asked`. Throws EditError('clip-unreadable') when there is no answer about the file `path` in time. */
export async function answerInTime<T>(asked: Promise<T>, path: string, limitMs = patienceMs): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const fault = `The disk of "${path}" does not answer; waited ${limitMs / 1000} s.`;
      const hint = 'Connect the disk or network folder again, or copy the clip to a disk of this computer.';
      reject(new EditError('clip-unreadable', fault, { hint }));
    }, limitMs);
  });
  try {
    return await Promise.race([asked, silence]);
  } finally {
    clearTimeout(timer);
  }
}

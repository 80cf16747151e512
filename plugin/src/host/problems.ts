// What can go wrong between panel and host. A problem has a code, for which the panel has a sentence, and details
// that are copied into a report, not shown as they are.

export const hostProblemCodes = [
  // The project or the sequence of the action is not open any more.
  'project-closed',
  'sequence-closed',
  // The clip is no longer where it was when it was selected.
  'timeline-changed',
  // No video track above the clip is free for its whole length.
  'no-free-track',
  // The result has sound, and no audio track is free for it.
  'no-free-audio-track',
  // No encoding preset was found, and none was picked.
  'preset-missing',
  'export-refused',
  'export-failed',
  'import-failed',
  // Premiere accepted the import, and the item did not appear in time.
  'import-late',
  // The file does not fit the place: other length, rate or size.
  'result-unfit',
  // The project reads rate, length, timecode or alpha of a result otherwise than they were written.
  'result-misread',
  'place-failed',
  // Placed, but the timeline does not have the requested result. The user should undo.
  'place-mismatch',
  // The edited clip to change is not on the timeline, or was changed there.
  'edit-missing',
  'revert-failed',
  'file-missing',
  'file-unreadable',
  'file-unwritable',
  'disk-full',
  // The host lacks a function that this needs; `detail` names it.
  'host-lacks',
  // The host refused without a reason, or in a way that is not documented.
  'host-refused',
] as const;
export type HostProblemCode = (typeof hostProblemCodes)[number];

/** The only error that a Host's promises are rejected with, beside the CanceledError of protocol/errors.ts. */
export class HostError extends Error {
  override readonly name = 'HostError';
  readonly code: HostProblemCode;

  /** `message` is for the log and for details to copy; the panel's sentence belongs to `code`. */
  constructor(code: HostProblemCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

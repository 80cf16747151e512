// The one table of errors that a user can meet: code -> is trying again useful, and the exit code of the
// command line. Codes are stable; texts may change.

export const errorCodes = {
  'invalid-request': { retryable: false, exitCode: 2 },
  'prompt-empty': { retryable: false, exitCode: 2 },
  'prompt-too-long': { retryable: false, exitCode: 2 },
  'job-missing': { retryable: false, exitCode: 2 },
  'limit-reached': { retryable: true, exitCode: 2 },
  'clip-missing': { retryable: false, exitCode: 3 },
  'clip-unreadable': { retryable: false, exitCode: 3 },
  'clip-empty': { retryable: false, exitCode: 3 },
  'model-missing': { retryable: false, exitCode: 4 },
  'model-damaged': { retryable: false, exitCode: 4 },
  'model-unsupported': { retryable: false, exitCode: 4 },
  'model-gated': { retryable: false, exitCode: 4 },
  'licence-not-accepted': { retryable: false, exitCode: 4 },
  'ffmpeg-missing': { retryable: false, exitCode: 5 },
  'ffmpeg-failed': { retryable: false, exitCode: 5 },
  'output-unwritable': { retryable: false, exitCode: 6 },
  'disk-full': { retryable: true, exitCode: 6 },
  'database-busy': { retryable: true, exitCode: 6 },
  'device-unavailable': { retryable: false, exitCode: 7 },
  'does-not-fit': { retryable: false, exitCode: 7 },
  'out-of-memory': { retryable: true, exitCode: 7 },
  'result-invalid': { retryable: true, exitCode: 8 },
  'engine-crashed': { retryable: true, exitCode: 9 },
  'connection-lost': { retryable: true, exitCode: 10 },
  'transfer-damaged': { retryable: true, exitCode: 10 },
  'download-refused': { retryable: false, exitCode: 10 },
  'not-paired': { retryable: false, exitCode: 11 },
  'pairing-refused': { retryable: false, exitCode: 11 },
  'pairing-limited': { retryable: true, exitCode: 11 },
  'version-mismatch': { retryable: false, exitCode: 11 },
  internal: { retryable: false, exitCode: 1 },
} as const satisfies Record<string, { retryable: boolean; exitCode: number }>;

export type ErrorCode = keyof typeof errorCodes;

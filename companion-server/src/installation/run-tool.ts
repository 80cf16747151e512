// Runs a program of the system, such as reg.exe, and waits for it.

import { execFile } from 'node:child_process';

const timeoutMs = 60_000;

export interface ToolEnd {
  /** Null when the program is not there, or was ended. */
  readonly exitCode: number | null;
  /** Both streams, at most 1 MB. */
  readonly output: string;
}

/** Never rejects: what failed is in the result. */
export function runTool(command: string, args: readonly string[]): Promise<ToolEnd> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: timeoutMs, windowsHide: true }, (error, stdout, stderr) => {
      const said = `${stdout}${stderr}`.trim();
      if (error === null) resolve({ exitCode: 0, output: said });
      else if (typeof error.code === 'number') resolve({ exitCode: error.code, output: said });
      else resolve({ exitCode: null, output: said === '' ? error.message : said });
    });
  });
}

// Signs the programs of a release. This is the one place that a certificate is given to: a command of the signing tool, which
// gets the files as its last arguments. docs/install.md says what users see without a signature.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { ArchivedFile } from '../../companion-server/src/archives/archived-file.ts';
import type { Target } from './targets.ts';

/** The environment variable with the command, for example `signtool sign /fd sha256 /a /tr http://timestamp.example /td sha256`. */
export const signVariables = { win32: 'TOKENFLOW_SIGN_WINDOWS', darwin: 'TOKENFLOW_SIGN_MAC', linux: null } as const;

const isProgram = {
  // Microsoft's runtime has its signature, and may be passed on unmodified only.
  win32: ({ name }: ArchivedFile) => /\.(exe|dll|node)$/.test(name) && !/\/(msvcp|vcruntime)140\w*\.dll$/.test(name),
  darwin: ({ name }: ArchivedFile) => /\.(dylib|node)$/.test(name) || /^runtime\//.test(name),
  linux: () => false,
} as const;

/** The files, with the programs signed where a command is given. Throws an Error when the command fails. */
export function signed(
  files: readonly ArchivedFile[],
  { platform }: Pick<Target, 'platform'>,
  env: NodeJS.ProcessEnv = process.env,
): ArchivedFile[] {
  const variable = signVariables[platform];
  const command = variable === null ? undefined : env[variable];
  if (variable === null || command === undefined || command.trim() === '') return [...files];
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tokenflow-sign-'));
  try {
    const programs = files.filter(isProgram[platform]);
    const placeOf = ({ name }: ArchivedFile): string => path.join(folder, ...name.split('/'));
    for (const file of programs) {
      mkdirSync(path.dirname(placeOf(file)), { recursive: true });
      writeFileSync(placeOf(file), file.data, { mode: file.mode });
    }
    const quoted = programs.map((file) => `"${placeOf(file)}"`).join(' ');
    const { status } = spawnSync(`${command} ${quoted}`, { shell: true, stdio: 'inherit' });
    if (status !== 0) throw new Error(`The command of ${variable} failed with exit code ${status ?? 'unknown'}.`);
    return files.map((file) => (programs.includes(file) ? { ...file, data: readFileSync(placeOf(file)) } : file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

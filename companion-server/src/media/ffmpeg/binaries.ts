// Where ffmpeg and ffprobe are: FFMPEG_PATH / FFPROBE_PATH, then those of the release, then PATH, then the binaries inside the
// npm packages.

import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import path from 'node:path';
import { EditError } from '../../errors.ts';
import { releaseProgram } from '../../release.ts';

export type Program = 'ffmpeg' | 'ffprobe';

const pathVariables = { ffmpeg: 'FFMPEG_PATH', ffprobe: 'FFPROBE_PATH' } as const;

/**
 * The absolute path of `program`. A path set by the environment is used or refused, never ignored without an error.
 * Throws EditError `ffmpeg-missing`.
 */
export async function findProgram(program: Program, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const variable = pathVariables[program];
  const chosen = env[variable];
  if (chosen !== undefined && chosen !== '') {
    if (await isExecutable(chosen)) return path.resolve(chosen);
    throw new EditError('ffmpeg-missing', `${variable} is "${chosen}", which is not a program that can be run.`, {
      hint: `Set ${variable} to the full path of ${program}, or unset it to use the one on PATH.`,
    });
  }
  const found = (await findInRelease(program)) ?? (await findOnPath(program, env)) ?? (await findInPackage(program));
  if (found !== null) return found;
  throw new EditError('ffmpeg-missing', `${program} was not found on this machine.`, {
    hint: `Run npm install again, or install FFmpeg (https://ffmpeg.org/download.html), or set ${variable}.`,
  });
}

async function findInRelease(program: Program): Promise<string | null> {
  const file = releaseProgram(program);
  return file !== null && (await isExecutable(file)) ? file : null;
}

async function findOnPath(program: Program, env: NodeJS.ProcessEnv): Promise<string | null> {
  const file = process.platform === 'win32' ? `${program}.exe` : program;
  const folders = (env['PATH'] ?? env['Path'] ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  for (const folder of folders) {
    const candidate = path.join(folder, file);
    if (await isExecutable(candidate)) return candidate;
  }
  return null;
}

async function findInPackage(program: Program): Promise<string | null> {
  try {
    const installer =
      program === 'ffmpeg' ? await import('@ffmpeg-installer/ffmpeg') : await import('@ffprobe-installer/ffprobe');
    return (await isExecutable(installer.default.path)) ? installer.default.path : null;
  } catch {
    return null; // The packages throw on a platform they have no binary for.
  }
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

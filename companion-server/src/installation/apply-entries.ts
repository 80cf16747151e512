// Makes the entries of an installation, and takes them back.

import { chmod, lstat, mkdir, readFile, readlink, rm, rmdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { EditError } from '../errors.ts';
import { isMissing } from '../files/disk-error.ts';
import { writeWhole } from '../files/write-whole.ts';
import type { Entry } from './entries.ts';
import { runTool } from './run-tool.ts';

/**
 * Throws EditError 'output-unwritable' when the system refuses one. What cannot be made because something of somebody else is
 * there is left out; the results are sentences that say so.
 */
export async function applyEntries(entries: readonly Entry[]): Promise<string[]> {
  const leftOut: string[] = [];
  for (const entry of entries) {
    const reason = await apply(entry);
    if (reason !== null) leftOut.push(reason);
  }
  return leftOut;
}

async function apply(entry: Entry): Promise<string | null> {
  switch (entry.kind) {
    case 'file':
      await mkdir(path.dirname(entry.path), { recursive: true });
      // Windows may have the script open that started this program: it is the same in every version.
      if ((await textOf(entry.path)) !== entry.text) await writeWhole(entry.path, entry.text);
      if (entry.mode !== undefined) await chmod(entry.path, entry.mode);
      return null;
    case 'link':
      return applyLink(entry.path, entry.target);
    case 'registry':
      return registry(['add', entry.key, ...valueName(entry.name), '/t', 'REG_SZ', '/d', entry.value, '/f']);
    case 'setting':
      await mkdir(path.dirname(entry.path), { recursive: true });
      await writeWhole(entry.path, withSetting(await textOf(entry.path), entry));
      return null;
  }
}

async function applyLink(link: string, target: string): Promise<string | null> {
  await mkdir(path.dirname(link), { recursive: true });
  const found = await lstat(link).catch(whenMissing);
  if (found !== null && !(await isLinkTo(link, target))) return `${link} is of another program and stays as it is.`;
  if (found === null) await symlink(target, link);
  return null;
}

/** Takes back what is there of the entries. `home`: no folder above it is removed, and none with something in it. */
export async function removeEntries(entries: readonly Entry[], home: string): Promise<void> {
  for (const entry of entries) {
    switch (entry.kind) {
      case 'file':
        await rm(entry.path, { force: true });
        break;
      case 'link':
        if (await isLinkTo(entry.path, entry.target)) await rm(entry.path, { force: true });
        break;
      case 'registry':
        // A value that is not there any more is what was wanted.
        await runTool('reg', [
          'delete',
          entry.owned ?? entry.key,
          ...(entry.owned === null ? valueName(entry.name) : []),
          '/f',
        ]);
        break;
      case 'setting':
        await removeSetting(entry);
        break;
    }
    if (entry.kind !== 'registry') await removeEmptyFolders(path.dirname(entry.path), home);
  }
}

/** The folder and those above it, up to below `home`, as long as they are empty. */
export async function removeEmptyFolders(folder: string, home: string): Promise<void> {
  const relative = path.relative(home, folder);
  if (relative === '' || relative.startsWith('..') || path.isAbsolute(relative)) return;
  try {
    await rmdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // In use, or not ours to remove: then it stays.
    if (code !== 'ENOENT') return;
  }
  await removeEmptyFolders(path.dirname(folder), home);
}

async function registry(args: readonly string[]): Promise<null> {
  const { exitCode, output } = await runTool('reg', args);
  if (exitCode === 0) return null;
  throw new EditError('output-unwritable', `The registry refuses ${args[1] ?? ''}: ${output}`, {
    hint: 'The command "tokenflow install" tries again.',
  });
}

function valueName(name: string | null): readonly string[] {
  return name === null ? ['/ve'] : ['/v', name];
}

async function isLinkTo(link: string, target: string): Promise<boolean> {
  return (await readlink(link).catch(() => null)) === target;
}

interface Setting {
  readonly section: string;
  readonly name: string;
  readonly value: string;
}

/** `text` with the line in its section, once. */
export function withSetting(text: string, setting: Setting): string {
  const rest = withoutSetting(text, setting);
  const line = `${setting.name}=${setting.value}\n`;
  const heading = `[${setting.section}]\n`;
  const at = rest.indexOf(heading);
  if (at === -1) return `${rest}${rest === '' || rest.endsWith('\n') ? '' : '\n'}${heading}${line}`;
  return `${rest.slice(0, at + heading.length)}${line}${rest.slice(at + heading.length)}`;
}

/** `text` without the line, and without its section when nothing else is in it. */
export function withoutSetting(text: string, { section, name, value }: Setting): string {
  const rest = text.replace(`${name}=${value}\n`, '');
  if (rest === text) return text;
  return rest.replace(new RegExp(`\\[${section}\\]\\n(?=\\[|$)`), '');
}

async function removeSetting(entry: Setting & { readonly path: string }): Promise<void> {
  const text = await textOf(entry.path);
  const rest = withoutSetting(text, entry);
  if (rest === text) return;
  if (rest === '') await rm(entry.path, { force: true });
  else await writeWhole(entry.path, rest);
}

async function textOf(file: string): Promise<string> {
  return (await readFile(file, 'utf8').catch(whenMissing)) ?? '';
}

function whenMissing(error: unknown): null {
  if (isMissing(error)) return null;
  throw error;
}

// The log on the disk: `server.log`, which becomes `server-DAY-N.log` when the day ends or it has grown too large. Old
// ones go. A line is in the file when `write` returns, so that the last words before a crash are there.

import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export const logFileName = 'server.log';
const oldName = /^server-(\d{4}-\d\d-\d\d)-(\d+)\.log$/;

const defaultMaxBytes = 10 * 1024 * 1024;
const defaultKeptFiles = 10;

export interface LogFileOptions {
  readonly dir: string;
  readonly maxBytes?: number;
  /** How many old files are kept. */
  readonly keptFiles?: number;
  readonly now?: () => Date;
  /** Called once when the file cannot be written; the server continues without it. */
  readonly onFailure: (error: unknown) => void;
}

export interface LogFile {
  readonly path: string;
  /** `line` ends in a line feed. Never throws. */
  write(line: string): void;
  close(): void;
}

interface OpenFile {
  readonly descriptor: number;
  readonly day: string;
  sizeBytes: number;
}

export function createLogFile({
  dir,
  maxBytes = defaultMaxBytes,
  keptFiles = defaultKeptFiles,
  now = () => new Date(),
  onFailure,
}: LogFileOptions): LogFile {
  const path = join(dir, logFileName);
  const today = (): string => toDay(now());
  let file: OpenFile | undefined;
  let isBroken = false;

  function open(): OpenFile {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const descriptor = openSync(path, 'a', 0o600);
    const { size, mtime } = fstatSync(descriptor);
    return { descriptor, day: size === 0 ? today() : toDay(mtime), sizeBytes: size };
  }

  function rotate({ descriptor, day }: OpenFile): void {
    closeSync(descriptor);
    file = undefined;
    const numbers = oldLogFiles(dir).flatMap((old) => (old.day === day ? [old.number] : []));
    renameSync(path, join(dir, `server-${day}-${Math.max(0, ...numbers) + 1}.log`));
    for (const { name } of oldLogFiles(dir).slice(0, -keptFiles)) rmSync(join(dir, name));
  }

  function append(line: string): void {
    const sizeBytes = Buffer.byteLength(line);
    file ??= open();
    const isFull = file.sizeBytes > 0 && file.sizeBytes + sizeBytes > maxBytes;
    if (isFull || file.day !== today()) {
      rotate(file);
      file = open();
    }
    writeSync(file.descriptor, line);
    file.sizeBytes += sizeBytes;
  }

  return {
    path,
    write(line) {
      if (isBroken) return;
      try {
        append(line);
      } catch (error) {
        isBroken = true;
        onFailure(error);
      }
    },
    close() {
      if (file !== undefined) closeSync(file.descriptor);
      file = undefined;
      isBroken = true;
    },
  };
}

interface OldFile {
  readonly name: string;
  readonly day: string;
  readonly number: number;
}

/** What has been put aside, the oldest first. */
export function oldLogFiles(dir: string): readonly OldFile[] {
  return readdirSync(dir)
    .flatMap((name) => {
      const [, day, number] = oldName.exec(name) ?? [];
      return day === undefined ? [] : [{ name, day, number: Number(number) }];
    })
    .sort((a, b) => a.day.localeCompare(b.day) || a.number - b.number);
}

function toDay(date: Date): string {
  return date.toISOString().slice(0, 10);
}

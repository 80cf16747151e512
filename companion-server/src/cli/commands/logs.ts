// `logs`: where the server's log is, its end, and what is added to it.

import { open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { dataDirOf } from '../../app/config.ts';
import { EditError } from '../../errors.ts';
import { logFileName, oldLogFiles } from '../../app/log-file.ts';
import { toText } from '../../app/log.ts';
import { defineCommand } from '../command.ts';
import { typed } from '../../typed-command.ts';

const defaultLines = 50;
/** Bytes at the end of the file that are looked through. */
const tailBytes = 1024 * 1024;
const pollMs = 300;

export const logsCommand = defineCommand({
  name: 'logs',
  usage: '[options]',
  summary: "Show the end of the server's log.",
  options: {
    lines: { kind: 'number', placeholder: 'N', help: `How many lines. Default: ${defaultLines}.` },
    follow: { kind: 'flag', help: 'Go on with what is added, until Ctrl+C.' },
    path: { kind: 'flag', help: 'Print where the log is, and nothing else.' },
    json: { kind: 'flag', help: 'Print the lines as they are in the file, one JSON object each.' },
  },
  notes: [
    'The log is in the folder logs in the data folder: server.log, and older ones by day. It has no tokens, no codes, no prompts and no paths of clips.',
  ],
  async run({ values, positionals }, { env, stdout, signal }) {
    const { lines = defaultLines } = values;
    if (positionals[0] !== undefined || !Number.isInteger(lines) || lines < 0) {
      throw new EditError('invalid-request', 'logs takes no argument, and --lines a whole number.');
    }
    const path = join(dataDirOf(env), 'logs', logFileName);
    if (values.path) {
      stdout.write(`${path}\n`);
      return;
    }
    const show = (text: string): void => {
      for (const line of text.split('\n')) {
        if (line !== '') stdout.write(values.json ? `${line}\n` : format(line));
      }
    };
    const { last, end } = await readLastLines(path, lines);
    show(last.join('\n'));
    if (values.follow) await follow(path, end, show, signal);
  },
});

interface Tail {
  readonly text: string;
  /** Bytes of the file that are read. */
  readonly end: number;
}

/** At most `count` lines; where the file has fewer, older ones come from the files that were put aside before it. */
export async function readLastLines(
  path: string,
  count: number,
): Promise<{ readonly last: readonly string[]; readonly end: number }> {
  let { text, end } = await readTail(path);
  // The first line of a tail may have lost its beginning.
  if (linesOf(text).length <= count) ({ text, end } = await readFrom(path, 0));
  let last = linesOf(text);
  const dir = dirname(path);
  for (const { name } of oldLogFiles(dir).toReversed()) {
    if (last.length >= count) break;
    last = [...linesOf((await readFrom(join(dir, name), 0)).text), ...last];
  }
  return { last: last.slice(Math.max(0, last.length - count)), end };
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

async function readTail(path: string): Promise<Tail> {
  const sizeBytes = await sizeOf(path);
  if (sizeBytes === null) {
    throw new EditError('invalid-request', `There is no log at ${path}.`, {
      hint: `It is written by ${typed('start')}.`,
    });
  }
  return readFrom(path, Math.max(0, sizeBytes - tailBytes));
}

/** Whole lines from a place in the file on. */
async function readFrom(path: string, start: number): Promise<Tail> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(0, size - start)), 0, null, start);
    const last = buffer.subarray(0, bytesRead).lastIndexOf('\n') + 1;
    return { text: buffer.toString('utf8', 0, last), end: start + last };
  } finally {
    await file.close();
  }
}

async function follow(path: string, start: number, show: (text: string) => void, signal: AbortSignal): Promise<void> {
  let end = start;
  while (!signal.aborted) {
    const sizeBytes = await sizeOf(path);
    // A smaller file is a new one: the old one has been put aside.
    if (sizeBytes !== null && sizeBytes < end) end = 0;
    if (sizeBytes !== null && sizeBytes > end) {
      const added = await readFrom(path, end);
      show(added.text);
      end = added.end;
    }
    await pause(pollMs, undefined, { signal }).catch(() => undefined);
  }
}

async function sizeOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ size }) => size,
    () => null,
  );
}

/** The first line of a tail may have lost its beginning. */
function format(line: string): string {
  try {
    return toText(line);
  } catch {
    return `${line}\n`;
  }
}

import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { createLogFile } from './log-file.ts';
import { scrub } from './log-redaction.ts';
import { createLog, type LogDetails, type LogLevel } from './log.ts';

const token = '7d1a0c5e9b3f42688d7cb1f0a4e65932f08b6d1c7e2a49538c9d0b4f6a1e3725';
const jobId = '0b9d8c7e6f5a41328c0d1e2f3a4b5c6d';

function linesOf(level: LogLevel, message: string, details?: LogDetails) {
  const lines: string[] = [];
  const json: string[] = [];
  const log = createLog({
    level,
    write: (line) => lines.push(line),
    writeJson: (line) => json.push(line),
    now: () => new Date(0),
  });
  log.info(message, details);
  return { text: lines.join(''), json: json.join('') };
}

describe('an event', () => {
  test('is one line for people and the same as JSON', () => {
    const { text, json } = linesOf('info', 'A job failed.', { jobId, seconds: 1.5, last: null });
    expect(text).toBe(`1970-01-01T00:00:00.000Z info  A job failed. jobId="${jobId}" seconds=1.5 last=null\n`);
    expect(JSON.parse(json)).toEqual({
      level: 'info',
      time: '1970-01-01T00:00:00.000Z',
      message: 'A job failed.',
      jobId,
      seconds: 1.5,
      last: null,
    });
  });

  test('below the level is dropped', () => {
    expect(linesOf('warn', 'x')).toEqual({ text: '', json: '' });
    expect(linesOf('silent', 'x')).toEqual({ text: '', json: '' });
  });

  test('of many lines stays one', () => {
    expect(linesOf('info', 'a\nb', { error: 'c\nd' }).json.trimEnd()).not.toContain('\n');
  });
});

describe('secrets', () => {
  test.each<[string, LogDetails]>([
    ['a token by its name', { token: 'short' }],
    ['a token in a text', { error: `no such token ${token}` }],
    ['a code by its name', { code: 'short' }],
    ['a code in a text', { error: 'tried K7QF-3MXD' }],
    ['a prompt by its name', { prompt: 'a naked emperor' }],
    ['a prompt in an object', { error: `{ "prompt": "a \\"naked\\" emperor", "steps": 1 }` }],
    ['a prompt in an inspected object', { error: `settings: { negativePrompt: 'an emperor' }` }],
    ['a header', { error: 'authorization: Bearer abc.def' }],
    ['a signed link', { error: `/results/x?signature=${token}` }],
    ['the path of a clip', { error: 'ENOENT: /home/ann/my divorce/court day.mov is gone' }],
    ['the path of a clip on Windows', { error: `open 'C:\\Users\\ann\\court day.MP4'` }],
    ['the path of a clip by its name', { clipPath: 'court day' }],
  ])('%s is not written', (_what, details) => {
    const { text, json } = linesOf('info', 'It happened.', details);
    for (const line of [text, json]) {
      expect(line).not.toMatch(/short|naked|emperor|K7QF|3MXD|7d1a|abc|divorce|court|ann/);
      expect(line).toContain('It happened.');
    }
  });

  test('are taken out of the sentence as well', () => {
    expect(linesOf('info', `token ${token}`).json).not.toContain(token);
  });

  test('are not seen where there are none', () => {
    const text = `job ${jobId}: ENOENT at /srv/tokenflow/supervisor.ts:17 (EngineError)`;
    expect(scrub(text)).toBe(text);
  });
});

describe('the log file', () => {
  let dir: string;
  let today: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'tokenflow-log-'));
    today = new Date().toISOString();
    return () => rm(dir, { recursive: true, force: true });
  });
  const failures: unknown[] = [];
  const create = (options: { readonly maxBytes?: number; readonly keptFiles?: number } = {}) =>
    createLogFile({
      dir: join(dir, 'logs'),
      now: () => new Date(today),
      onFailure: (error) => failures.push(error),
      ...options,
    });
  const names = async () => (await readdir(join(dir, 'logs'))).sort();

  test('goes on where it was, and only its user may read it', async () => {
    const first = create();
    first.write('a\n');
    first.close();
    const second = create();
    second.write('b\n');
    second.close();
    expect(await readFile(second.path, 'utf8')).toBe('a\nb\n');
    if (process.platform !== 'win32') expect((await stat(second.path)).mode & 0o777).toBe(0o600);
  });

  test('begins anew when it is full, and keeps a few old ones', async () => {
    const file = create({ maxBytes: 10, keptFiles: 2 });
    for (const letter of 'abcdef') file.write(`${letter.repeat(9)}\n`);
    file.close();
    const day = today.slice(0, 10);
    expect(await names()).toEqual([`server-${day}-4.log`, `server-${day}-5.log`, 'server.log']);
    expect(await readFile(file.path, 'utf8')).toBe('fffffffff\n');
  });

  test('begins anew when the day has changed', async () => {
    const day = today.slice(0, 10);
    const file = create();
    file.write('yesterday\n');
    today = new Date(Date.parse(today) + 24 * 60 * 60 * 1000).toISOString();
    file.write('today\n');
    file.close();
    expect(await names()).toEqual([`server-${day}-1.log`, 'server.log']);
    expect(await readFile(file.path, 'utf8')).toBe('today\n');
  });

  test('that cannot be written is told once and harms nothing', async () => {
    await writeFile(join(dir, 'logs'), 'a file in its place');
    failures.length = 0;
    const file = create();
    file.write('a\n');
    file.write('b\n');
    file.close();
    expect(failures).toHaveLength(1);
  });
});

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openWithLibsql } from './libsql.ts';
import { openWithNode } from './node-sqlite.ts';
import { openSqlite } from './open-sqlite.ts';

const openers = [
  ['libsql', openWithLibsql],
  ['Node itself', openWithNode],
] as const;

function file(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tokenflow-sqlite-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'a.db');
}

const code = (name: string) => expect.objectContaining({ code: name }) as Error;

describe.each(openers)('SQLite by %s', (_name, open) => {
  const testHere = test.skipIf(open === null);
  const start = (path = ':memory:') => {
    const connection = (open ?? openSqlite)(path, 0);
    onTestFinished(() => connection.close());
    return connection;
  };

  testHere('gives back what was kept, as the same kinds of values', () => {
    const connection = start();
    connection.exec('CREATE TABLE kept (a, b, c, d)');
    const values = ['text', 2.5, Uint8Array.of(1, 2), null];
    expect(connection.prepare('INSERT INTO kept VALUES (?, ?, ?, ?)').run(values)).toBe(1);
    const [row] = connection.prepare('SELECT * FROM kept').all([]);
    expect(row).toEqual({ a: 'text', b: 2.5, c: Uint8Array.of(1, 2), d: null });
    expect(connection.prepare('SELECT a FROM kept WHERE c = ?').all([Uint8Array.of(1, 2)])).toEqual([{ a: 'text' }]);
    expect(connection.prepare('SELECT a FROM kept WHERE d IS ?').all([null])).toEqual([{ a: 'text' }]);
  });

  testHere('knows whether a transaction is open', () => {
    const connection = start();
    expect(connection.inTransaction).toBe(false);
    connection.exec('BEGIN IMMEDIATE');
    expect(connection.inTransaction).toBe(true);
    connection.exec('ROLLBACK');
    expect(connection.inTransaction).toBe(false);
  });

  testHere('says by the name of the code why something fails', () => {
    const path = file();
    const [holder, other] = [start(path), start(path)];
    holder.exec('CREATE TABLE kept (a UNIQUE); BEGIN EXCLUSIVE');
    expect(() => other.exec('BEGIN IMMEDIATE')).toThrow(code('SQLITE_BUSY'));
    holder.exec('COMMIT; PRAGMA max_page_count = 20');
    const insert = holder.prepare('INSERT INTO kept VALUES (?)');
    expect(() => insert.run(['x'.repeat(200_000)])).toThrow(code('SQLITE_FULL'));
    expect(() => holder.prepare('SELECT absent FROM kept').all([])).toThrow(/no such column/);
    expect(() => start(join(path, 'below', 'a.db'))).toThrow(/unable to open|Unable to open/);
  });

  testHere('reads and changes a file that the other has written', () => {
    const path = file();
    const writer = (open === openWithLibsql ? openSqlite : openWithLibsql)(path, 0);
    writer.exec("PRAGMA journal_mode = WAL; CREATE TABLE kept (a); INSERT INTO kept VALUES ('here')");
    // Before the other opens it: within one process the locks of the system do not keep two programs of SQLite apart.
    writer.close();
    const reader = start(path);
    expect(reader.prepare('SELECT a FROM kept').all([])).toEqual([{ a: 'here' }]);
    expect(reader.prepare("UPDATE kept SET a = 'there'").run([])).toBe(1);
  });

  testHere('can be closed twice', () => {
    const connection = start();
    connection.close();
    expect(() => connection.close()).not.toThrow();
  });
});

test("Node's own is taken where Node has it, and its warning is not shown", () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  expect(openWithNode !== null).toBe(major > 22 || (major === 22 && minor >= 16));
  const module = JSON.stringify(new URL('./open-sqlite.ts', import.meta.url).href);
  const code = `const { openSqlite } = await import(${module}); openSqlite(':memory:').close(); console.log('closed');`;
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', code];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect([stdout, stderr]).toEqual(['closed\n', '']);
});

// Another user of the machine, and a data folder that was made for everybody to read.

import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { closeToOthers } from '../../companion-server/src/store/private-folder.ts';
import { pairingTables, readSecret } from '../../companion-server/src/pairing/tables.ts';
import { openDatabase } from '../../companion-server/src/store/database.ts';
import { startCli } from '../e2e/cli-process.ts';
import { connectTo, startTestServer } from '../e2e/test-server.ts';
import { createJob, uploadTo } from '../e2e/test-jobs.ts';
import { createWorkspace, type Workspace } from '../e2e/workspace.ts';

const run = promisify(execFile);
/** The user that owns nothing, on every Linux. */
const nobody = { uid: 65534, gid: 65534 };
const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

const canRead = (path: string): Promise<boolean> =>
  run('cat', [path], { ...nobody, maxBuffer: 1e8 }).then(
    () => true,
    () => false,
  );

/** A workspace whose data folder exists, open to all, on a path that everybody may walk. */
async function createOpenWorkspace(): Promise<Workspace> {
  // The folder for all tests is closed to others: beside it.
  const folder = await mkdtemp(join(dirname(tmpdir()), 'tokenflow-open-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  const dataDir = join(folder, 'data');
  await mkdir(dataDir);
  await chmod(dataDir, 0o755);
  return { ...(await createWorkspace()), dataDir };
}

// Skipped where a test may not become another user: it needs Linux and root.
describe.skipIf(!isRoot)('another user', () => {
  test('reads nothing in a data folder that was open, once a server has started on it', async () => {
    const workspace = await createOpenWorkspace();
    const note = join(workspace.dataDir, 'note');
    await writeFile(note, 'x', { mode: 0o644 });
    expect(await canRead(note)).toBe(true);
    const steady = await connectTo(await startTestServer(workspace));
    await createJob(steady, await uploadTo(steady, workspace));
    expect(await canRead(note)).toBe(false);
    expect(await canRead(join(workspace.dataDir, 'tokenflow.db'))).toBe(false);
  });

  test('cannot make a server use a folder that is theirs', async () => {
    const { dataDir } = await createOpenWorkspace();
    const module = JSON.stringify(new URL('../../companion-server/src/store/private-folder.ts', import.meta.url).href);
    const code = `const { closeToOthers } = await import(${module});
      try { closeToOthers(${JSON.stringify(dataDir)}); } catch (error) { console.log(error.message); }`;
    const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', code];
    const env = { ...process.env, TSX_DISABLE_CACHE: '1' };
    const { stdout } = await run(process.execPath, args, { ...nobody, env });
    expect(stdout).toContain('cannot be: it belongs to another user');
  });
});

describe.skipIf(process.platform === 'win32')('a data folder', () => {
  test('that was open is closed, and one that is closed is left alone', async () => {
    const { dataDir } = await createOpenWorkspace();
    expect(closeToOthers(dataDir)).toBe(true);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    expect(closeToOthers(dataDir)).toBe(false);
  });

  test('gets files that are for their user alone from the server of the command line', async () => {
    const workspace = await createWorkspace();
    const server = startCli(workspace, ['serve', '--port', '0', '--model', 'model']);
    await server.said('Pairing code');
    const { mode } = await stat(join(workspace.dataDir, 'tokenflow.db'));
    expect(mode & 0o777).toBe(0o600);
    server.kill('SIGTERM');
    await server.ended;
  });
});

test('a link that another user could have forged from an open data folder is void', async () => {
  const workspace = await createOpenWorkspace();
  const secretOf = (): string => {
    const database = openDatabase(join(workspace.dataDir, 'tokenflow.db'), [pairingTables]);
    const secret = readSecret(database, 'links').toString('hex');
    database.close();
    return secret;
  };
  await (await startTestServer(workspace)).close();
  const [first, again] = [secretOf(), secretOf()];
  expect(again).toBe(first);
  await chmod(workspace.dataDir, 0o755);
  await (await startTestServer(workspace)).close();
  expect(secretOf()).not.toBe(first);
});

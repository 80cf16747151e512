import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { agentAt, findAdobeInstaller, type AdobeInstaller } from '../installation/adobe-installer.ts';
import { checkAdobePanel } from './adobe-panel.ts';

interface Installer {
  readonly program: string;
  readonly adobe: AdobeInstaller;
  readonly told: () => Promise<string>;
}

/** An installer that writes down what it is told, and answers with `says`. */
async function installer(says: string, exitCode = 0): Promise<Installer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tokenflow-adobe '));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const program = path.join(folder, 'agent');
  const notes = path.join(folder, 'told');
  await writeFile(program, `#!/bin/sh\nprintf '%s|' "$@" >> '${notes}'\nprintf '%s\\n' '${says}'\nexit ${exitCode}\n`, {
    mode: 0o755,
  });
  return { program, adobe: agentAt(program, 'darwin'), told: () => readFile(notes, 'utf8') };
}

test('a panel that is in the list is named with its line', async () => {
  const { adobe, told } = await installer('Enabled  TokenFlow  0.1.0');
  expect(await checkAdobePanel(adobe, '/p.ccx')).toEqual([
    { name: 'panel in Premiere', status: 'ok', detail: 'Installed: Enabled  TokenFlow  0.1.0.', advice: null },
  ]);
  expect(await told()).toBe('--list|all|');
});

test('a panel that is not in the list can be installed by hand', async () => {
  const { adobe } = await installer('Enabled  Other  1.0');
  expect(await checkAdobePanel(adobe, '/p.ccx')).toMatchObject([
    { status: 'unknown', detail: 'It is not installed.', advice: 'To have it in Premiere, double-click /p.ccx.' },
  ]);
});

test('what a failing installer says is told', async () => {
  const { adobe } = await installer('status = -160', 1);
  expect(await checkAdobePanel(adobe, null)).toMatchObject([
    { status: 'unknown', detail: "Adobe's installer does not list its panels (1): status = -160" },
  ]);
});

test('a machine without the installer has no such check', async () => {
  expect(await checkAdobePanel(null, null)).toEqual([]);
  expect(findAdobeInstaller('linux', {})).toBeNull();
  expect(findAdobeInstaller('win32', { CommonProgramFiles: '/nowhere' })).toBeNull();
});

test('a path with spaces reaches the installer as one argument', async () => {
  const { adobe, told } = await installer('');
  await adobe.install('/a b/tokenflow.ccx');
  await adobe.remove('TokenFlow');
  expect(await told()).toBe('--install|/a b/tokenflow.ccx|--remove|TokenFlow|');
});

test('on Windows the options begin with a slash', async () => {
  const { program, told } = await installer('');
  await agentAt(program, 'win32').list();
  expect(await told()).toBe('/list|all|');
});

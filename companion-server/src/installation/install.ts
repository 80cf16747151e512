// Installs a release for one user, and removes it again.

import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { releasePanel, type Release } from '../release.ts';
import { findAdobeInstaller, panelName, type AdobeInstaller } from './adobe-installer.ts';
import { applyEntries, removeEmptyFolders, removeEntries } from './apply-entries.ts';
import { entriesOf, names } from './entries.ts';
import type { Places } from './places.ts';
import { installedRelease, removeOtherVersions, useVersion } from './program-files.ts';
import { runTool } from './run-tool.ts';

export interface Machine {
  /** Linux: whether systemd runs it. */
  readonly hasSystemd: boolean;
  readonly adobe: AdobeInstaller | null;
}

export function thisMachine(): Machine {
  return { hasSystemd: existsSync('/run/systemd/system'), adobe: findAdobeInstaller() };
}

/**
 * Makes `release`, a folder among the versions, the one in use, with all that belongs to it outside of its folder. Returns
 * sentences for the user about what could not be done. Throws EditError 'output-unwritable' when the system refuses it.
 */
export async function installRelease(release: Release, places: Places, machine: Machine): Promise<string[]> {
  const { hasSystemd, adobe } = machine;
  await useVersion(release, places);
  const entries = entriesOf(places, { versionDir: release.folder, version: release.version, hasSystemd });
  const leftOut = await applyEntries(entries);
  await tellSystem(places, hasSystemd, 'installed');
  await removeOtherVersions(places);
  return [...leftOut, ...(await installPanel(release, places, adobe))];
}

/** The system reads some entries only when it is told to. Where that fails it reads them at the next login. */
async function tellSystem(places: Places, hasSystemd: boolean, what: 'installed' | 'removed'): Promise<void> {
  if (places.platform === 'linux' && hasSystemd) await runTool('systemctl', ['--user', 'daemon-reload']);
  if (places.platform !== 'darwin') return;
  const domain = `gui/${os.userInfo().uid}`;
  const agent = path.posix.join(places.home, 'Library', 'LaunchAgents', `${names.agent}.plist`);
  await runTool(
    'launchctl',
    what === 'installed' ? ['bootstrap', domain, agent] : ['bootout', `${domain}/${names.agent}`],
  );
}

async function installPanel(release: Release, { platform }: Places, adobe: AdobeInstaller | null): Promise<string[]> {
  const panel = releasePanel(release);
  // There is no Premiere for Linux.
  if (panel === null || platform === 'linux') return [];
  const byHand = `Double-click ${panel} to install the panel for Premiere.`;
  if (adobe === null) return [`Adobe's installer of panels was not found. ${byHand}`];
  const { exitCode, output } = await adobe.install(panel);
  return exitCode === 0 ? [] : [`Adobe's installer did not install the panel (${firstLine(output)}). ${byHand}`];
}

/**
 * Takes back everything that an installation has made: entries, panel, program. The server must not run. Returns sentences for the
 * user about what is left.
 */
export async function uninstallRelease(places: Places, { adobe }: Machine): Promise<string[]> {
  const left: string[] = [];
  if ((await adobe?.list())?.output.includes(panelName) === true) {
    const { exitCode, output } = (await adobe?.remove(panelName)) ?? { exitCode: null, output: '' };
    if (exitCode !== 0) {
      left.push(`The panel is still in Premiere (${firstLine(output)}). Remove it in Creative Cloud Desktop.`);
    }
  }
  const release = await installedRelease(places);
  const facts = { versionDir: release?.folder ?? places.versionsDir, version: release?.version ?? '' };
  await tellSystem(places, true, 'removed');
  for (const hasSystemd of [true, false]) {
    await removeEntries(entriesOf(places, { ...facts, hasSystemd }), places.home);
  }
  await removeProgram(places);
  return left;
}

async function removeProgram({ platform, programDir, home }: Places): Promise<void> {
  // On macOS the program's folder is inside of the app.
  const folder = platform === 'darwin' ? path.dirname(path.dirname(programDir)) : programDir;
  if (platform === 'win32') removeAfterExit(folder);
  else await rm(folder, { recursive: true, force: true });
  await removeEmptyFolders(path.dirname(folder), home);
}

/** The environment variable that tells the command below its folder: no name is read as a part of the command then. */
const removedVariable = 'TOKENFLOW_REMOVED_FOLDER';
const removalAttempts = 60;

/** Windows removes no file of a running program. A command waits, a second at a time, until this one has ended. */
function removeAfterExit(folder: string): void {
  const waits = `if exist "%${removedVariable}%\\*" ping -n 2 127.0.0.1 >nul`;
  const again = `for /l %i in (1,1,${removalAttempts}) do (rmdir /s /q "%${removedVariable}%" 2>nul & ${waits})`;
  spawn('cmd.exe', ['/d', '/s', '/c', `"${again}"`], {
    cwd: os.tmpdir(),
    env: { ...process.env, [removedVariable]: folder },
    detached: true,
    stdio: 'ignore',
    windowsHide: true,
    windowsVerbatimArguments: true,
  }).unref();
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.trim().slice(0, 200) ?? '';
}

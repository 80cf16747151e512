// What an installation leaves outside of its own folder, as data: the login item, the address scheme tokenflow://, the entry in
// the menu, the command for terminals. Uninstalling takes back the same list.

import path from 'node:path';
import { programIn, type Places } from './places.ts';

export type Entry =
  | { readonly kind: 'file'; readonly path: string; readonly text: string; readonly mode?: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  /** A value of the registry; `name` null is the key's own. `owned`: the key goes as a whole. */
  | {
      readonly kind: 'registry';
      readonly key: string;
      readonly name: string | null;
      readonly value: string;
      readonly owned: string | null;
    }
  /** A line of a file of sections, which others write as well. */
  | {
      readonly kind: 'setting';
      readonly path: string;
      readonly section: string;
      readonly name: string;
      readonly value: string;
    };

export interface Installed {
  /** Absolute: the folder of the version in use. */
  readonly versionDir: string;
  readonly version: string;
  /** Linux: whether systemd runs this machine. Without it, the desktop starts the server. */
  readonly hasSystemd: boolean;
}

/** The names that the system knows the parts by. */
export const names = {
  unit: 'tokenflow.service',
  desktopFile: 'tokenflow.desktop',
  agent: 'tokenflow.premiere.server',
  registryValue: 'TokenFlow',
} as const;

export function entriesOf(places: Places, installed: Installed): readonly Entry[] {
  if (places.platform === 'win32') return windowsEntries(places, installed);
  return places.platform === 'darwin' ? macEntries(places, installed) : linuxEntries(places, installed);
}

const runKey = 'HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run';
const schemeKey = 'HKCU\\Software\\Classes\\tokenflow';

function windowsEntries({ startMenuDir, commandDir, launcher }: Places, { versionDir }: Installed): readonly Entry[] {
  const { command, firstArguments } = programIn(versionDir, 'win32');
  // Without cmd.exe, which would read a part of an address as a command of its own.
  const program = [command, ...firstArguments].map((part) => `"${part}"`).join(' ');
  const scheme = { kind: 'registry', owned: schemeKey } as const;
  return [
    { kind: 'file', path: launcher, text: windowsLauncher },
    { kind: 'file', path: path.win32.join(commandDir, 'tokenflow.cmd'), text: windowsCommand },
    { kind: 'registry', key: runKey, name: names.registryValue, value: `${program} start --no-wait`, owned: null },
    { ...scheme, key: schemeKey, name: null, value: 'URL:TokenFlow' },
    { ...scheme, key: schemeKey, name: 'URL Protocol', value: '' },
    { ...scheme, key: `${schemeKey}\\shell\\open\\command`, name: null, value: `${program} start "%1"` },
    {
      kind: 'file',
      path: path.win32.join(startMenuDir, 'TokenFlow.url'),
      text: '[InternetShortcut]\r\nURL=tokenflow://open\r\n',
    },
  ];
}

/** Names no folder: the code page of a script does not matter then. */
const windowsLauncher = [
  '@echo off',
  'rem Starts the version of TokenFlow that is in use.',
  'setlocal',
  'set /p version=<"%~dp0current"',
  '"%~dp0versions\\%version%\\TokenFlow.cmd" %*',
  '',
].join('\r\n');

/** What `tokenflow` is in a terminal. Names no folder either. */
const windowsCommand = '@"%LOCALAPPDATA%\\Programs\\TokenFlow\\TokenFlow.cmd" %*\r\n';

function unixLauncher(programDir: string): string {
  const folder = shellQuoted(programDir);
  return `#!/bin/sh
# Starts the version of TokenFlow that is in use.
exec ${folder}/versions/"$(cat ${folder}/current)"/tokenflow "$@"
`;
}

function macEntries({ programDir, home, launcher }: Places, { version }: Installed): readonly Entry[] {
  const contents = path.posix.dirname(programDir);
  return [
    { kind: 'file', path: launcher, text: unixLauncher(programDir), mode: 0o755 },
    { kind: 'file', path: path.posix.join(contents, 'Info.plist'), text: bundleInfo(version) },
    {
      kind: 'file',
      path: path.posix.join(contents, 'MacOS', 'TokenFlow'),
      // macOS gives the address to a program by an event that a script cannot read: every start opens the panel.
      text: `#!/bin/sh\nexec ${shellQuoted(launcher)} open\n`,
      mode: 0o755,
    },
    {
      kind: 'file',
      path: path.posix.join(home, 'Library', 'LaunchAgents', `${names.agent}.plist`),
      text: plist({
        Label: names.agent,
        ProgramArguments: [launcher, 'serve', '--no-open'],
        RunAtLoad: true,
        KeepAlive: { SuccessfulExit: false },
        ProcessType: 'Interactive',
      }),
    },
  ];
}

function bundleInfo(version: string): string {
  return plist({
    CFBundleIdentifier: 'tokenflow.premiere.app',
    CFBundleName: 'TokenFlow',
    CFBundleExecutable: 'TokenFlow',
    CFBundlePackageType: 'APPL',
    CFBundleShortVersionString: version,
    CFBundleVersion: version,
    LSUIElement: true,
    CFBundleURLTypes: [{ CFBundleURLName: 'tokenflow.premiere', CFBundleURLSchemes: ['tokenflow'] }],
  });
}

type PlistValue = string | boolean | readonly PlistValue[] | { readonly [key: string]: PlistValue };

/** A property list (`man plist`). */
export function plist(value: PlistValue): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    `<plist version="1.0">${plistValue(value)}</plist>`,
    '',
  ].join('\n');
}

function plistValue(value: PlistValue): string {
  if (typeof value === 'boolean') return value ? '<true/>' : '<false/>';
  if (typeof value === 'string') return `<string>${xmlText(value)}</string>`;
  if (Array.isArray(value)) return `<array>${value.map(plistValue).join('')}</array>`;
  const pairs = Object.entries(value as Readonly<Record<string, PlistValue>>);
  return `<dict>${pairs.map(([key, inner]) => `<key>${xmlText(key)}</key>${plistValue(inner)}`).join('')}</dict>`;
}

function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function linuxEntries(places: Places, { hasSystemd }: Installed): readonly Entry[] {
  const { programDir, home, launcher, userDataDir, configDir } = places;
  return [
    { kind: 'file', path: launcher, text: unixLauncher(programDir), mode: 0o755 },
    { kind: 'link', path: path.posix.join(home, '.local', 'bin', 'tokenflow'), target: launcher },
    {
      kind: 'file',
      path: path.posix.join(userDataDir, 'applications', names.desktopFile),
      text: desktopEntry([
        'Comment=Edits clips with words',
        `Exec=${desktopQuoted(launcher)} start %u`,
        'MimeType=x-scheme-handler/tokenflow;',
        'NoDisplay=true',
      ]),
    },
    {
      kind: 'file',
      path: path.posix.join(userDataDir, 'applications', 'tokenflow-panel.desktop'),
      text: desktopEntry([
        'Comment=Edits clips with words',
        `Exec=${desktopQuoted(launcher)} open`,
        'Categories=AudioVideo;Video;',
      ]),
    },
    {
      kind: 'setting',
      path: path.posix.join(configDir, 'mimeapps.list'),
      section: 'Default Applications',
      name: 'x-scheme-handler/tokenflow',
      value: names.desktopFile,
    },
    ...(hasSystemd ? systemdEntries(places) : [autostartEntry(places)]),
  ];
}

function systemdEntries({ configDir, launcher }: Places): readonly Entry[] {
  const unit = path.posix.join(configDir, 'systemd', 'user', names.unit);
  return [
    {
      kind: 'file',
      path: unit,
      text: [
        '[Unit]',
        'Description=TokenFlow companion server',
        '',
        '[Service]',
        `ExecStart=${unitQuoted(launcher)} serve --no-open`,
        'Restart=on-failure',
        '',
        '[Install]',
        'WantedBy=default.target',
        '',
      ].join('\n'),
    },
    // What `systemctl --user enable` makes.
    {
      kind: 'link',
      path: path.posix.join(configDir, 'systemd', 'user', 'default.target.wants', names.unit),
      target: unit,
    },
  ];
}

function autostartEntry({ configDir, launcher }: Places): Entry {
  return {
    kind: 'file',
    path: path.posix.join(configDir, 'autostart', names.desktopFile),
    text: desktopEntry([`Exec=${desktopQuoted(launcher)} start --no-wait`, 'NoDisplay=true']),
  };
}

function desktopEntry(lines: readonly string[]): string {
  return ['[Desktop Entry]', 'Type=Application', 'Name=TokenFlow', ...lines, ''].join('\n');
}

/** An argument of Exec= (Desktop Entry Specification 1.5, "The Exec key"); a percent sign would begin a field code. */
function desktopQuoted(text: string): string {
  const quoted = text.replaceAll(/["`$\\]/g, '\\$&').replaceAll('%', '%%');
  return `"${quoted.replaceAll('\\', '\\\\')}"`;
}

/** An argument of ExecStart= (`man systemd.service`, "Command lines"). */
function unitQuoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`;
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

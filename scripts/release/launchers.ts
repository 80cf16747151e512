// What is in an archive beside the program: the scripts to click on, and a first page to read.

import type { ArchivedFile } from '../../companion-server/src/archives/archived-file.ts';
import { programPlaces } from '../../companion-server/src/typed-command.ts';
import type { Target } from './targets.ts';

/** Without arguments, as after a double click, the panel is opened. */
const unixLauncher = `#!/bin/sh
# Starts TokenFlow. Without arguments: opens the panel, and sets TokenFlow up for this user when it is not yet.
here=$(cd "$(dirname "$0")" && pwd -P) || exit 1
[ $# -gt 0 ] || set -- open
exec "$here/runtime/node" "$here/app/server/main.mjs" "$@"
`;

/** Finder opens it in a terminal window, which shows what happens. */
const macLauncher = `#!/bin/sh
# Opens the panel of TokenFlow, and sets TokenFlow up for this user when it is not yet.
exec "$(dirname "$0")/tokenflow" open
`;

/** After a double click the window stays open only when something failed. */
const windowsLauncher = `@echo off
rem Starts TokenFlow. Without arguments: opens the panel, and sets TokenFlow up for this user when it is not yet.
setlocal
set "command="
if "%~1"=="" set "command=open"
"%~dp0runtime\\node.exe" "%~dp0app\\server\\main.mjs" %command% %*
set "code=%errorlevel%"
if not "%code%"=="0" if "%command%"=="open" pause
exit /b %code%
`;

const windows = (text: string): string => text.replaceAll('\n', '\r\n');

/** The scripts and README.txt of an archive. */
export function launchersOf({ platform }: Pick<Target, 'platform'>): ArchivedFile[] {
  if (platform === 'win32') {
    return [
      file('TokenFlow.cmd', windows(windowsLauncher), 0o755),
      file('README.txt', windows(readme(platform)), 0o644),
    ];
  }
  return [
    file('tokenflow', unixLauncher, 0o755),
    ...(platform === 'darwin' ? [file('TokenFlow.command', macLauncher, 0o755)] : []),
    file('README.txt', readme(platform), 0o644),
  ];
}

function file(name: string, text: string, mode: number): ArchivedFile {
  return { name, mode, data: Buffer.from(text) };
}

const opens = {
  win32: 'Double-click TokenFlow.cmd.',
  darwin: 'Double-click TokenFlow.command.',
  linux: 'Run ./tokenflow in this folder.',
} as const;

/** How the installed program is called in a terminal: on macOS no folder of a user is on the PATH. */
export const programInTerminal = {
  win32: 'tokenflow',
  darwin: programPlaces.darwin,
  linux: 'tokenflow',
} as const;

function readme(platform: Target['platform']): string {
  const command = programInTerminal[platform];
  return `TokenFlow for Premiere

1. ${opens[platform]}
   It copies itself to its place in your own folders, starts with your computer
   from then on, and opens its page in your browser. It asks for no administrator.
2. Drop a clip into the page, or try the sample clip.
3. In Premiere (26.3 or later) the panel is under Window > UXP Plugins > TokenFlow.

You can delete this folder afterwards.

In a terminal:

    ${command} status
    ${command} stop
    ${command} start
    ${command} uninstall

Licences: LICENSE, THIRD-PARTY.txt.
`;
}

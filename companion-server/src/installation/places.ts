// Where an installed TokenFlow is on a machine. Everything belongs to one user: no administrator is needed.

import { homedir } from 'node:os';
import path from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Places {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  /** The folder that holds the program and nothing else. */
  readonly programDir: string;
  /** Below it a folder for each version; usually there is one. */
  readonly versionsDir: string;
  /** Names the version that is used. */
  readonly currentFile: string;
  /** The script that starts the version in use. Its place stays the same. */
  readonly launcher: string;
  /** Linux: `XDG_CONFIG_HOME`, `XDG_DATA_HOME`. */
  readonly configDir: string;
  readonly userDataDir: string;
  /** Windows: the folder of the start menu. */
  readonly startMenuDir: string;
  /** Windows: a folder of the user that is on the PATH since Windows 10. */
  readonly commandDir: string;
}

/** The places of the user whose environment it is. */
export function placesOf(
  env: Environment,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): Places {
  const join = joinerOf(platform);
  const given = (name: string, otherwise: string): string => {
    const value = env[name];
    return value === undefined || value === '' ? otherwise : value;
  };
  const local = given('LOCALAPPDATA', join(home, 'AppData', 'Local'));
  const programDir =
    platform === 'win32'
      ? join(local, 'Programs', 'TokenFlow')
      : platform === 'darwin'
        ? join(home, 'Applications', 'TokenFlow.app', 'Contents', 'Resources')
        : join(home, '.local', 'lib', 'tokenflow');
  const roaming = given('APPDATA', join(home, 'AppData', 'Roaming'));
  return {
    platform,
    home,
    programDir,
    versionsDir: join(programDir, 'versions'),
    currentFile: join(programDir, 'current'),
    launcher: join(programDir, platform === 'win32' ? 'TokenFlow.cmd' : 'tokenflow'),
    configDir: given('XDG_CONFIG_HOME', join(home, '.config')),
    userDataDir: given('XDG_DATA_HOME', join(home, '.local', 'share')),
    startMenuDir: join(roaming, 'Microsoft', 'Windows', 'Start Menu', 'Programs'),
    commandDir: join(local, 'Microsoft', 'WindowsApps'),
  };
}

/** What starts the program without a shell. */
export interface ProgramStart {
  readonly command: string;
  readonly firstArguments: readonly string[];
}

/** How the release in `folder` is started. */
export function programIn(folder: string, platform: NodeJS.Platform = process.platform): ProgramStart {
  const join = joinerOf(platform);
  return {
    command: join(folder, 'runtime', platform === 'win32' ? 'node.exe' : 'node'),
    firstArguments: [join(folder, 'app', 'server', 'main.mjs')],
  };
}

function joinerOf(platform: NodeJS.Platform): (...names: string[]) => string {
  return (...names) => (platform === 'win32' ? path.win32 : path.posix).join(...names);
}

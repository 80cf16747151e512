// Adobe's UnifiedPluginInstallerAgent, which comes with Creative Cloud Desktop: installs and lists panels without a window
// (https://developer.adobe.com/premiere-pro/uxp/plugins/distribution/install).

import { existsSync } from 'node:fs';
import path from 'node:path';
import { runTool, type ToolEnd } from './run-tool.ts';

/** The name of our panel in its list. */
export const panelName = 'TokenFlow';

const places = {
  win32: (env: NodeJS.ProcessEnv) =>
    path.win32.join(
      env['CommonProgramFiles'] ?? 'C:\\Program Files\\Common Files',
      ...['Adobe', 'Adobe Desktop Common', 'RemoteComponents', 'UPI'],
      ...['UnifiedPluginInstallerAgent', 'UnifiedPluginInstallerAgent.exe'],
    ),
  darwin: () =>
    path.posix.join(
      '/Library/Application Support/Adobe/Adobe Desktop Common/RemoteComponents/UPI',
      'UnifiedPluginInstallerAgent/UnifiedPluginInstallerAgent.app/Contents/MacOS/UnifiedPluginInstallerAgent',
    ),
} as const;

export interface AdobeInstaller {
  /** `target`: absolute path of a .ccx. */
  install(target: string): Promise<ToolEnd>;
  remove(name: string): Promise<ToolEnd>;
  /** Every plugin that is installed, in words. */
  list(): Promise<ToolEnd>;
}

/** The agent of this machine; null where there is none: without Creative Cloud Desktop, and on Linux. */
export function findAdobeInstaller(
  platform: NodeJS.Platform = process.platform,
  env: NodeJS.ProcessEnv = process.env,
): AdobeInstaller | null {
  if (platform !== 'win32' && platform !== 'darwin') return null;
  const program = places[platform](env);
  return existsSync(program) ? agentAt(program, platform) : null;
}

/** The agent at a path. Its options begin with `/` on Windows, and with `--` on macOS. */
export function agentAt(program: string, platform: 'win32' | 'darwin'): AdobeInstaller {
  const option = (name: string): string => (platform === 'win32' ? `/${name}` : `--${name}`);
  return {
    install: (target) => runTool(program, [option('install'), target]),
    remove: (name) => runTool(program, [option('remove'), name]),
    list: () => runTool(program, [option('list'), 'all']),
  };
}

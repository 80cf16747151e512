// Opens a page in the user's browser.

import { runTool } from './run-tool.ts';

const openers = {
  // Not by cmd.exe, which would read parts of an address as commands.
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
  darwin: ['open'],
  linux: ['xdg-open'],
} as const;

/** Returns whether the system took the address; false also where it has no browser. */
export async function openAddress(url: string, platform: NodeJS.Platform = process.platform): Promise<boolean> {
  const [command, ...args] = platform === 'win32' || platform === 'darwin' ? openers[platform] : openers.linux;
  return (await runTool(command, [...args, url])).exitCode === 0;
}

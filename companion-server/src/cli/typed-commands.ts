// Texts name commands as they are typed in a checkout of the source. In a release they are typed in another way.

/** How an installed program is called in a terminal: where it is on no PATH by its place, in a form that a shell understands. */
export function typedProgram(platform: NodeJS.Platform): string {
  if (platform === 'win32') return '"%LOCALAPPDATA%\\Programs\\TokenFlow\\TokenFlow.cmd"';
  return platform === 'darwin' ? '~/Applications/TokenFlow.app/Contents/Resources/tokenflow' : '~/.local/bin/tokenflow';
}

/**
 * `text` with npm's commands as those of `program`: `npm run models -- pull ID` becomes `tokenflow models pull ID`. `commands`: the names
 * that the program has.
 */
export function asTypedInRelease(text: string, commands: readonly string[], program: string): string {
  const names = commands.join('|');
  // Of a JSON object the strings are changed.
  const written = text.startsWith('{') ? JSON.stringify(program).slice(1, -1) : program;
  return text
    .replaceAll(/\bnpm start\b( --(?= -))?/g, () => `${written} start`)
    .replaceAll(new RegExp(`\\bnpm run (${names})\\b( --(?= ))?`, 'g'), (_whole, name: string) => `${written} ${name}`);
}

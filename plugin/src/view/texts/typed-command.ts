// How a command is typed in a terminal, by people who install the panel and by those who build it from the source.

/** Set by the build of a release: how its program is called there. */
declare const PROGRAM_IN_TERMINAL: string | undefined;

const program = typeof PROGRAM_IN_TERMINAL === 'string' ? PROGRAM_IN_TERMINAL : null;

/** Whether the commands are those of an installed program. */
export const isInstalledProgram = program !== null;

/** `words`: a command with its arguments, for example `pair --list`. */
export function typedCommand(words: string): string {
  if (program !== null) return `${program} ${words}`;
  const [name = '', ...rest] = words.split(' ');
  const script = name === 'start' ? 'npm start' : `npm run ${name}`;
  return rest.length === 0 ? script : `${script} -- ${rest.join(' ')}`;
}

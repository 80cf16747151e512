// The program's entry, and the only place that knows all of its parts: the commands and the engine.

import { allCommands } from './cli/all-commands.ts';
import { runProgram } from './cli/program.ts';

await runProgram({
  commands: allCommands,
  engineEntry: new URL('./engine/worker/process.ts', import.meta.url),
});

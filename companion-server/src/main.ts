// The program's entry, and the only place that knows all of its parts: the commands and the engine.

import { demoCommand } from './cli/demo.ts';
import { editCommand } from './cli/edit.ts';
import { runProgram } from './cli/program.ts';
import { serveCommand } from './cli/serve.ts';

await runProgram({
  commands: [demoCommand, editCommand, serveCommand],
  engineEntry: new URL('./engine/process.ts', import.meta.url),
});

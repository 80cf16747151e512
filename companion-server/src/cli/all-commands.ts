// Every command, in the order of --help.

import type { Command } from './command.ts';
import { demoCommand } from './demo.ts';
import { editCommand } from './edit.ts';
import { modelsCommand } from './models.ts';
import { pairCommand } from './pair.ts';
import { serveCommand } from './serve.ts';

export const allCommands: readonly Command[] = [
  demoCommand,
  editCommand,
  serveCommand,
  pairCommand,
  modelsCommand,
];

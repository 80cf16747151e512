// Every command, in the order of --help.

import { cacheCommand } from './cache.ts';
import type { Command } from './command.ts';
import { demoCommand } from './demo.ts';
import { doctorCommand } from './doctor.ts';
import { editCommand } from './edit.ts';
import { jobsCommand } from './jobs.ts';
import { logsCommand } from './logs.ts';
import { modelsCommand } from './models.ts';
import { pairCommand } from './pair.ts';
import { serveCommand } from './serve.ts';

export const allCommands: readonly Command[] = [
  demoCommand,
  editCommand,
  serveCommand,
  pairCommand,
  jobsCommand,
  modelsCommand,
  cacheCommand,
  doctorCommand,
  logsCommand,
];

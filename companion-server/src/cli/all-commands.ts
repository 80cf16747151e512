// Every command, in the order of --help.

import { cacheCommand } from './commands/cache.ts';
import type { Command } from './command.ts';
import { connectCommand, disconnectCommand } from './commands/connect.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { editCommand } from './commands/edit.ts';
import { framesCommand } from './commands/frames.ts';
import { installCommand, openCommand, uninstallCommand, updateCommand } from './commands/install.ts';
import { jobsCommand } from './commands/jobs.ts';
import { logsCommand } from './commands/logs.ts';
import { modelsCommand } from './commands/models.ts';
import { panelLinkCommand } from './commands/panel-link.ts';
import { pairCommand } from './commands/pair.ts';
import { serveCommand } from './commands/serve.ts';
import { startCommand, statusCommand, stopCommand } from './commands/start.ts';
import { workerCommand } from './commands/worker.ts';
import { workersCommand } from './commands/workers.ts';

export const allCommands: readonly Command[] = [
  demoCommand,
  editCommand,
  framesCommand,
  serveCommand,
  panelLinkCommand,
  openCommand,
  startCommand,
  stopCommand,
  statusCommand,
  pairCommand,
  connectCommand,
  disconnectCommand,
  jobsCommand,
  workerCommand,
  workersCommand,
  modelsCommand,
  cacheCommand,
  doctorCommand,
  logsCommand,
  installCommand,
  updateCommand,
  uninstallCommand,
];

// `worker`: a process that does jobs of a server on another machine.

import { once } from 'node:events';
import { join } from 'node:path';
import { readConfig } from '../../app/config.ts';
import { readFarm } from '../../app/farm-config.ts';
import { createLogFile } from '../../app/log-file.ts';
import { createLog, logLevels } from '../../app/log.ts';
import { version } from '../../app/version.ts';
import { EditError } from '../../errors.ts';
import { typed } from '../../typed-command.ts';
import { defineCommand } from '../command.ts';
import { readingOptions, readReading } from '../reading-options.ts';

export const workerCommand = defineCommand({
  name: 'worker',
  usage: '[options]',
  summary: 'Do jobs of a server on another machine until Ctrl+C; see docs/farm.md.',
  options: {
    model: {
      kind: 'text',
      placeholder: 'NAME|DIR|FILE',
      help: `A model by its name (see ${typed('models')}), a checkpoint folder, or a checkpoint in one .safetensors file, beside those of this machine.`,
    },
    ...readingOptions,
    log: { kind: 'choice', choices: logLevels, help: 'Least level that is logged. Default: info.' },
  },
  notes: [
    'TOKENFLOW_QUEUE and TOKENFLOW_STORE are those of the server. The worker needs the models that jobs name, under the same names.',
    'Ctrl+C or SIGTERM: it takes no more jobs, and returns the running one to the queue; another worker goes on after its last stored step. A second signal ends it at once.',
  ],
  async run({ values, positionals }, { env, stdout, stderr, signal, startWorker }) {
    if (positionals[0] !== undefined) {
      throw new EditError('invalid-request', `worker takes no argument, got '${positionals[0]}'.`);
    }
    // What the engine writes is for its user alone.
    process.umask(0o077);
    const farm = readFarm(env);
    const flags = { modelDir: values.model, reading: readReading(values), logLevel: values.log };
    const config = { ...(await readConfig(flags, env)), farm };
    const logFile = createLogFile({
      dir: join(config.dataDir, 'workers', 'logs'),
      onFailure: (error) => stderr.write(`The log file cannot be written: ${String(error)}\n`),
    });
    const log = createLog({
      level: config.logLevel,
      write: (line) => stderr.write(line),
      writeJson: (line) => logFile.write(line),
    });
    log.info('The worker starts.', { version, node: process.version, platform: process.platform });
    try {
      const worker = await startWorker(config, log);
      try {
        stdout.write(`The worker ${worker.name} waits for jobs.\nLog: ${logFile.path}\n`);
        if (!signal.aborted) await once(signal, 'abort');
        log.info('The worker stops.');
      } finally {
        await worker.close();
      }
    } finally {
      logFile.close();
    }
  },
});

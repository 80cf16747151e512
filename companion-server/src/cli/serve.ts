// `serve`: the companion server for the panel.

import { once } from 'node:events';
import { defaultPort, readConfig } from '../config.ts';
import { EditError } from '../errors.ts';
import { createLog, logLevels } from '../log.ts';
import { defineCommand } from './command.ts';
import { removeServerFile, writeServerFile } from './server-file.ts';

export const serveCommand = defineCommand({
  name: 'serve',
  usage: '[options]',
  summary: 'Run the companion server on 127.0.0.1 until Ctrl+C.',
  options: {
    port: { kind: 'number', placeholder: 'N', help: `TCP port. Default: ${defaultPort}.` },
    model: {
      kind: 'text',
      placeholder: 'DIR',
      help: 'Checkpoint folder in diffusers layout. Default: TOKENFLOW_MODEL, then models/demo.',
    },
    log: { kind: 'choice', choices: logLevels, help: 'Least level that is logged. Default: info.' },
  },
  notes: [
    'A client must present the token of the server, which is made anew at every start and written to server.json in the cache folder, readable by the user only.',
    'TOKENFLOW_DATA moves the data folder, TOKENFLOW_CACHE the cache folder; TOKENFLOW_LOG is --log.',
  ],
  async run({ values, positionals }, { env, stdout, stderr, signal, startServer }) {
    if (positionals[0] !== undefined) {
      throw new EditError('invalid-request', `serve takes no argument, got '${positionals[0]}'.`);
    }
    const flags = { port: readPort(values.port), modelDir: values.model, logLevel: values.log };
    const config = readConfig(flags, env);
    const log = createLog({ level: config.logLevel, write: (line) => stderr.write(line) });
    const server = await startServer(config, log);
    try {
      const tokenFile = await writeServerFile(config.cacheDir, server);
      stdout.write(`The companion server listens on ${server.url}\n`);
      stdout.write(`Its token is in ${tokenFile}\n`);
      const models = [...config.models.keys()].join(', ');
      stdout.write(`Models: ${models === '' ? 'none; see --model' : models}\n`);
      if (!signal.aborted) await once(signal, 'abort');
    } finally {
      await removeServerFile(config.cacheDir, server.token);
      await server.close();
    }
  },
});

function readPort(port: number | undefined): number | undefined {
  if (port === undefined || (Number.isInteger(port) && port >= 0 && port <= 65_535)) return port;
  throw new EditError(
    'invalid-request',
    `--port must be a whole number between 0 and 65535, got ${port}.`,
  );
}

// `serve`: the companion server for the panel.

import { once } from 'node:events';
import { join } from 'node:path';
import { defaultPort, readConfig } from '../../app/config.ts';
import { EditError } from '../../errors.ts';
import { isFullDisk } from '../../files/disk-error.ts';
import { createLogFile } from '../../app/log-file.ts';
import { createLog, logLevels } from '../../app/log.ts';
import { version } from '../../app/version.ts';
import { defineCommand } from '../command.ts';
import { removeServerFile, writeServerFile } from '../server-file.ts';

export const serveCommand = defineCommand({
  name: 'serve',
  usage: '[options]',
  summary: 'Run the companion server on 127.0.0.1 and ::1 until Ctrl+C.',
  options: {
    port: { kind: 'number', placeholder: 'N', help: `TCP port. Default: ${defaultPort}.` },
    model: {
      kind: 'text',
      placeholder: 'NAME|DIR',
      help: 'A model by its name (see models list), or a checkpoint folder. Default: TOKENFLOW_MODEL, then demo.',
    },
    log: { kind: 'choice', choices: logLevels, help: 'Least level that is logged. Default: info.' },
    listen: {
      kind: 'text',
      placeholder: 'ADDRESS',
      help: 'Serve other machines as well: over TLS, at this IP address, at the port after --port.',
    },
    'tls-cert': {
      kind: 'text',
      placeholder: 'FILE',
      help: 'Certificate for --listen, PEM. Clients must use a name that it is for.',
    },
    'tls-key': { kind: 'text', placeholder: 'FILE', help: 'Its key, PEM, not encrypted.' },
    'token-file': {
      kind: 'text',
      placeholder: 'FILE',
      help: 'Token for clients on other machines: 64 or more hexadecimal digits.',
    },
  },
  notes: [
    'A panel is paired with the code that is shown here and on the page of the server; npm run pair makes a new one. The code is for one panel and lasts ten minutes.',
    'The command line needs no code: its token is made anew at every start and written to server.json in the cache folder, readable by the user only.',
    '--listen, --tls-cert, --tls-key and --token-file come together: without one of them the server does not start.',
    'Jobs, clips and pairings are kept in the data folder, which TOKENFLOW_DATA moves; what can be made again in the cache folder, which TOKENFLOW_CACHE moves. TOKENFLOW_LOG is --log; the log is also written to the folder logs in the data folder.',
  ],
  async run({ values, positionals }, { env, stdout, stderr, signal, startServer }) {
    if (positionals[0] !== undefined) {
      throw new EditError('invalid-request', `serve takes no argument, got '${positionals[0]}'.`);
    }
    // What the server and its engine write is for their user alone.
    process.umask(0o077);
    const config = await readConfig(
      {
        port: readPort(values.port),
        modelDir: values.model,
        logLevel: values.log,
        listen: values.listen,
        tlsCert: values['tls-cert'],
        tlsKey: values['tls-key'],
        tokenFile: values['token-file'],
      },
      env,
    );
    const logFile = createLogFile({
      dir: join(config.dataDir, 'logs'),
      onFailure: (error) => stderr.write(`The log file cannot be written: ${String(error)}\n`),
    });
    const log = createLog({
      level: config.logLevel,
      write: (line) => stderr.write(line),
      writeJson: (line) => logFile.write(line),
    });
    log.info('The server starts.', { version, node: process.version, platform: process.platform });
    try {
      const server = await startServer(config, log);
      try {
        const tokenFile = await writeServerFile(config.cacheDir, server).catch((error: unknown) => {
          if (!isFullDisk(error)) throw error;
          log.warn('The disk of the cache folder is full: the command line cannot reach this server.');
          return null;
        });
        const models = [...config.models.keys()].join(', ');
        stdout.write(
          [
            `The companion server listens on ${server.url}`,
            ...(server.remoteUrl === null ? [] : [`Other machines reach it at ${server.remoteUrl}`]),
            `Its page: ${server.pageUrl}`,
            ...(tokenFile === null ? [] : [`The token of the command line is in ${tokenFile}`]),
            `Log: ${logFile.path}`,
            '',
            `    Pairing code: ${server.pairingCode}`,
            '',
            'Type it into the panel within ten minutes; npm run pair makes a new one.',
            `Models: ${models === '' ? 'none; see --model' : models}`,
            '',
          ].join('\n'),
        );
        if (!signal.aborted) await Promise.race([once(signal, 'abort'), server.stopRequested]);
        log.info('The server stops.');
      } finally {
        await removeServerFile(config.cacheDir, server.token);
        await server.close();
      }
    } finally {
      logFile.close();
    }
  },
});

function readPort(port: number | undefined): number | undefined {
  if (port === undefined || (Number.isInteger(port) && port >= 0 && port <= 65_535)) return port;
  throw new EditError('invalid-request', `--port must be a whole number between 0 and 65535, got ${port}.`);
}

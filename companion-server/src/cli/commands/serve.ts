// `serve`: the companion server for the panel.

import { once } from 'node:events';
import { join } from 'node:path';
import { companionPorts } from '../../../../protocol/ports.ts';
import { readConfig } from '../../app/config.ts';
import { readFarm } from '../../app/farm-config.ts';
import { EditError } from '../../errors.ts';
import { isFullDisk } from '../../files/disk-error.ts';
import { createLogFile } from '../../app/log-file.ts';
import { createLog, logLevels } from '../../app/log.ts';
import { version } from '../../app/version.ts';
import { defineCommand } from '../command.ts';
import { readingOptions, readReading } from '../reading-options.ts';
import { openAddress } from '../../installation/open-address.ts';
import { removeServerFile, writeServerFile } from '../server-file.ts';
import { typed } from '../../typed-command.ts';

export const serveCommand = defineCommand({
  name: 'serve',
  usage: '[options]',
  summary: 'Run the companion server on 127.0.0.1 and ::1 until Ctrl+C.',
  options: {
    port: {
      kind: 'number',
      placeholder: 'N',
      help: `TCP port. Default: the first of ${companionPorts.join(', ')} that is free.`,
    },
    model: {
      kind: 'text',
      placeholder: 'NAME|DIR|FILE',
      help: `A model by its name (see ${typed('models')}), a checkpoint folder, or a checkpoint in one .safetensors file. Default: TOKENFLOW_MODEL, then demo.`,
    },
    ...readingOptions,
    'no-open': { kind: 'flag', help: 'Do not open the panel in the browser.' },
    'no-jobs': {
      kind: 'flag',
      help: 'Leave all jobs to workers on other machines. Needs TOKENFLOW_QUEUE; see docs/farm.md.',
    },
    log: { kind: 'choice', choices: logLevels, help: 'Least level that is logged. Default: info.' },
    listen: {
      kind: 'text',
      placeholder: 'ADDRESS',
      help: 'Serve other machines as well: over TLS, at this IP address, at the port after --port, else at 47864.',
    },
    'tls-cert': {
      kind: 'text',
      placeholder: 'FILE',
      help: 'Certificate for --listen, PEM. Clients must use a name that it is for. Default: one that the server makes and keeps in the data folder.',
    },
    'tls-key': { kind: 'text', placeholder: 'FILE', help: 'Its key, PEM, not encrypted.' },
    'token-file': {
      kind: 'text',
      placeholder: 'FILE',
      help: 'Token for clients on other machines that are not paired: 64 or more hexadecimal digits. Default: only paired clients.',
    },
  },
  notes: [
    `Where there is a desktop, the panel opens in the browser, paired by a link that is good once; ${typed('panel-link')} makes a new one. The panel in Premiere finds the server of its user and pairs by itself, if TOKENFLOW_DATA does not move the data folder.`,
    `Any other panel is paired with the code that is shown here and on the page of the server; ${typed('pair')} makes a new one. The code is for one panel and lasts ten minutes.`,
    'Command line and panel find the server, and prove themselves, by server.json in the data folder. Its keys are made anew at every start; only the user can read it.',
    'Premiere lets its panel connect to the default ports only, whatever --port says; see docs/install.md.',
    'With --listen alone, the server makes a certificate for itself and prints its fingerprint: compare it where you connect. Other machines are always served over TLS, and only clients that are paired or have the token.',
    'Jobs, clips and pairings are kept in the data folder, which TOKENFLOW_DATA moves; what can be made again in the cache folder, which TOKENFLOW_CACHE moves. TOKENFLOW_LOG is --log; the log is also written to the folder logs in the data folder.',
  ],
  async run({ values, positionals }, { env, stdout, stderr, signal, startServer }) {
    if (positionals[0] !== undefined) {
      throw new EditError('invalid-request', `serve takes no argument, got '${positionals[0]}'.`);
    }
    // What the server and its engine write is for their user alone.
    process.umask(0o077);
    const farm = readFarm(env, !values['no-jobs']);
    const own = await readConfig(
      {
        port: readPort(values.port),
        modelDir: values.model,
        reading: readReading(values),
        logLevel: values.log,
        listen: values.listen,
        tlsCert: values['tls-cert'],
        tlsKey: values['tls-key'],
        tokenFile: values['token-file'],
      },
      env,
    );
    const config = { ...own, farm };
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
        const noteFile = await writeServerFile(config.dataDir, server).catch((error: unknown) => {
          if (!isFullDisk(error)) throw error;
          log.warn('The disk of the data folder is full: command line and panel do not find this server.');
          return null;
        });
        const link = server.openLink();
        const isOpened = !values['no-open'] && (await openAddress(link, env));
        const models = [...config.models.keys()].join(', ');
        stdout.write(
          [
            `The companion server listens on ${server.url}`,
            ...(server.remoteUrl === null || config.remote == null
              ? []
              : [
                  `Other machines reach it at ${server.remoteUrl}`,
                  `Fingerprint of its certificate: ${config.remote.fingerprint}`,
                ]),
            `The panel${isOpened ? ', which the browser opens' : ''}: ${link}`,
            `This link is good once, for five minutes; ${typed('panel-link')} makes a new one.`,
            `The server's page: ${server.pageUrl}`,
            ...(noteFile === null ? [] : [`What command line and panel find it by: ${noteFile}`]),
            `Log: ${logFile.path}`,
            '',
            `    Pairing code: ${server.pairingCode}`,
            '',
            `It pairs any other panel within ten minutes; ${typed('pair')} makes a new one.`,
            `Models: ${models === '' ? 'none; see --model' : models}`,
            '',
          ].join('\n'),
        );
        if (!signal.aborted) await Promise.race([once(signal, 'abort'), server.stopRequested]);
        log.info('The server stops.');
      } finally {
        await removeServerFile(config.dataDir, server.token);
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

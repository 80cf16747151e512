// `start`, `stop`, `status`: the companion server in the background.

import { EditError } from '../../errors.ts';
import { openAddress } from '../../installation/open-address.ts';
import type { ProgramStart } from '../../installation/places.ts';
import { findServer, launchServer, startInBackground, stopServer, type RunningFacts } from '../background-server.ts';
import { defineCommand, type CommandContext } from '../command.ts';
import { panelLink } from './panel-link.ts';
import { readStartAddress } from '../start-address.ts';

/** Exit code of `status` for a service that does not run (Linux Standard Base 5.0, "Init Script Actions"). */
const notRunningExitCode = 3;

/** How this process was started. */
export function ownProgram(): ProgramStart {
  const [, entry = ''] = process.argv;
  return { command: process.execPath, firstArguments: [...process.execArgv, entry] };
}

export const startCommand = defineCommand({
  name: 'start',
  usage: '[tokenflow://start] [options]',
  summary: 'Start the companion server in the background, and wait until it answers.',
  options: {
    port: { kind: 'number', placeholder: 'N', help: 'As of serve.' },
    model: { kind: 'text', placeholder: 'NAME|DIR', help: 'As of serve.' },
    'no-wait': { kind: 'flag', help: 'Return at once.' },
    json: { kind: 'flag', help: 'Print one JSON object.' },
  },
  notes: [
    'A server that runs already stays as it is. What the server writes is in the file start.log of the folder logs in the data folder.',
    'The address tokenflow://start is what the panel opens to start the server; tokenflow://open opens the panel in the browser as well.',
  ],
  async run({ values, positionals }, context) {
    const action = readStartAddress(positionals);
    const { port, model } = values;
    const options = [
      ...(port === undefined ? [] : ['--port', String(port)]),
      ...(model === undefined ? [] : ['--model', model]),
    ];
    const program = ownProgram();
    if (values['no-wait']) {
      if ((await findServer(context.env)) === null) launchServer({ env: context.env, program, options });
      return;
    }
    const { facts, isNew } = await ensureServer(context, program, options);
    tell(context, values.json, facts, isNew ? 'The companion server has started' : 'The companion server runs already');
    if (action === 'open') await openPanel(context);
  },
});

/** The server that runs, or a new one. */
export async function ensureServer(
  { env, signal }: CommandContext,
  program: ProgramStart,
  options: readonly string[] = [],
): Promise<{ readonly facts: RunningFacts; readonly isNew: boolean }> {
  const running = await findServer(env);
  if (running !== null) return { facts: running, isNew: false };
  return { facts: await startInBackground({ env, signal, program, options }), isNew: true };
}

/** Opens the panel in the browser, or says its address where the system has no browser. */
export async function openPanel({ env, stdout }: CommandContext): Promise<void> {
  const { url: address } = await panelLink(env);
  const isOpened = await openAddress(address, env);
  stdout.write(isOpened ? 'The panel is open in your browser.\n' : `Open this address in your browser: ${address}\n`);
}

export const stopCommand = defineCommand({
  name: 'stop',
  usage: '[options]',
  summary: 'End the companion server of this user.',
  options: { json: { kind: 'flag', help: 'Print one JSON object.' } },
  notes: ['An edit that is running continues from its last finished step when the server is started again.'],
  async run({ values, positionals }, { env, stdout }) {
    refuseArguments('stop', positionals);
    const running = await findServer(env);
    const outcome = running === null ? 'not-running' : await stopServer(running);
    const texts = {
      ended: 'The companion server has ended.',
      killed: 'The companion server did not end in time and was killed. Edits continue at its next start.',
      'not-running': 'The companion server does not run.',
    };
    stdout.write(values.json ? `${JSON.stringify({ outcome })}\n` : `${texts[outcome]}\n`);
  },
});

export const statusCommand = defineCommand({
  name: 'status',
  usage: '[options]',
  summary: 'Say whether the companion server of this user runs, and where.',
  options: { json: { kind: 'flag', help: 'Print one JSON object.' } },
  notes: [`The exit code is 0 when the server runs, else ${notRunningExitCode}.`],
  async run({ values, positionals }, context) {
    refuseArguments('status', positionals);
    const facts = await findServer(context.env);
    if (facts !== null) {
      tell(context, values.json, facts, 'The companion server runs');
      return;
    }
    const text = values.json ? JSON.stringify({ isRunning: false }) : 'The companion server does not run.';
    context.stdout.write(`${text}\n`);
    context.setExitCode(notRunningExitCode);
  },
});

export function refuseArguments(name: string, positionals: readonly string[]): void {
  if (positionals[0] === undefined) return;
  throw new EditError('invalid-request', `${name} takes no argument, got '${positionals[0]}'.`);
}

function tell({ stdout }: CommandContext, isJson: boolean, facts: RunningFacts, what: string): void {
  const { version, processId, model, file } = facts;
  const port = Number(new URL(file.url).port);
  if (isJson) {
    stdout.write(`${JSON.stringify({ isRunning: true, port, version, model, processId })}\n`);
    return;
  }
  const lines = [
    `${what}.`,
    `  port     ${port}`,
    `  version  ${version}`,
    `  model    ${model ?? 'none'}`,
    `  process  ${processId}`,
  ];
  stdout.write(`${lines.join('\n')}\n`);
}

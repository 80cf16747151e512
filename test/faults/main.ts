// npm run test:faults [-- --rounds N] [--seed N] [--only server|engine] [--controlled]: kills the server or its engine at random
// moments of real edits of the demo model, with --controlled guided by a ControlNet, starts it again, and looks whether anything is lost, damaged or done twice.

import { once } from 'node:events';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readServerToken } from '../../companion-server/src/cli/server-file.ts';
import { connect } from '../../companion-server/src/client/connect.ts';
import { makeClip, testPicture } from '../../companion-server/src/media/testing/clips.ts';
import { makeTinyControlNet } from '../fixtures/tiny-controlnet.ts';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import { chooseMoment } from './kills/moment.ts';
import { createChoices } from './kills/choices.ts';
import { runRound, type RoundPlace, type RoundResult, type Target } from './kills/round.ts';
import { homeIn, startServerProcess } from './kills/server-process.ts';

const targets: readonly Target[] = ['server', 'engine'];
const patienceMs = 120_000;
/** In so many rounds at least one kill hits, if what is to be killed can be found. */
const roundsWithAKill = 8;
/** More than one chunk of the upload, few pixels for the model. */
const clip = { size: '480x320', rate: '8', frames: 3 } as const;
const settings = {
  ...defaultSettings(),
  prompt: 'a blue ball on snow',
  sourcePrompt: 'a red ball on grass',
  steps: 3,
  inversionSteps: 3,
  guidance: 3,
  keyframeInterval: 4,
  size: { width: 64, height: 64 },
  codec: 'h264',
} as const;
/** The server finds the ControlNet by itself. */
const canny = { kind: 'canny', scale: 1, start: 0, end: 1, guess: false } as const;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '200' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      only: { type: 'string' },
      controlled: { type: 'boolean', default: false },
    },
  });
  const [rounds, seed] = [Number(values.rounds), Number(values.seed)];
  const chosen = targets.filter((target) => (values.only ?? target) === target);
  if (!(rounds >= 1) || !Number.isInteger(seed) || chosen.length === 0) {
    console.error('usage: npm run test:faults -- [--rounds N] [--seed N] [--only server|engine] [--controlled]');
    return 2;
  }
  console.log(`seed ${seed}`);
  const folder = await mkdtemp(path.join(tmpdir(), 'tokenflow-faults-'));
  try {
    return await runRounds(folder, { rounds, seed, targets: chosen, isControlled: values.controlled });
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

interface RunOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly targets: readonly Target[];
  readonly isControlled: boolean;
}

/** Where ComfyUI would keep it, in the home of the server. */
async function installControlNet(folder: string): Promise<void> {
  const model = path.join(import.meta.dirname, '..', '..', 'models', 'demo');
  const made = await makeTinyControlNet(path.join(folder, 'controlnet'), model);
  const comfyui = path.join(homeIn(folder), 'ComfyUI', 'models');
  for (const name of ['checkpoints', 'controlnet']) await mkdir(path.join(comfyui, name), { recursive: true });
  const file = path.join(made, 'diffusion_pytorch_model.safetensors');
  await rename(file, path.join(comfyui, 'controlnet', 'canny.safetensors'));
}

async function runRounds(folder: string, options: RunOptions): Promise<number> {
  const picture = testPicture(clip.size, clip.rate, clip.frames);
  const clipPath = await makeClip(path.join(folder, 'clip.avi'), [...picture, '-c:v', 'rawvideo']);
  const port = await freePort();
  if (options.isControlled) await installControlNet(folder);
  let server = await startServerProcess({ folder, port });
  const url = `http://127.0.0.1:${port}`;
  const steady = await connect({
    url,
    token: () => readServerToken(path.join(folder, 'data'), url),
    client: { name: 'faults', version: '0' },
    patienceMs,
  });
  const restart = async (): Promise<void> => {
    server = await startServerProcess({ folder, port });
  };
  const guided = { ...settings, controls: [canny], controlledFrames: 'all' as const };
  const chosen = options.isControlled ? guided : settings;
  const place = { folder, clipPath, settings: chosen, steady, server: () => server, restart };
  try {
    return await judgeRounds(place, options);
  } catch (error) {
    console.error(server.log().slice(-5_000));
    throw error;
  } finally {
    await steady.stop();
    await server.stop();
  }
}

async function judgeRounds(place: RoundPlace, { rounds, seed, targets: chosen }: RunOptions): Promise<number> {
  const undisturbed = [await runRound(place), await runRound(place)];
  const [, { sha256, seconds }] = undisturbed as [RoundResult, RoundResult];
  if (sha256 === null || undisturbed.some((round) => round.sha256 !== sha256)) {
    console.error('Two undisturbed edits differ: nothing can be said about disturbed ones.');
    return 1;
  }
  console.log(`undisturbed: ${seconds.toFixed(1)} s, result ${sha256.slice(0, 12)}`);
  const totals = { lost: 0, corrupt: 0, faulty: 0, mostRepeated: 0 };
  const rounded = { server: 0, engine: 0 };
  const killed = { server: 0, engine: 0 };
  for (let round = 1; round <= rounds; round++) {
    const choices = createChoices(seed, round);
    const target = choices.oneOf(chosen);
    const moment = chooseMoment(choices, seconds * 1_000);
    const result = await runRound(place, { target, moment });
    const isCorrupt = result.sha256 !== null && result.sha256 !== sha256;
    if (result.sha256 === null) totals.lost++;
    else if (isCorrupt) totals.corrupt++;
    if (result.faults.length > 0) totals.faulty++;
    rounded[target]++;
    if (result.killed !== null) killed[target]++;
    totals.mostRepeated = Math.max(totals.mostRepeated, result.stepsRepeated);
    const when = `${moment.sign} + ${moment.delayMs} ms`;
    const what = result.killed === null ? `nothing left of the ${target} to kill` : `${target} killed`;
    const found = [...result.faults, ...(isCorrupt ? ['the result differs'] : [])];
    const faults = found.map((fault) => `; ${fault}`).join('');
    console.log(
      `round ${round}: ${what} at ${when}, ${result.stepsRepeated} steps repeated, ${result.seconds.toFixed(1)} s${faults}`,
    );
  }
  const { lost, corrupt, faulty, mostRepeated } = totals;
  if (faulty > lost) console.log(`rounds with other faults: ${faulty - lost}`);
  console.log(`kills: ${killed.server} of the server, ${killed.engine} of its engine`);
  const missed = chosen.filter((target) => rounded[target] >= roundsWithAKill && killed[target] === 0);
  for (const target of missed) console.log(`no kill of the ${target} in ${rounded[target]} rounds: it was not found`);
  console.log(
    `rounds: ${rounds}, lost: ${lost}, corrupt: ${corrupt}, steps repeated at most: ${mostRepeated} per kill`,
  );
  return faulty === 0 && corrupt === 0 && missed.length === 0 && mostRepeated <= 1 ? 0 : 1;
}

/** A port that is free now, and stays the server's over its restarts. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

process.exitCode = await main();

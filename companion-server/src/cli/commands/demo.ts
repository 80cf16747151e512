// `demo`: the main job on a sample clip, by the same path as the panel, with the per-frame baseline beside it.

import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DeviceChoice } from '../../../../protocol/devices.ts';
import { deviceChoices } from '../../../../protocol/devices.ts';
import { defaultSettings, type EditSettings } from '../../../../protocol/edit-settings.ts';
import { editOverSocket, type EditedClip } from '../../client/edit-over-socket.ts';
import { drawAnimation } from '../../demo/animation.ts';
import { compareFilms, readFilm, type Film } from '../../demo/comparison.ts';
import { demoPage } from '../../demo/demo-page.ts';
import { drawDemoSheet } from '../../demo/demo-sheet.ts';
import type { DemoFindings } from '../../demo/findings.ts';
import { formatTable, secondLine } from '../../demo/findings-text.ts';
import { openDemoSample, openSample, type Sample } from '../../demo/samples.ts';
import { edgeToEdge, sideBySide, writeFilm } from '../../demo/side-by-side.ts';
import { EditError } from '../../errors.ts';
import { writeGif } from '../../media/encode/encode-gif.ts';
import { encodePng } from '../../media/encode/png.ts';
import { probeClip } from '../../media/probe/probe.ts';
import { defineCommand, type CommandContext } from '../command.ts';
import { openAddress } from '../../installation/open-address.ts';
import { createReporter } from '../edit-reporter.ts';
import { openLocalSession, type EditSession } from '../session.ts';
import { typed } from '../../typed-command.ts';

/** Fewer than the embedded model's own, and no forwards for a better inversion: three edits take about a minute of two cores. */
const quickSteps = { steps: 10, inversionSteps: 10 } as const;
const defaultFolder = 'demo-output';
/** H.264's constant rate factor of films that are looked at closely. */
const filmCrf = 14;
const sideBySideHeight = 256;

export const demoCommand = defineCommand({
  name: 'demo',
  usage: '[options]',
  summary: 'Edit a sample clip with the embedded model and show what TokenFlow does.',
  options: {
    sample: { kind: 'text', placeholder: 'NAME', help: 'Which sample clip. Default: one with grain and fast motion.' },
    prompt: {
      kind: 'text',
      placeholder: 'TEXT',
      help: "Default: the sample's first target; the second prompt is another.",
    },
    model: {
      kind: 'text',
      placeholder: 'NAME|DIR',
      help: `A model by its name (see ${typed('models')}), or a checkpoint folder. Default: TOKENFLOW_MODEL, then demo.`,
    },
    device: { kind: 'choice', choices: deviceChoices, help: 'What computes. Default: auto.' },
    out: { kind: 'text', placeholder: 'DIR', help: `Default: ${defaultFolder}.` },
    'no-open': { kind: 'flag', help: 'Do not open the page in the browser.' },
  },
  notes: [
    'Writes index.html, which shows everything and needs no other file, contact-sheet.png, which shows the same without a browser, demo.gif, and the clips: original.mp4, edited.mp4, per-frame.mp4 (the same edit without TokenFlow), second.mp4 (another prompt) and side-by-side.mp4.',
    'Where there is a desktop, the page opens by itself.',
  ],
  async run({ values, positionals }, context) {
    if (positionals[0] !== undefined) {
      throw new EditError('invalid-request', `demo takes no argument, got '${positionals[0]}'.`);
    }
    const sample = await (values.sample === undefined ? openDemoSample() : openSample(values.sample));
    const folder = path.resolve(values.out ?? defaultFolder);
    await mkdir(folder, { recursive: true });
    const file = (name: string) => path.join(folder, name);
    await copyFile(sample.clipPath, file('original.mp4'));
    const session = await openLocalSession(context, values.model, { keepsInversions: false });
    let findings: DemoFindings;
    try {
      const device = values.device ?? 'auto';
      const isEmbedded = (values.model ?? context.env['TOKENFLOW_MODEL'] ?? 'demo') === 'demo';
      const steps = isEmbedded ? quickSteps : null;
      findings = await editThrice({ sample, prompt: values.prompt, session, device, steps, file }, context);
    } finally {
      await session.close();
    }
    await present(findings, file, context);
    const page = file('index.html');
    if (!values['no-open']) await openAddress(pathToFileURL(page).href, context.env);
    context.stdout.write(`Look at ${page}\n     or ${file('contact-sheet.png')}\n`);
  },
});

/** TokenFlow first: it is what the demo is about. */
const variants = [
  ['TokenFlow', 'edited.mp4', 'paper'],
  ['frame by frame', 'per-frame.mp4', 'per-frame'],
] as const;

interface DemoRequest {
  readonly sample: Sample;
  /** The user's; the sample's targets without one. */
  readonly prompt: string | undefined;
  readonly session: EditSession;
  readonly device: DeviceChoice;
  /** null for what suits the model. */
  readonly steps: Pick<EditSettings, 'steps' | 'inversionSteps'> | null;
  /** Path of a file of the demo. */
  readonly file: (name: string) => string;
}

/** One prompt in two ways, and another one, for which the inverted clip is found again. */
async function editThrice(request: DemoRequest, context: CommandContext): Promise<DemoFindings> {
  const { sample, file } = request;
  const { signal, stdout } = context;
  const targets = sample.targets.map(({ prompt }) => prompt);
  const prompt = request.prompt ?? targets[0] ?? '';
  const secondPrompt = targets.find((target) => target !== prompt);
  const films: Film[] = [{ label: 'original', clip: await probeClip(sample.clipPath, signal), seconds: null }];
  for (const [label, name, propagation] of variants) {
    stdout.write(`${label}: "${sample.caption}" becomes "${prompt}"\n`);
    const edited = await edit(request, { prompt, propagation }, file(name), context);
    films.push({ label, clip: await probeClip(edited.outPath, signal), seconds: secondsOf(edited) });
  }
  const comparison = await compareFilms(sample, films, signal);
  const findings = { caption: sample.caption, prompt, comparison };
  if (secondPrompt === undefined) return { ...findings, second: null };
  stdout.write(`TokenFlow: "${sample.caption}" becomes "${secondPrompt}"\n`);
  const edited = await edit(request, { prompt: secondPrompt }, file('second.mp4'), context);
  const frames = await readFilm(await probeClip(edited.outPath, signal), sample, signal);
  return { ...findings, second: { prompt: secondPrompt, frames, seconds: secondsOf(edited) } };
}

async function edit(
  { session: { connection }, sample, device, steps }: DemoRequest,
  change: Pick<EditSettings, 'prompt'> & Partial<EditSettings>,
  outPath: string,
  context: CommandContext,
): Promise<EditedClip> {
  const reporter = createReporter('text', context);
  try {
    const edited = await editOverSocket(connection, {
      clipPath: sample.clipPath,
      outPath,
      settings: { ...defaultSettings(), sourcePrompt: sample.caption, codec: 'h264', ...steps, ...change },
      model: null,
      device,
      onProgress: (progress) => reporter.progress(progress),
      signal: context.signal,
    });
    reporter.done(edited);
    return edited;
  } finally {
    reporter.end();
  }
}

function secondsOf({ stageSeconds }: EditedClip): number {
  return Object.values(stageSeconds).reduce((sum, seconds) => sum + seconds, 0);
}

/** Writes what the edits show, and prints their figures. */
async function present(
  findings: DemoFindings,
  file: (name: string) => string,
  { stdout, signal }: CommandContext,
): Promise<void> {
  const { comparison, second } = findings;
  const { sample, films, row } = comparison;
  const frameRate = { numerator: sample.fps, denominator: 1 };
  const others = second === null ? [] : [{ label: second.prompt, frames: second.frames }];
  const pageFilm = file('.page-film.mp4');
  try {
    await writeFilm(pageFilm, edgeToEdge([...films, ...others]), { frameRate, crf: filmCrf, signal });
    await writeFile(file('index.html'), demoPage({ findings, film: await readFile(pageFilm) }));
  } finally {
    await rm(pageFilm, { force: true });
  }
  await writeFile(file('contact-sheet.png'), encodePng(drawDemoSheet(findings)));
  await writeGif(file('demo.gif'), drawAnimation(films, row), frameRate, signal);
  const wide = sideBySide(films, sideBySideHeight);
  await writeFilm(file('side-by-side.mp4'), wide, { frameRate, crf: filmCrf, signal });
  stdout.write(`\n${formatTable(films)}\n\n`);
  if (second !== null) stdout.write(`${secondLine(second)}.\n`);
}

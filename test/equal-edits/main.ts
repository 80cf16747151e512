// npm run test:equal-edits: what edits of every kind come to, as a line of hashes for each. A change that must not change
// any result is right when the lines before and after it are equal, on the same machine.

import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { runEdit } from '../../companion-server/src/engine/run/edit.ts';
import { decodeFrames } from '../../companion-server/src/media/decode/frames.ts';
import { probeClip } from '../../companion-server/src/media/probe/probe.ts';
import { makeClip, testPicture } from '../../companion-server/src/media/testing/clips.ts';
import { defaultSettings, type EditSettings } from '../../protocol/edit-settings.ts';
import { makeTinyCheckpoint, tinyPrompts } from '../fixtures/tiny-checkpoint.ts';

type Clip = 'plain' | 'cut' | 'odd';

interface Edit {
  readonly clip: Clip;
  readonly settings: Partial<EditSettings>;
}

const reference = { pipeline: 'reference', inversionSteps: 6 } as const;
const draft = { pipeline: 'draft', inversionSteps: 3 } as const;

const edits: Readonly<Record<string, Edit>> = {
  'plug-and-play': { clip: 'plain', settings: {} },
  'plug-and-play over a cut': { clip: 'cut', settings: {} },
  'plug-and-play, odd size, negative prompt': { clip: 'odd', settings: { negativePrompt: 'blurry', size: null } },
  'plug-and-play, no guidance': { clip: 'plain', settings: { guidance: 1 } },
  'plug-and-play, frame by frame': { clip: 'plain', settings: { propagation: 'per-frame' } },
  'plug-and-play, calibrated inversion': { clip: 'cut', settings: { inversionSteps: null } },
  'plug-and-play, reference': { clip: 'cut', settings: { ...reference, propagation: 'reference' } },
  "plug-and-play, reference with the paper's neighbours": { clip: 'odd', settings: { ...reference } },
  'plug-and-play, reference, frame by frame': { clip: 'plain', settings: { ...reference, propagation: 'per-frame' } },
  sdedit: { clip: 'cut', settings: { technique: 'sdedit', strength: 0.7 } },
  'sdedit from own noise': { clip: 'plain', settings: { technique: 'sdedit', strength: 0.7, initialNoise: 'own' } },
  'sdedit, reference': {
    clip: 'plain',
    settings: { ...reference, technique: 'sdedit', strength: 0.7, initialNoise: 'shared' },
  },
  none: { clip: 'cut', settings: { technique: 'none' } },
  'none, another seed': { clip: 'plain', settings: { technique: 'none', seed: 7 } },
  'none, reference': { clip: 'odd', settings: { ...reference, technique: 'none' } },
  preview: { clip: 'cut', settings: { preview: true } },
  draft: { clip: 'cut', settings: draft },
  'draft, sdedit, another seed': { clip: 'odd', settings: { ...draft, technique: 'sdedit', strength: 0.7, seed: 7 } },
};

async function main(): Promise<void> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-equal-'));
  try {
    const modelDir = await makeTinyCheckpoint(path.join(dir, 'model'));
    const clips = await makeClips(dir);
    for (const [name, { clip, settings }] of Object.entries(edits)) {
      const folder = path.join(dir, name.replace(/\W+/g, '-'));
      const outputPath = `${folder}.mov`;
      const report = await runEdit(
        {
          inputPath: clips[clip],
          outputPath,
          modelDir,
          device: 'cpu',
          cacheDir: path.join(dir, 'cache'),
          workDir: folder,
          settings: {
            ...defaultSettings(settings.technique),
            prompt: tinyPrompts.target,
            sourcePrompt: tinyPrompts.source,
            steps: 3,
            inversionSteps: 6,
            guidance: 3,
            keyframeInterval: 2,
            size: { width: 64, height: 64 },
            ...settings,
          },
        },
        { onProgress: () => undefined },
      );
      const { inversion, sampling } = report.unetEvaluations;
      console.log(`${name}: ${await hashOfFrames(outputPath)}, ${inversion} + ${sampling} evaluations`);
      await rm(folder, { recursive: true });
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function makeClips(dir: string): Promise<Readonly<Record<Clip, string>>> {
  const lossless = ['-c:v', 'ffv1'];
  const cut = ['-vf', `format=gbrp,negate=components=r+g+b:enable='gte(n,4)'`];
  return {
    plain: await makeClip(path.join(dir, 'plain.mkv'), [...testPicture('64x48', '10', 7), ...lossless]),
    cut: await makeClip(path.join(dir, 'cut.mkv'), [...testPicture('64x48', '10', 7), ...cut, ...lossless]),
    odd: await makeClip(path.join(dir, 'odd.mkv'), [...testPicture('71x53', '25', 5), ...lossless]),
  };
}

/** Of the pixels, so that another container or encoder of the same pictures is no difference. */
async function hashOfFrames(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const { rgb } of decodeFrames(await probeClip(file))) hash.update(rgb);
  return hash.digest('hex').slice(0, 32);
}

await main();

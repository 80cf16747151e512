// The second prompt against the first where a person meets them: the panel's own flow, with another seed for each edit, the
// socket, and a companion server that keeps what it has inverted.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { WebSocket } from 'ws';
import { clearInversions, inversionsDirIn } from '../../companion-server/src/engine/source-cache/inversion-cache.ts';
import { startCompanion } from '../../test/companion.ts';
import { applyEdit, openPanel } from '../../test/panel/headless-panel.ts';
import { createPremiereSim } from '../../test/premiere-sim/premiere-sim.ts';
import { benchClip } from '../engine-run.ts';
import { interleave, median } from '../interleave.ts';
import { atMost, ratio } from '../rows.ts';
import type { Figure } from './figure.ts';
import { longEditFrames } from './long-edit.ts';
import { timeTargets } from './times.ts';

/** Pixels; the embedded model's own. */
const edge = 128;
/** Ticks of a frame at 25 per second. */
const ticksPerFrame = 10_160_640_000n;

export const panelPrompts: Figure = {
  name: 'panel-prompts',
  async measure({ modelDir, rounds, log }) {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-panel-prompts-'));
    const [cacheDir, dataDir] = [path.join(folder, 'cache'), path.join(folder, 'data')];
    await mkdir(cacheDir);
    Object.assign(globalThis, { WebSocket });
    const sim = await createPremiereSim(folder);
    const itemId = await sim.addMedia(await benchClip(longEditFrames, edge));
    const sequence = sim.addSequence(ticksPerFrame);
    sim.select(sequence, sim.addClip(sequence, { track: 0, itemId, startFrame: 0, frames: longEditFrames }));
    const server = await startCompanion({ cacheDir, dataDir, modelDir }, 'real');
    const panel = openPanel({ sim }, server);
    const secondsOf = async (prompt: string): Promise<number> => {
      const { report } = await applyEdit(panel, { prompt });
      return Object.values(report.stageSeconds).reduce((sum, seconds) => sum + seconds, 0);
    };
    const first = async () => {
      await clearInversions(inversionsDirIn(dataDir));
      return secondsOf('a blue ball on snow');
    };
    const second = () => secondsOf('a yellow ball on sand');
    try {
      const { seconds } = await interleave([first, second], rounds, [first, second]);
      const [before = [], after = []] = seconds;
      const ratios = after.map((value, i) => value / (before[i] ?? NaN));
      log(
        `round by round: ${ratios.map(ratio).join(', ')}; ${median(after).toFixed(1)} s : ${median(before).toFixed(1)} s`,
      );
      return [
        atMost(
          `time of the edit, second prompt : first prompt through the panel, another seed each, ${longEditFrames} frames, median of ${rounds}`,
          median(ratios),
          timeTargets.secondPrompt,
          ratio,
        ),
      ];
    } finally {
      panel.close();
      await server.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    }
  },
};

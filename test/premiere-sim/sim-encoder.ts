// Premiere's exporter: cuts real media. The file is there early and grows, the event may or may not come, and the
// answer may be wrong.

import type { Constants, EncoderManager, Sequence } from '@adobe/premierepro';
import { rateOfTimebase } from '../../plugin/src/host/ticks.ts';
import { simConstants } from './sim-constants.ts';
import type { SimCore } from './sim-core.ts';
import type { SimClip, SimSequenceData } from './sim-document.ts';
import type { RenderPiece } from './sim-machine.ts';

/** When the file has grown how far, in milliseconds after the export began. */
const growth = [
  { afterMs: 400, share: 0.2 },
  { afterMs: 900, share: 0.6 },
  { afterMs: 1_700, share: 1 },
] as const;
const eventAfterMs = 1_500;

export class SimEncoder implements EncoderManager {
  readonly isAMEInstalled = true;
  private readonly core: SimCore;

  constructor(core: SimCore) {
    this.core = core;
  }

  async exportSequence(
    sequence: Sequence,
    type: Constants.ExportType,
    path?: string,
    presetPath?: string,
    isWhole?: boolean,
  ): Promise<boolean> {
    if (type !== simConstants.ExportType.IMMEDIATELY) {
      this.core.violate('constant-at-run-time', `export type ${String(type)}`);
    }
    if (path === undefined || presetPath === undefined || isWhole !== false) {
      return this.core.notSimulated('exportSequence without path, preset or range');
    }
    const { faults, clock, machine } = this.core;
    const data = this.core.sequence(sequence.guid.toString());
    if (!faults.exportWritesNothing) {
      const whole = `${path}.whole`;
      const request = {
        pieces: piecesOf(this.core, data),
        width: data.width,
        height: data.height,
        rate: rateOfTimebase(String(data.ticksPerFrame)),
        path: whole,
      };
      await clock.hold(machine.render(request));
      for (const { afterMs, share } of growth) {
        clock.after(afterMs, () => void clock.hold(machine.reveal(whole, path, share)));
      }
    }
    if (faults.exportEvent !== 'never') {
      const { SUCCESS, FAILED } = simConstants.OperationCompleteState;
      const state = faults.exportEvent === 'success' ? SUCCESS : FAILED;
      // Before the file is whole, as is reported.
      clock.after(eventAfterMs, () =>
        this.core.fire(simConstants.OperationCompleteEvent.EXPORT_MEDIA_COMPLETE, { state }),
      );
    }
    return faults.exportAnswer ?? true;
  }

  encodeProjectItem = (): Promise<boolean> => this.core.notSimulated('encodeProjectItem');
  encodeFile = (): Promise<boolean> => this.core.notSimulated('encodeFile');
  startBatchEncode = (): Promise<boolean> => this.core.notSimulated('startBatchEncode');
  setSidecarXMPEnabled = (): Promise<boolean> => this.core.notSimulated('setSidecarXMPEnabled');
  setEmbeddedXMPEnabled = (): Promise<boolean> => this.core.notSimulated('setEmbeddedXMPEnabled');
  launchEncoder = (): Promise<boolean> => this.core.notSimulated('launchEncoder');
}

/** What is seen from the in point to the out point: of each frame the topmost clip that is on, else black. */
export function piecesOf(core: SimCore, sequence: SimSequenceData): RenderPiece[] {
  const frame = sequence.ticksPerFrame;
  const outPoint = sequence.outPoint + (core.faults.outPointIsIncluded ? frame : 0n);
  const pieces: (RenderPiece & { readonly clipId: number | null })[] = [];
  for (let time = sequence.inPoint; time < outPoint; time += frame) {
    const clip = topClipAt(sequence, time);
    const last = pieces.at(-1);
    if (last !== undefined && last.clipId === (clip?.id ?? null)) {
      pieces[pieces.length - 1] = { ...last, frames: last.frames + 1 };
    } else if (clip === undefined) {
      pieces.push({ clipId: null, path: null, startFrame: 0, frames: 1, effect: 'none' });
    } else {
      const item = core.item(clip.itemId ?? core.violate('not-simulated', 'rendering a title'));
      const { media } = item;
      if (media === null || clip.speed !== 1 || clip.isReversed) core.notSimulated('this clip');
      const startFrame = Number((clip.inPoint + time - clip.start) / media.ticksPerFrame);
      pieces.push({ clipId: clip.id, path: item.path, startFrame, frames: 1, effect: clip.effect });
    }
  }
  return pieces.map(({ path, startFrame, frames, effect }) => ({
    path,
    startFrame,
    frames,
    effect,
  }));
}

function topClipAt(sequence: SimSequenceData, time: bigint): SimClip | undefined {
  for (const { clips } of [...sequence.video].reverse()) {
    const clip = clips.find((one) => !one.isDisabled && one.start <= time && time < one.end);
    if (clip !== undefined) return clip;
  }
  return undefined;
}

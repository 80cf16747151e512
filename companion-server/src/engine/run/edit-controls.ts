// The ControlNets of an edit, with their control pictures.

import path from 'node:path';
import type { ControlChoice, MadeControlKind } from '../../../../protocol/control.ts';
import { EditError, throwIfCanceled } from '../../errors.ts';
import { decodeFrames } from '../../media/decode/frames.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import { probeClip } from '../../media/probe/probe.ts';
import { padFrame } from '../../media/working-size.ts';
import { ControlNets, type ControlOutline } from '../model/controlnets.ts';
import type { EditPlan } from '../plan/edit-plan.ts';
import { ControlPictureFile, controlPictures } from './control-pictures.ts';
import type { EditContext } from './edit-context.ts';
import type { ControlFiles } from './edit-job.ts';

export interface OpenedControls {
  readonly nets: ControlNets;
  /** What they compute is counted from these. */
  readonly outlines: readonly ControlOutline[];
  close(): Promise<void>;
}

interface UsedControl {
  readonly choice: ControlChoice;
  readonly files: ControlFiles;
  readonly pictures: ControlPictureFile;
}

/**
 * Null where the edit has none. Throws EditError: those of `openControlNet`, 'clip-unreadable' and 'invalid-request' for a
 * control video that cannot be read or is too short.
 */
export async function openControls(edit: EditContext): Promise<OpenedControls | null> {
  const { settings, plan, job, model, signal } = edit;
  const choices = settings.controls ?? [];
  const used: UsedControl[] = [];
  const close = async (): Promise<void> => {
    for (const { pictures } of used) await pictures.close();
  };
  try {
    for (const [i, choice] of choices.entries()) {
      const files = job.controls?.[i];
      if (files === undefined) throw new TypeError(`Nothing says where the ControlNet ${i} is.`);
      if (choice.scale === 0) continue;
      const file = path.join(job.workDir, `control-${i}.pictures`);
      used.push({ choice, files, pictures: await ControlPictureFile.create(file, plan.size.padded) });
    }
    if (used.length === 0) return null;
    await writeFiltered(edit, used);
    for (const one of used) await writeOwn(edit, one);
    const loaded = await Promise.all(used.map(({ files }) => model.openControlNet(files)));
    const [first] = loaded;
    if (first === undefined) return null;
    const nets = new ControlNets({
      nets: loaded.map(({ network, graph }, i) => {
        const { choice, pictures } = used[i] as UsedControl;
        return { network, graph, strength: choice, pictures: (frames) => pictures.read(frames) };
      }),
      size: plan.latentSize,
      steps: settings.steps,
      frames: settings.controlledFrames ?? 'keyframes',
      chunkSize: plan.chunkSize,
      createSession: first.createSession,
      onForward: () => throwIfCanceled(signal),
    });
    return {
      nets,
      outlines: loaded.map(({ network, graph }, i) => ({
        network,
        tensors: graph.weights,
        strength: (used[i] as UsedControl).choice,
      })),
      async close() {
        await nets.release();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** All that are made of the clip, which is read once. */
async function writeFiltered({ clip, plan, signal }: EditContext, used: readonly UsedControl[]): Promise<void> {
  const filtered = used.filter(({ choice }) => choice.kind !== 'own');
  if (filtered.length === 0) return;
  const kinds = filtered.map(({ choice }) => choice.kind as MadeControlKind);
  const places = placesOf(plan);
  const { startFrame, endFrame, size } = plan;
  const frames = decodeFrames(clip, { startFrame, endFrame, size: size.scaled, signal });
  for await (const { frame, pictures } of controlPictures(frames, kinds)) {
    const place = places.get(frame.index);
    if (place === undefined) continue;
    for (const [i, picture] of pictures.entries()) await filtered[i]?.pictures.write(place, padFrame(picture, size));
  }
}

async function writeOwn(
  { clip, plan, signal }: EditContext,
  { choice, files: { name, videoPath }, pictures }: UsedControl,
): Promise<void> {
  if (choice.kind !== 'own' || videoPath === null) return;
  const { startFrame, endFrame, size } = plan;
  const video = await probeClip(videoPath, signal);
  requireFrames(name, video, clip, endFrame);
  const places = placesOf(plan);
  for await (const frame of decodeFrames(video, { startFrame, endFrame, size: size.scaled, signal })) {
    const place = places.get(frame.index);
    if (place !== undefined) await pictures.write(place, padFrame(frame, size));
  }
}

function requireFrames(name: string, video: ClipInfo, clip: ClipInfo, needed: number): void {
  if (video.frameCount >= needed) return;
  throw new EditError(
    'invalid-request',
    `The control video of "${name}" has ${video.frameCount} frames; the clip has ${clip.frameCount}, of which the first ${needed} are needed.`,
    { hint: 'A control video has a frame for each frame of the clip.' },
  );
}

/** Where a frame of the clip is among those that are edited. */
function placesOf({ frames }: EditPlan): ReadonlyMap<number, number> {
  return new Map(frames.map((frame, place) => [frame, place]));
}

// What tests of the Premiere side share: a project on a disk, a timeline with a clip on it, a result from a server.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import type { ImportedResult, PlaceRequest, Recipe, ResultFile } from '../../plugin/src/host/edits.ts';
import type { ExportedClip } from '../../plugin/src/host/host.ts';
import type { PremiereHost } from '../../plugin/src/host/premiere/premiere-host.ts';
import type { SelectedClip } from '../../plugin/src/host/selection.ts';
import { rateOfTimebase } from '../../plugin/src/host/ticks.ts';
import { makeNumberedFilm } from './numbered-film.ts';
import { createPremiereSim, type PremiereSim } from './premiere-sim.ts';
import type { SimClip, SimSequenceData } from './sim-document.ts';

export const pal = 10_160_640_000n;

export interface TestProject {
  readonly sim: PremiereSim;
  readonly folder: string;
  /** Removes the project; fails when a rule of Premiere was broken, even where that was caught. */
  close(): Promise<void>;
}

export async function openTestProject(): Promise<TestProject> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tokenflow-sim-'));
  const sim = await createPremiereSim(folder);
  return {
    sim,
    folder,
    async close() {
      // A host that a test has left may still write a line of its log.
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
      expect(sim.core.violations.map(({ message }) => message)).toEqual([]);
    },
  };
}

export const recipe = (jobId: string): Recipe => ({
  jobId,
  settings: { ...defaultSettings(), prompt: 'a silver wolf' },
  model: 'demo',
  createdAt: '2026-11-22T20:00:00Z',
});

export async function selectedClip(host: PremiereHost): Promise<SelectedClip> {
  const { clips, rejected } = await host.selection.read();
  expect(rejected).toEqual([]);
  const [clip] = clips;
  if (clip === undefined) throw new Error('Nothing is selected.');
  return clip;
}

/** Everything that an export gives, as a file; the export is disposed of. */
export async function saveExport(exported: ExportedClip, file: string): Promise<void> {
  const parts: Uint8Array[] = [];
  for (let offset = 0; offset < exported.sizeBytes;) {
    const part = await exported.read(offset, 10_000);
    parts.push(part);
    offset += part.length;
  }
  await writeFile(file, Buffer.concat(parts));
  await exported.dispose();
}

export interface ResultWish {
  readonly frames: number;
  readonly timebase: bigint;
  readonly firstNumber: number;
  readonly jobId?: string;
  readonly hasAudio?: boolean;
  readonly timecode?: string;
}

/** What the server would send back: `frames` frames at the sequence's rate, received beside the project. */
export async function receiveFile(
  { folder }: TestProject,
  host: PremiereHost,
  { frames, timebase, firstNumber, jobId = 'job1', hasAudio = false, timecode }: ResultWish,
): Promise<ResultFile> {
  const file = path.join(folder, 'from-server.mov');
  const rate = rateOfTimebase(String(timebase));
  await makeNumberedFilm(file, {
    frames,
    rate,
    firstNumber,
    hasAudio,
    ...(timecode === undefined ? {} : { timecode }),
  });
  const bytes = new Uint8Array(await readFile(file));
  const writer = await host.files.openResult({ jobId, clipName: 'wolf', extension: '.mov' });
  await writer.write(writer.receivedBytes, bytes.subarray(writer.receivedBytes));
  return writer.finish();
}

export async function receiveResult(
  project: TestProject,
  host: PremiereHost,
  wish: ResultWish,
): Promise<ImportedResult> {
  return host.timeline.importResult(await receiveFile(project, host, wish));
}

export function placeRequest(
  clip: SelectedClip,
  result: ImportedResult,
  changes: Partial<PlaceRequest> = {},
): PlaceRequest {
  return {
    original: clip.snapshot,
    originalName: clip.name,
    result,
    recipe: recipe('job1'),
    hasAudio: false,
    editId: null,
    evenIfChanged: false,
    ...changes,
  };
}

export interface TestTimeline {
  readonly sequence: SimSequenceData;
  readonly clip: SimClip;
  readonly itemId: string;
  readonly film: string;
}

/** A selected clip of `frames` frames on V1, from its film's frame `inFrame` on, with its sound and a clip after it. */
export async function layTimeline(
  { sim, folder }: TestProject,
  timebase: bigint,
  startFrame: number,
  frames: number,
  inFrame: number,
): Promise<TestTimeline> {
  const film = path.join(folder, 'film.mp4');
  const rate = rateOfTimebase(String(timebase));
  await makeNumberedFilm(film, { frames: inFrame + frames + 5, rate });
  const itemId = await sim.addMedia(film);
  const sequence = sim.addSequence(timebase);
  const clip = sim.addClip(sequence, { track: 0, itemId, startFrame, frames, inFrame });
  sim.addClip(sequence, { track: 0, itemId, startFrame: startFrame + frames, frames: 5 });
  sim.addClip(sequence, { track: 0, itemId, startFrame, frames, inFrame, kind: 'audio' });
  sim.select(sequence, clip);
  return { sequence, clip, itemId, film };
}

// The Premiere side of the panel, bundled as it ships, in a runtime that has what the language has and nothing else: no
// TextDecoder, no timers, no structuredClone, no process. Everything from outside must come in by way of
// `Surroundings`. UXP has more than this; so what runs here lacks nothing there.

import path from 'node:path';
import vm from 'node:vm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type * as PremiereHostModule from '../../plugin/src/host/premiere/premiere-host.ts';
import { bundlePart } from '../../scripts/panel/build.mjs';
import { readFrameNumbers } from '../premiere-sim/numbered-film.ts';
import {
  layTimeline,
  openTestProject,
  pal,
  placeRequest,
  receiveResult,
  saveExport,
  selectedClip,
  type TestProject,
} from '../premiere-sim/testing-flow.ts';

const entry = path.join(import.meta.dirname, '../../plugin/src/host/premiere/premiere-host.ts');

let project: TestProject;

beforeEach(async () => {
  project = await openTestProject();
});
afterEach(() => project.close());

test('the whole way of a clip needs nothing that UXP may lack', async () => {
  const runtime = vm.createContext({});
  vm.runInContext(await bundlePart(entry), runtime);
  const missing = [
    'TextDecoder',
    'TextEncoder',
    'structuredClone',
    'queueMicrotask',
    'setTimeout',
    'crypto',
    'process',
    'Buffer',
    'performance',
  ];
  for (const name of missing) {
    expect(vm.runInContext(`typeof ${name}`, runtime), name).toBe('undefined');
  }
  const { createPremiereHost } = vm.runInContext('bundled', runtime) as typeof PremiereHostModule;
  await layTimeline(project, pal, 4, 6, 2);
  let ids = 0;
  const host = createPremiereHost(project.sim.uxp.surroundings, () => `id${(ids += 1)}`);

  const clip = await selectedClip(host);
  const file = path.join(project.folder, 'sent.mov');
  await saveExport(await host.clips.export(clip.snapshot, { mode: 'rendered' }), file);
  expect(await readFrameNumbers(file)).toEqual([2, 3, 4, 5, 6, 7]);
  const result = await receiveResult(project, host, { frames: 6, timebase: pal, firstNumber: 90 });
  const { editId } = await host.timeline.place(placeRequest(clip, result));
  await host.timeline.setShown(editId, false);
  expect(await host.timeline.revert(editId)).toMatchObject({ placed: null, versions: [{}] });
  await host.storage.writeSecret('token', 'ä');
  expect(await host.storage.readSecret('token')).toBe('ä');
});

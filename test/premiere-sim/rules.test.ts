// The simulated Premiere is strict: each rule of rules.ts is broken here once, and it says so. And whatever the panel
// uses of Premiere is there to be missing: the probe names it, and its fallback works.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { premierepro, Project, Sequence, TrackItemSelection } from '@adobe/premierepro';
import { createPremiereHost } from '../../plugin/src/host/premiere/premiere-host.ts';
import { rules, type RuleName } from './rules.ts';
import { simConstants } from './sim-constants.ts';
import {
  layTimeline,
  openTestProject,
  pal,
  placeRequest,
  receiveResult,
  selectedClip,
  type TestProject,
  type TestTimeline,
} from './testing-flow.ts';

let held: TestProject;
let timeline: TestTimeline;
let ppro: premierepro;
let project: Project;
let sequence: Sequence;

beforeEach(async () => {
  held = await openTestProject();
  timeline = await layTimeline(held, pal, 4, 6, 2);
  ppro = held.sim.uxp.surroundings.ppro;
  project = await ppro.Project.getActiveProject();
  sequence = await project.getActiveSequence();
});
afterEach(async () => {
  held.sim.core.violations.length = 0;
  await held.close();
});

const inPoint = () => sequence.createSetInPointAction(ppro.TickTime.TIME_ZERO);
const change = (): boolean => project.executeTransaction((compound) => void compound.addAction(inPoint()), 'Change');
const firstClip = async () => {
  const track = await sequence.getVideoTrack(0);
  const [clip] = track.getTrackItems(ppro.Constants.TrackItemType.CLIP, false);
  if (clip === undefined) throw new Error('There is no clip.');
  return clip;
};
const remove = (selection: TrackItemSelection) =>
  ppro.SequenceEditor.getEditor(sequence).createRemoveItemsAction(selection, false, ppro.Constants.MediaType.VIDEO);

const breaches: Readonly<Record<RuleName, () => unknown>> = {
  'lock-scope': () => inPoint(),
  'callback-synchronous': () => {
    const callback: () => unknown = () => Promise.resolve();
    project.lockedAccess(callback);
  },
  'action-escape': () => {
    const kept: object[] = [];
    project.lockedAccess(() => void kept.push(inPoint()));
    project.executeTransaction((compound) => {
      for (const action of kept) compound.addAction(action);
    }, 'Late');
  },
  'undo-name': () => project.executeTransaction((compound) => void compound.addAction(inPoint())),
  'stale-object': async () => {
    const clip = await firstClip();
    change();
    await clip.getStartTime();
  },
  'empty-selection': () =>
    ppro.TrackItemSelection.createEmptySelection((selection) => {
      project.lockedAccess(() => void remove(selection));
    }),
  'track-index': async () => {
    const item = await (await firstClip()).getProjectItem();
    const editor = ppro.SequenceEditor.getEditor(sequence);
    project.lockedAccess(() => void editor.createOverwriteItemAction(item, ppro.TickTime.TIME_ZERO, 3, 0));
  },
  'uncast-item': async () => {
    const item = await (await firstClip()).getProjectItem();
    const cast = ppro.ClipProjectItem.cast(item) as unknown as typeof item;
    const editor = ppro.SequenceEditor.getEditor(sequence);
    project.lockedAccess(() => void editor.createOverwriteItemAction(cast, ppro.TickTime.TIME_ZERO, 0, 0));
  },
  'import-bin': () => project.importFiles([timeline.film], true, undefined, false),
  'constant-at-run-time': async () => {
    const track = await sequence.getVideoTrack(0);
    track.getTrackItems(1, false);
  },
  'property-absent': async () => (await ppro.Properties.getProperties(sequence)).getValue('tokenflow.none'),
  'same-listener': () =>
    ppro.EventManager.removeGlobalEventListener(simConstants.SequenceEvent.CLOSED, () => undefined),
  'setup-once': () => {
    const { entrypoints } = held.sim.uxp.surroundings.uxp;
    entrypoints.setup({});
    entrypoints.setup({});
  },
  'array-buffer': () => held.sim.uxp.surroundings.fs.read(1, new Uint8Array(1) as never, 0, 1, 0),
  encoding: () => held.sim.uxp.surroundings.fs.readFile(timeline.film, { encoding: 'buffer' as 'utf-8' }),
  'launch-scheme': () => held.sim.uxp.surroundings.uxp.shell?.openExternal('https://example.org', ''),
  'not-simulated': () => sequence.createSubsequence(),
};

describe('a rule that is broken is told', () => {
  test.each(Object.keys(rules) as RuleName[])('%s', async (rule) => {
    const breach = Promise.resolve().then(breaches[rule]);
    await expect(breach).rejects.toMatchObject({ name: 'Violation', rule });
  });

  test.each(Object.entries(rules))('%s names its source', (_name, { rule, source }) => {
    expect(rule).toMatch(/\.$/);
    expect(source.length).toBeGreaterThan(4);
  });
});

describe('where Premiere lacks a function', () => {
  /** A Premiere without these, as older or newer versions may be. */
  function without(...parts: readonly (keyof premierepro)[]) {
    const { surroundings } = held.sim.uxp;
    const left = Object.fromEntries(
      Object.entries(surroundings.ppro).filter(([name]) => !parts.includes(name as never)),
    ) as unknown as premierepro;
    let ids = 0;
    return createPremiereHost({ ...surroundings, ppro: left }, () => `id${(ids += 1)}`);
  }

  test('the probe says which, and what happens instead', () => {
    const { abilities } = without('EventManager', 'Properties', 'SourceMonitor');
    expect(abilities.timeline).toMatchObject({ isThere: true, fallback: null });
    expect(abilities['selection-events']).toMatchObject({ isThere: false, fallback: 'refresh-button' });
    expect(abilities['export-events']).toMatchObject({ isThere: false, fallback: 'watch-file' });
    expect(abilities['sequence-records']).toMatchObject({ isThere: false, fallback: 'panel-folder' });
    expect(abilities['source-monitor']).toMatchObject({ isThere: false, fallback: null });
    expect(abilities['source-monitor'].detail).toContain('SourceMonitor.openProjectItem');
  });

  test('nothing is missing in the one that the panel is made for', () => {
    const { abilities } = held.sim.open();
    // Videos are not missing: nobody knows what UXP's element for them can do.
    const missing = Object.values(abilities).filter(({ isThere, name }) => !isThere && name !== 'video');
    expect(missing).toEqual([]);
  });

  test('a clip is exported, placed and found again without events and properties', async () => {
    const host = without('EventManager', 'Properties');
    const clip = await selectedClip(host);
    const exported = await host.clips.export(clip.snapshot, { mode: 'rendered' });
    expect(exported.frames).toBe(6);
    await exported.dispose();
    const wish = { frames: 6, timebase: pal, firstNumber: 100 };
    const result = await receiveResult(held, host, wish);
    expect(await host.timeline.place(placeRequest(clip, result))).toMatchObject({ placed: 1 });
    expect(await host.timeline.edits()).toMatchObject([{ placed: 1 }]);
    const stop = host.selection.subscribe(() => undefined);
    stop();
  });
});

describe('the panel in UXP', () => {
  test('announces panel, command and menu once, and passes what is chosen on', () => {
    const host = held.sim.open();
    const roots: unknown[] = [];
    host.start((root) => roots.push(root));
    const { panels, commands } = held.sim.uxp.entryPoints();
    // A command that comes before the panel listens is not lost.
    commands['edit-selection']?.run();
    const chosen: string[] = [];
    host.shell.subscribe((command) => chosen.push(command));
    for (const { id } of panels['tokenflow']?.menuItems ?? []) panels['tokenflow']?.invokeMenu(id);
    panels['tokenflow']?.invokeMenu('unknown');
    expect(chosen).toEqual(['edit-selection', 're-pair', 'diagnostics', 'open-log', 'about']);
    panels['tokenflow']?.create('root');
    expect(roots).toEqual(['root']);
  });

  test('lets no exception of its own reach Premiere', () => {
    const host = held.sim.open();
    host.start(() => {
      throw new Error('The panel is broken.');
    });
    host.shell.subscribe(() => {
      throw new Error('So is its menu.');
    });
    const { panels } = held.sim.uxp.entryPoints();
    expect(() => panels['tokenflow']?.create('root')).not.toThrow();
    expect(() => panels['tokenflow']?.invokeMenu('about')).not.toThrow();
  });

  test('keeps secrets in the system, and in its folder where the system refuses', async () => {
    const { sim } = held;
    const host = sim.open();
    await host.storage.writeSecret('token', 'geheim \u{1F511}');
    expect([...sim.uxp.secrets.values()]).toEqual(['geheim \u{1F511}']);
    expect(await host.storage.readSecret('token')).toBe('geheim \u{1F511}');
    // UXP calls its secure storage a cache: it may be empty another day.
    sim.uxp.secrets.clear();
    expect(await host.storage.readSecret('token')).toBeNull();
    await host.storage.write('state', '{"a":1}');
    expect(await sim.open().storage.read('state')).toBe('{"a":1}');
    await host.storage.write('state', null);
    expect(await host.storage.read('state')).toBeNull();
  });

  test('follows the theme, and copies what it can', async () => {
    const { uxp } = held.sim;
    const { theme, shell } = held.sim.open();
    expect(theme.current()).toBe('dark');
    const heard: string[] = [];
    theme.subscribe((name) => heard.push(name));
    uxp.changeTheme('lightest');
    expect(heard).toEqual(['light']);
    expect(theme.current()).toBe('light');
    expect(await shell.copyText('npm start')).toBe(true);
    expect(uxp.clipboard.text).toBe('npm start');
    expect(await shell.startServer()).toBe(true);
    expect(uxp.openedAddresses).toEqual(['tokenflow://start']);
    uxp.clipboard.isRefused = true;
    expect(await shell.copyText('again')).toBe(false);
  });
});

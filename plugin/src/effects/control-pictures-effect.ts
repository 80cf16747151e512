// What the ControlNets of the form are shown of the chosen frame, while they are looked at.

import type { MadeControlKind } from '../../../protocol/control.ts';
import { sourceIdOf } from '../state/choices.ts';
import { shownKinds } from '../state/controls.ts';
import type { PanelState } from '../state/panel-state.ts';
import type { EffectDeps, StopEffect } from './deps.ts';
import { isCancel, problemOf } from './problem-of.ts';

/** Pixels of the longer side: the working size of most models. Lines are as fine as the edit's. */
const maxSide = 512;

interface Asked {
  readonly clipId: string;
  readonly frameIndex: number;
  readonly stop: AbortController;
}

export function startControlPicturesEffect({ client, store, pictures }: EffectDeps): StopEffect {
  const { dispatch } = store;
  const asked = new Map<MadeControlKind, Asked>();
  const urls = new Map<MadeControlKind, string>();

  function place(kind: MadeControlKind, url: string | null): void {
    const before = urls.get(kind);
    if (url === null) urls.delete(kind);
    else urls.set(kind, url);
    if (before === undefined && url === null) return;
    dispatch({ type: 'control-picture-changed', kind, url });
    if (before !== undefined) pictures.drop(before);
  }

  async function fetch(kind: MadeControlKind, { clipId, frameIndex, stop: { signal } }: Asked): Promise<void> {
    try {
      const jpeg = await client.controlPicture({ clipId, kind, frameIndex, maxSide }, signal);
      if (!signal.aborted) place(kind, pictures.make(jpeg));
    } catch (error) {
      if (signal.aborted || isCancel(error)) return;
      place(kind, null);
      dispatch({ type: 'toast-raised', text: 'failed', problem: problemOf(error) });
    }
  }

  function look(state: PanelState): void {
    const wanted = wantedOf(state);
    for (const [kind, { stop }] of [...asked]) {
      if (wanted?.kinds.includes(kind) === true) continue;
      stop.abort();
      asked.delete(kind);
      place(kind, null);
    }
    if (wanted === null) return;
    const { clipId, frameIndex, kinds } = wanted;
    for (const kind of kinds) {
      const before = asked.get(kind);
      if (before?.clipId === clipId && before.frameIndex === frameIndex) continue;
      before?.stop.abort();
      const next = { clipId, frameIndex, stop: new AbortController() };
      asked.set(kind, next);
      void fetch(kind, next);
    }
  }

  const stopListening = store.subscribe((_event, state) => look(state));
  return () => {
    stopListening();
    for (const { stop } of asked.values()) stop.abort();
    for (const url of urls.values()) pictures.drop(url);
  };
}

function wantedOf(state: PanelState) {
  const { region, selection, prepared, link, isAdvancedOpen } = state;
  const clip = selection?.clips[0];
  if (!isAdvancedOpen || link.name !== 'online' || clip === undefined) return null;
  if (prepared?.clip == null || prepared.sourceId !== sourceIdOf(clip)) return null;
  const { clipId, media } = prepared.clip;
  return { clipId, frameIndex: Math.min(region.frame, media.frameCount - 1), kinds: shownKinds(state.form.controls) };
}

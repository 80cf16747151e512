// The region that the next edit may change.

import { codecInfo } from '../../../../protocol/codecs.ts';
import { sourceIdOf } from '../choices.ts';
import type { PanelEvent } from '../events.ts';
import { withChange } from '../form.ts';
import type { PanelState } from '../panel-state.ts';
import { regionOf, shapeOf, wholePictureRegion, withShape, type Region } from '../region.ts';

export function reduceRegion(state: PanelState, event: PanelEvent, before: PanelState): PanelState {
  switch (event.type) {
    case 'region-changed':
      return change(state, { ...state.region, ...event.change, begun: [] });
    case 'region-frame-chosen':
      return change(state, { ...state.region, frame: Math.max(0, event.frame), begun: [] });
    case 'region-place-added':
      return change(state, withPlace(state.region, event.place));
    case 'region-drawn': {
      const shape = shapeOf(state.region, event.places);
      return shape === null ? state : change(state, withShape(state.region, shape));
    }
    case 'region-closed': {
      const shape = shapeOf(state.region, state.region.begun);
      return change(state, shape === null ? { ...state.region, begun: [] } : withShape(state.region, shape));
    }
    case 'region-undone': {
      const { undo, begun } = state.region;
      if (begun.length > 0) return change(state, { ...state.region, begun: begun.slice(0, -1) });
      const drawings = undo.at(-1);
      return drawings === undefined ? state : change(state, { ...state.region, drawings, undo: undo.slice(0, -1) });
    }
    case 'region-cleared': {
      const { drawings, undo } = state.region;
      return drawings.length === 0
        ? state
        : change(state, { ...state.region, drawings: [], begun: [], undo: [...undo, drawings] });
    }
    case 'region-still-pressed':
      return change(state, { ...state.region, still: { name: 'asking' } });
    case 'region-still-changed':
      return change(state, { ...state.region, still: event.still });
    case 'selection-read':
      // What was drawn on one clip says nothing of another; a re-run is of the clip that it was drawn on.
      return sourceOf(before) === sourceOf(state) || state.rerunOf !== null
        ? state
        : change(state, { ...wholePictureRegion, tool: state.region.tool });
    case 'rerun-pressed': {
      const edit = state.edits.find(({ editId }) => editId === event.editId);
      const recipe = edit?.versions.find(({ version }) => version === event.version)?.recipe;
      return recipe === undefined ? state : change(state, regionOf(recipe.settings.mask, state.region));
    }
    default:
      return state;
  }
}

function sourceOf({ selection }: PanelState): string | null {
  const clip = selection?.clips[0];
  return clip === undefined ? null : sourceIdOf(clip);
}

/** The file must keep alpha where the result has one. */
function change(state: PanelState, region: Region): PanelState {
  const needsAlpha = region.kind !== 'whole' && region.asAlpha && !codecInfo(state.form.codec).hasAlpha;
  return { ...state, region, form: needsAlpha ? withChange(state.form, { codec: 'prores-4444' }) : state.form };
}

/** Two places finish a rectangle or an ellipse, one a dab of the brush; a polygon is closed by itself. */
function withPlace(region: Region, place: Region['begun'][number]): Region {
  const begun = [...region.begun, place];
  const isWhole = region.tool === 'brush' || (region.tool !== 'polygon' && begun.length === 2);
  const shape = isWhole ? shapeOf(region, begun) : null;
  return shape === null ? { ...region, begun: isWhole ? [] : begun } : withShape(region, shape);
}

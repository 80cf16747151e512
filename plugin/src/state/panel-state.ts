// Everything that the panel shows, as one value. Only events change it (events.ts, reduce.ts).

import type { Check } from '../../../protocol/diagnostics.ts';
import type { OutputCodec } from '../../../protocol/codecs.ts';
import type { Estimate } from '../../../protocol/estimate.ts';
import type { MediaFacts } from '../../../protocol/media-facts.ts';
import type { ModelLists, StorageFacts } from '../../../protocol/messages/session-messages.ts';
import type { Licence } from '../../../protocol/messages/model-messages.ts';
import type { ModelDownload, OfferKind } from '../../../protocol/model-offers.ts';
import type { LinkState } from '../../../protocol/client/link-state.ts';
import type { PlacedEdit } from '../host/edits.ts';
import type { AbilityName, Host, Notifications, Theme } from '../host/host.ts';
import type { ExportMode, SelectionReading } from '../host/selection.ts';
import type { CompareState } from './compare.ts';
import type { ListKind } from './model-list.ts';
import type { PreviewStrip } from './preview-strip.ts';
import { emptyForm, type EditForm } from './form.ts';
import type { OfferedLora } from './loras.ts';
import { builtInPresets, type Preset } from './presets.ts';
import type { Problem } from './problem.ts';
import { wholePictureRegion, type Region } from './region.ts';
import type { Task } from './task.ts';

export const pages = ['edit', 'compare', 'versions'] as const;
export type Page = (typeof pages)[number];

export interface HostFacts {
  readonly kind: Host['kind'];
  readonly product: string;
  /** What this host can do. */
  readonly abilities: readonly AbilityName[];
  readonly logFolder: string | null;
}

/** A clip that the server has. */
export interface SentClip {
  readonly clipId: string;
  /** Of its file, in hexadecimal. */
  readonly sha256: string;
  readonly media: MediaFacts;
}

/** A clip that was sent before Apply, so that the server can estimate an edit of it. */
export interface PreparedClip {
  /** Of the selected file. */
  readonly sourceId: string;
  readonly sentBytes: number;
  readonly sizeBytes: number;
  readonly clip: SentClip | null;
  readonly problem: Problem | null;
}

export type EstimateState =
  | { readonly name: 'none' }
  | { readonly name: 'asking' }
  /** From earlier edits on this machine. */
  | { readonly name: 'guess'; readonly seconds: number }
  | {
      readonly name: 'known';
      readonly estimate: Estimate;
      /** Of the preview; null where it is not known. */
      readonly previewSeconds: number | null;
    }
  | { readonly name: 'failed'; readonly problem: Problem };

/** What was pressed and is held back. */
export type HeldPress = 'apply' | 'preview';

export interface PracticeState {
  /** Set while the user is asked about what was pressed. */
  readonly held: HeldPress | null;
  /** The doubt that the user has waved away, by its key; null for none. */
  readonly accepted: string | null;
}

/** The throughput of earlier edits, by model; guesses are based on it. */
export interface Throughput {
  readonly secondsPerEvaluation: number;
  /** UNet forwards of one latent per frame and sampling step. */
  readonly evaluationsPerFrameStep: number;
  /** The model's default steps. */
  readonly steps: number;
}

export interface HistoryEntry {
  readonly prompt: string;
  readonly sourcePrompt: string;
  readonly negativePrompt: string;
}

export type Overlay =
  | {
      readonly name: 'diagnostics';
      readonly checks: readonly Check[] | null;
      readonly problem: Problem | null;
    }
  | { readonly name: 'about' }
  | {
      readonly name: 'models';
      readonly kind: ListKind;
      /** What the user typed to find some of them. */
      readonly filter: string;
      /** Whether the server looks at its machine. */
      readonly isLooking: boolean;
      readonly problem: Problem | null;
    }
  | {
      readonly name: 'licence';
      readonly modelId: string;
      /** Of the model. */
      readonly title: string;
      /** Null until the server has sent it. */
      readonly licence: Licence | null;
      readonly problem: Problem | null;
    }
  | { readonly name: 'remove-model'; readonly kind: OfferKind; readonly id: string; readonly title: string }
  | { readonly name: 'recipe'; readonly editId: string; readonly version: number }
  | { readonly name: 'forget-version'; readonly editId: string; readonly version: number }
  | { readonly name: 'unpair' }
  | { readonly name: 'save-preset' };

/** A short message that disappears after a while or by a click. */
export interface Toast {
  readonly id: number;
  readonly text: ToastText;
  readonly problem: Problem | null;
}
export type ToastText =
  | 'edit-done'
  | 'copied'
  | 'copy-refused'
  | 'presets-imported'
  | 'presets-unreadable'
  | 'preset-saved'
  | 'recipe-loaded'
  | 'recipe-loaded-select'
  | 'version-shown'
  | 'reverted'
  | 'saved'
  | 'preview-applied'
  | 'model-ready'
  | 'model-removed'
  | 'failed';

/** `failed`: it was asked, and nothing answered. */
export type StartState = 'idle' | 'starting' | 'failed';

export interface PanelState {
  readonly host: HostFacts;
  readonly theme: Theme;
  readonly link: LinkState;
  /** Whether the background app is being started, or could not be. */
  readonly start: StartState;
  /** Whether the commands for experts are open, on the page of the link. */
  readonly areCommandsOpen: boolean;
  /** What the server found on its machine when it last looked; null while it has not said. */
  readonly models: ModelLists | null;
  /** Models that the server downloads. */
  readonly downloads: readonly ModelDownload[];
  readonly page: Page;
  readonly selection: SelectionReading | null;
  readonly isReadingSelection: boolean;
  /** How clips leave the timeline where both ways are possible. */
  readonly exportMode: ExportMode | null;
  readonly prepared: PreparedClip | null;
  readonly form: EditForm;
  /** Where the next edit may change its clip. */
  readonly region: Region;
  /** What the server offers. */
  readonly loras: readonly OfferedLora[];
  readonly isAdvancedOpen: boolean;
  readonly presets: readonly Preset[];
  readonly history: readonly HistoryEntry[];
  readonly throughputs: Readonly<Record<string, Throughput>>;
  readonly estimate: EstimateState;
  readonly practice: PracticeState;
  readonly tasks: readonly Task[];
  /** Addresses of what running jobs look like so far, by job. */
  readonly growing: Readonly<Record<string, string>>;
  /** Addresses of small pictures of results, by job. */
  readonly thumbnails: Readonly<Record<string, string>>;
  readonly notifications: Notifications;
  readonly edits: readonly PlacedEdit[];
  /** Room that the server's files take; null while it has not been asked for. */
  readonly storage: StorageFacts | null;
  /** The edit that versions and compare are about. */
  readonly editId: string | null;
  /** The next Apply makes a new version of this edit. */
  readonly rerunOf: string | null;
  /** Whether the edit that is looked at shows on the timeline; null where that is not known. */
  readonly isShown: boolean | null;
  readonly compare: CompareState | null;
  readonly previewStrip: PreviewStrip | null;
  readonly overlay: Overlay | null;
  readonly toasts: readonly Toast[];
}

export function initialState(host: HostFacts, theme: Theme, codec: OutputCodec): PanelState {
  return {
    host,
    theme,
    link: { name: 'connecting' },
    start: 'idle',
    areCommandsOpen: false,
    models: null,
    downloads: [],
    page: 'edit',
    selection: null,
    isReadingSelection: false,
    exportMode: null,
    prepared: null,
    form: emptyForm(codec),
    region: wholePictureRegion,
    loras: [],
    isAdvancedOpen: false,
    presets: builtInPresets,
    history: [],
    throughputs: {},
    estimate: { name: 'none' },
    practice: { held: null, accepted: null },
    tasks: [],
    growing: {},
    thumbnails: {},
    notifications: 'unavailable',
    edits: [],
    storage: null,
    editId: null,
    rerunOf: null,
    isShown: null,
    compare: null,
    previewStrip: null,
    overlay: null,
    toasts: [],
  };
}

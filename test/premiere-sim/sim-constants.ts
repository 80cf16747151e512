// Premiere's enumerations. Their values are made up, and are not what the declarations would count to: who writes a
// literal instead of reading the constant at run time is found out.

import type { Constants } from '@adobe/premierepro';

const names = {
  AudioTrackEvent: ['TRACK_CHANGED', 'INFO_CHANGED', 'LOCK_CHANGED'],
  ContentType: ['ANY', 'SEQUENCE', 'MEDIA'],
  EncoderEvent: ['RENDER_COMPLETE', 'RENDER_ERROR', 'RENDER_CANCEL', 'RENDER_QUEUE', 'RENDER_PROGRESS'],
  ExportType: ['QUEUE_TO_AME', 'QUEUE_TO_APP', 'IMMEDIATELY'],
  MediaType: ['ANY', 'DATA', 'VIDEO', 'AUDIO'],
  OperationCompleteEvent: ['EXPORT_MEDIA_COMPLETE', 'IMPORT_MEDIA_COMPLETE'],
  OperationCompleteState: ['SUCCESS', 'CANCELLED', 'FAILED'],
  ProjectEvent: ['OPENED', 'CLOSED', 'DIRTY', 'ACTIVATED', 'PROJECT_ITEM_SELECTION_CHANGED'],
  PropertyType: ['PERSISTENT', 'NON_PERSISTENT'],
  SequenceEvent: ['ACTIVATED', 'CLOSED', 'SELECTION_CHANGED'],
  TrackItemType: ['EMPTY', 'CLIP', 'TRANSITION', 'PREVIEW', 'FEEDBACK'],
} as const satisfies {
  readonly [K in keyof typeof Constants]?: readonly (keyof (typeof Constants)[K])[];
};

export type SimulatedConstants = Pick<typeof Constants, keyof typeof names>;

let lastValue = 4_000;

export const simConstants = Object.fromEntries(
  Object.entries(names).map(([enumeration, members]) => [
    enumeration,
    Object.fromEntries(members.map((member) => [member, (lastValue += 7)])),
  ]),
) as unknown as SimulatedConstants;

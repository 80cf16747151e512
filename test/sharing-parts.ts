// What edits of tests stand on: the real parts, but that equal graphs are loaded once and run on one thread.

import { realParts, type EditParts } from '../companion-server/src/engine/run/edit.ts';
import { openModel } from '../companion-server/src/engine/model/model.ts';
import { createSharedSession } from './shared-sessions.ts';

export const sharingParts: EditParts = {
  ...realParts,
  openModel: (options) => openModel({ ...options, createSession: createSharedSession }),
};

// Entry of the engine process: session.run blocks the event loop, and a crash in native code must not take
// the server down.

import { runEdit } from '../run/edit.ts';
import { estimateEdit } from '../estimate/estimate.ts';
import { serveEngine } from './serve-engine.ts';

serveEngine(runEdit, estimateEdit);

// Entry of the engine process: session.run blocks the event loop, and a crash in native code must not take
// the server down.

import { runEdit } from './edit.ts';
import { estimateEdit } from './estimate.ts';
import { serveEngine } from './serve-engine.ts';

serveEngine(runEdit, estimateEdit);

// What the command line asks of the server as a process: what it is, and that it ends.

import type { Route } from './route.ts';

export interface ServerRouteDeps {
  readonly version: string;
  /** The model that edits use unless they name one; null when there is none. */
  readonly defaultModel: () => string | null;
  /** Called after the answer is on its way. */
  readonly stop: () => void;
}

export function serverRoutes({ version, defaultModel, stop }: ServerRouteDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/status',
      access: 'local',
      handle: () => ({ json: { version, processId: process.pid, model: defaultModel() } }),
    },
    {
      method: 'POST',
      path: '/stop',
      access: 'local',
      handle() {
        setImmediate(stop);
        return { json: { processId: process.pid } };
      },
    },
  ];
}

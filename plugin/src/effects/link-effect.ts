// Connection, pairing, diagnostics and the host's menus.

import type { DiskShortage } from '../../../protocol/messages/session-messages.ts';
import type { Problem } from '../state/problem.ts';
import type { EffectDeps, StopEffect } from './deps.ts';
import { problemOf } from './problem-of.ts';

/** A full disk of the server, as a problem: how much is missing, and where. */
function shortageProblem({ folder, freeBytes, missingBytes }: DiskShortage): Problem {
  const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;
  const setting = folder === 'data' ? 'TOKENFLOW_DATA' : 'TOKENFLOW_CACHE';
  return {
    code: 'disk-full',
    message: `The disk of the server's ${folder} folder has ${megabytes(freeBytes)} free, ${megabytes(missingBytes)} too little.`,
    hint: `Free some space there, or set ${setting} to a folder on a larger disk.`,
  };
}

/** How often, and how many times, the panel looks for an app that it has asked to start. */
const startLooks = { everyMs: 1_000, times: 30 } as const;

const emptyDiagnosis = { name: 'diagnostics', checks: null, problem: null } as const;

export function startLinkEffect({ client, host, store, clock }: EffectDeps): StopEffect {
  const { dispatch } = store;
  const toast = (error: unknown): void => dispatch({ type: 'toast-raised', text: 'failed', problem: problemOf(error) });

  const diagnose = async (): Promise<void> => {
    if (client.link.name !== 'online') {
      const problem = { code: 'connection-lost', message: `The link is ${client.link.name}.` } as const;
      dispatch({ type: 'diagnosis-failed', problem });
      return;
    }
    try {
      dispatch({ type: 'diagnosed', checks: await client.diagnostics() });
    } catch (error) {
      dispatch({ type: 'diagnosis-failed', problem: problemOf(error) });
    }
  };
  let cancelLook: () => void = () => undefined;
  const lookAgain = (times: number): void => {
    cancelLook();
    if (store.state.start !== 'starting') return;
    if (times === 0) {
      dispatch({ type: 'start-failed' });
      return;
    }
    client.retryNow();
    cancelLook = clock.after(startLooks.everyMs, () => lookAgain(times - 1));
  };
  const startServer = async (): Promise<void> => {
    if (await host.shell.startServer()) lookAgain(startLooks.times);
    else dispatch({ type: 'start-failed' });
  };
  const openLog = async (): Promise<void> => {
    const isOpen = await host.shell.openLogFolder();
    if (!isOpen && host.shell.logFolder !== null) await copy(host.shell.logFolder);
  };
  const copy = async (text: string): Promise<void> => {
    const isCopied = await host.shell.copyText(text);
    dispatch({ type: 'toast-raised', text: isCopied ? 'copied' : 'copy-refused', problem: null });
  };

  const stops = [
    client.onLink((link) => dispatch({ type: 'link-changed', link })),
    client.onDisks((shortages) => {
      for (const shortage of shortages) {
        dispatch({ type: 'toast-raised', text: 'failed', problem: shortageProblem(shortage) });
      }
    }),
    host.theme.subscribe((theme) => dispatch({ type: 'theme-changed', theme })),
    host.shell.subscribe((command) => {
      if (command === 'edit-selection') dispatch({ type: 'page-chosen', page: 'edit' });
      else if (command === 're-pair') dispatch({ type: 'overlay-opened', overlay: { name: 'unpair' } });
      else if (command === 'diagnostics') dispatch({ type: 'overlay-opened', overlay: emptyDiagnosis });
      else if (command === 'open-log') openLog().catch(toast);
      else dispatch({ type: 'overlay-opened', overlay: { name: 'about' } });
    }),
    store.subscribe((event) => {
      if (event.type === 'retry-pressed') client.retryNow();
      else if (event.type === 'start-pressed') startServer().catch(toast);
      // The refusal is already in the state.
      else if (event.type === 'code-entered') client.pair(event.code).catch(() => undefined);
      else if (event.type === 'unpair-confirmed') client.forget().catch(toast);
      else if (event.type === 'copy-pressed') copy(event.text).catch(toast);
      else if (event.type === 'log-pressed') openLog().catch(toast);
      else if (event.type === 'overlay-opened' && event.overlay.name === 'diagnostics') {
        void diagnose();
      }
    }),
  ];
  dispatch({ type: 'link-changed', link: client.link });
  client.start();
  return () => {
    cancelLook();
    void client.stop();
    for (const stop of stops) stop();
  };
}

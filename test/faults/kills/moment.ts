// When to kill: at any time of a round, or a little after something that takes too short to be met by chance.

import { setTimeout as delay } from 'node:timers/promises';
import type { ClientProgress } from '../../../companion-server/src/client/edit-over-socket.ts';
import type { Choices } from './choices.ts';

/** What a round tells while it goes on. */
export type Sign = 'begin' | 'upload' | 'load' | 'decode' | 'invert' | 'edit' | 'encode' | 'encoded' | 'download';

const signs: readonly Sign[] = [
  ...(['upload', 'load', 'decode', 'invert', 'edit', 'encode', 'encoded', 'download'] as const),
];

export interface Moment {
  readonly sign: Sign;
  readonly delayMs: number;
}

/** Half of the moments are spread over a round of `roundMs`, the others follow signs of progress. */
export function chooseMoment(choices: Choices, roundMs: number): Moment {
  if (choices.below(2) === 0) {
    return { sign: 'begin', delayMs: choices.below(Math.max(1, Math.round(roundMs))) };
  }
  return { sign: choices.oneOf(signs), delayMs: choices.below(choices.oneOf([5, 50, 300])) };
}

export function signOf(progress: ClientProgress): Sign | null {
  if (progress.phase === 'upload' || progress.phase === 'download') return progress.phase;
  if (progress.phase !== 'edit') return null;
  const { stage, step, steps } = progress.progress;
  // The last frame has gone to the encoder: the file is finished, synced, renamed and hashed now.
  return stage === 'encode' && step === steps ? 'encoded' : stage;
}

export interface Signs {
  give(sign: Sign): void;
  /** Resolves at the moment, or with false when the round ended before its sign. */
  reached(moment: Moment): Promise<boolean>;
  end(): void;
}

export function createSigns(): Signs {
  const given = new Set<Sign>();
  const waiting = new Map<Sign, (isGiven: boolean) => void>();
  return {
    give(sign) {
      given.add(sign);
      waiting.get(sign)?.(true);
    },
    async reached({ sign, delayMs }) {
      const isGiven = given.has(sign) || (await new Promise<boolean>((resolve) => waiting.set(sign, resolve)));
      if (isGiven) await delay(delayMs);
      return isGiven;
    },
    end() {
      for (const resolve of waiting.values()) resolve(false);
    },
  };
}

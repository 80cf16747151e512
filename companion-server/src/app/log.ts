// The server's log: one line per event for people, and the same events as JSON for the log file. Tokens, codes, prompts
// and paths of clips do not belong here; what comes along by mistake is taken out before a line is made.

import { pino } from 'pino';
import { scrub, secretKeys } from './log-redaction.ts';

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What belongs to an event, beside its sentence. */
export type LogDetails = Readonly<Record<string, string | number | boolean | null>>;

export interface Log {
  debug(message: string, details?: LogDetails): void;
  info(message: string, details?: LogDetails): void;
  warn(message: string, details?: LogDetails): void;
  error(message: string, details?: LogDetails): void;
}

export interface LogOptions {
  /** Events below this level are dropped. */
  readonly level: LogLevel;
  /** Receives every event as one line for people. */
  readonly write: (line: string) => void;
  /** Receives every event as one line of JSON. */
  readonly writeJson?: (line: string) => void;
  readonly now?: () => Date;
}

export function createLog({ level, write, writeJson, now = () => new Date() }: LogOptions): Log {
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${now().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: [...secretKeys], censor: '[removed]' },
    },
    {
      write(line: string) {
        writeJson?.(line);
        write(toText(line));
      },
    },
  );
  const logAt =
    (eventLevel: Exclude<LogLevel, 'silent'>) =>
    (message: string, details: LogDetails = {}): void => {
      if (!logger.isLevelEnabled(eventLevel)) return;
      const scrubbed = Object.entries(details).map(([key, value]) => [
        key,
        typeof value === 'string' ? scrub(value) : value,
      ]);
      logger[eventLevel](Object.fromEntries(scrubbed), scrub(message));
    };
  return { debug: logAt('debug'), info: logAt('info'), warn: logAt('warn'), error: logAt('error') };
}

/** A line of JSON as a line for people. */
export function toText(jsonLine: string): string {
  const { time, level, message, ...details } = JSON.parse(jsonLine) as Record<string, unknown>;
  const shown = Object.entries(details).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
  return `${String(time)} ${String(level).padEnd(5)} ${String(message)}${shown.join('')}\n`;
}

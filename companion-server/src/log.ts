// The server's log: one line per event on standard error. Tokens, prompts and paths of clips do not belong here.

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
  readonly write: (line: string) => void;
  readonly now?: () => Date;
}

export function createLog({ level, write, now = () => new Date() }: LogOptions): Log {
  const least = logLevels.indexOf(level);
  const logAt =
    (eventLevel: LogLevel) =>
    (message: string, details: LogDetails = {}): void => {
      if (logLevels.indexOf(eventLevel) < least) return;
      const shown = Object.entries(details).map(
        ([key, value]) => ` ${key}=${JSON.stringify(value)}`,
      );
      write(`${now().toISOString()} ${eventLevel.padEnd(5)} ${message}${shown.join('')}\n`);
    };
  return { debug: logAt('debug'), info: logAt('info'), warn: logAt('warn'), error: logAt('error') };
}

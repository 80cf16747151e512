// What `edit` shows while it runs and at the end: a bar on a terminal, lines elsewhere, JSON for machines.

import type { ClientProgress, EditedClip } from '../client/edit-over-socket.ts';
import type { CommandContext, Output } from './command.ts';
import { formatBar, formatLine, formatResult, shareOf, stageOf } from './edit-text.ts';

export interface Reporter {
  progress(progress: ClientProgress): void;
  done(edited: EditedClip): void;
  /** Leaves the terminal clean, however the edit ended. */
  end(): void;
}

export function createReporter(
  format: 'text' | 'json',
  { stdout, stderr }: Pick<CommandContext, 'stdout' | 'stderr'>,
): Reporter {
  if (format === 'json') return createJsonReporter(stdout);
  return stderr.isTTY ? createBarReporter(stdout, stderr) : createLineReporter(stdout, stderr);
}

function createJsonReporter(stdout: Output): Reporter {
  const print = (value: object): void => stdout.write(`${JSON.stringify(value)}\n`);
  return {
    progress(progress) {
      if (progress.phase === 'edit') print({ type: 'progress', ...progress.progress });
      else if (progress.phase !== 'queue') {
        const { phase: stage, doneBytes, totalBytes } = progress;
        print({ type: 'progress', stage, doneBytes, totalBytes });
      }
    },
    done: ({ outPath, sizeBytes, report, stageSeconds }) =>
      print({ type: 'done', out: outPath, sizeBytes, ...report, stageSeconds }),
    end: () => undefined,
  };
}

function createBarReporter(stdout: Output, stderr: Output): Reporter {
  const clearLine = '\r\x1b[K';
  let isBarShown = false;
  const clear = (): void => {
    if (isBarShown) stderr.write(clearLine);
    isBarShown = false;
  };
  return {
    progress(progress) {
      stderr.write(clearLine + formatBar(progress, stderr.columns));
      isBarShown = true;
    },
    done(edited) {
      clear();
      stdout.write(formatResult(edited));
    },
    end: clear,
  };
}

/** A line for each stage, and for each tenth of the edit, the upload and the download. */
function createLineReporter(stdout: Output, stderr: Output): Reporter {
  let lastKey = '';
  return {
    progress(progress) {
      const key = `${stageOf(progress)} ${Math.floor(shareOf(progress) * 10)}`;
      if (key === lastKey) return;
      lastKey = key;
      stderr.write(`${formatLine(progress)}\n`);
    },
    done: (edited) => stdout.write(formatResult(edited)),
    end: () => undefined,
  };
}

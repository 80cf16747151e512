// What each option of the WebGPU provider brings that can be set from Node, one at a time and the good ones together.

import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import type { WebGpuOptions } from '../../companion-server/src/onnx/session.ts';
import { compareFolder } from '../../test/golden/compare.ts';
import { GoldenReport } from '../../test/golden/report.ts';
import { interleave } from '../interleave.ts';
import type { ForwardAnswer, ForwardOptions } from './forward-process.ts';
import { rowOf, type Section, type SectionContext } from './section.ts';

const entry = fileURLToPath(new URL('forward-process.ts', import.meta.url));
const goldenFolder = path.join(import.meta.dirname, '..', '..', 'test', 'fixtures', 'golden', 'sd1');
/** A session of the full size and its forwards. */
const secondsPerOption = 12;
const batch = 2;
/** Below it an option is worth having; the rest is noise. */
const worthwhile = 0.97;

const candidates: readonly WebGpuOptions[] = [
  { validationMode: 'disabled' },
  { preferredLayout: 'NCHW' },
  { storageBufferCacheMode: 'simple' },
  { storageBufferCacheMode: 'lazyRelease' },
  { defaultBufferCacheMode: 'bucket' },
  { uniformBufferCacheMode: 'lazyRelease' },
  { enableRobustness: false },
];

export const optionsSection: Section = {
  name: 'options',
  devices: ['webgpu'],
  leastSeconds: 30,
  mostSeconds: 150,
  async measure(context) {
    const usual = await ForwardProcess.start(context, {});
    let best: WebGpuOptions = {};
    for (const options of context.isQuick ? candidates.slice(0, 1) : candidates) {
      if (!context.hasTime(secondsPerOption)) break;
      const ratio = await compare(context, usual, options);
      if (ratio !== null && ratio < worthwhile) best = { ...best, ...options };
    }
    if (Object.keys(best).length > 0 && context.hasTime(secondsPerOption)) {
      await compare(context, usual, best);
      await checkNumbers(context, best);
    }
    usual.stop();
  },
};

/** Seconds of a forward with `options` over those without; null when they are refused. */
async function compare(context: SectionContext, usual: ForwardProcess, options: WebGpuOptions): Promise<number | null> {
  const name = JSON.stringify(options);
  const other = await ForwardProcess.start(context, options);
  try {
    const rounds = context.isQuick ? 2 : 7;
    const { ratio, seconds } = await interleave([() => other.forward(), () => usual.forward()], rounds);
    context.report(rowOf(`UNet forward, ${name} : default, batch ${batch}`, `${ratio.toFixed(2)} x`), {
      options,
      ratio,
      seconds,
    });
    return ratio;
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    context.report(rowOf(`UNet forward, ${name}`, `refused: ${failure.slice(0, 200)}`), {
      options,
      failure,
    });
    return null;
  } finally {
    other.stop();
  }
}

async function checkNumbers(context: SectionContext, webgpu: WebGpuOptions): Promise<void> {
  const report = new GoldenReport((line) => context.log(line));
  const execution = { ...context.execution, float: 'float32' as const, webgpu };
  await compareFolder(goldenFolder, { execution, cacheDir: context.workDir, only: 'unet.out' }, report);
  context.report(
    rowOf(`golden sd1 with ${JSON.stringify(webgpu)}`, `${report.passed} passed, ${report.failed} failed`),
    { options: webgpu, passed: report.passed, failed: report.failed },
  );
}

class ForwardProcess {
  private readonly child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.child = child;
  }

  /** The first forward has run when this returns; a refusal comes with the first `forward`. */
  static async start(context: SectionContext, webgpu: WebGpuOptions): Promise<ForwardProcess> {
    const child = fork(entry, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const { execution, size, workDir, isQuick } = context;
    const options: ForwardOptions = {
      execution: { ...execution, webgpu },
      size,
      workDir,
      batch,
      edge: isQuick ? 8 : 64,
    };
    const made = new ForwardProcess(child);
    made.first = made.ask(options);
    await made.first.catch(() => undefined);
    return made;
  }

  private first: Promise<number> = Promise.resolve(0);

  async forward(): Promise<number> {
    await this.first;
    return this.ask('run');
  }

  stop(): void {
    this.child.kill('SIGKILL');
  }

  private ask(message: ForwardOptions | 'run'): Promise<number> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.child.off('message', answered);
        this.child.off('exit', ended);
      };
      const answered = (message: unknown) => {
        settle();
        const answer = message as ForwardAnswer;
        if ('seconds' in answer) resolve(answer.seconds);
        else reject(new Error(answer.failure));
      };
      const ended = (code: number | null, signal: string | null) => {
        settle();
        reject(new Error(`its process ended with ${signal ?? String(code)}`));
      };
      this.child.on('message', answered);
      this.child.on('exit', ended);
      this.child.send(message);
    });
  }
}

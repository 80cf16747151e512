// A UNet session in a process of its own that runs a forward whenever it is asked to: options of the WebGPU provider
// hold for a whole process, so that two sets of them can only be compared across two.

import type { Execution } from '../../companion-server/src/onnx/execution.ts';
import { sessionOptionsOf } from '../../companion-server/src/onnx/execution.ts';
import { createSession } from '../../companion-server/src/onnx/session.ts';
import { denoisingUNet } from '../../companion-server/src/families/stable-diffusion/unet.ts';
import { parseUNetConfig } from '../../companion-server/src/families/stable-diffusion/unet-config.ts';
import { buildPassGraph } from '../../companion-server/src/nets/pass-graph.ts';
import { plainPass } from '../../companion-server/src/nets/pass.ts';
import { timed } from '../interleave.ts';
import { randomUNetWeights } from '../../test/random-unet.ts';
import { unetInputs } from '../unet.ts';
import { unetConfigOf, type CheckpointSize } from '../../test/random-checkpoint.ts';

export interface ForwardOptions {
  readonly execution: Execution;
  readonly size: CheckpointSize;
  readonly workDir: string;
  readonly edge: number;
  readonly batch: number;
}

/** Seconds of a forward, or why there is none. The first answer is that of the session. */
export type ForwardAnswer = { readonly seconds: number } | { readonly failure: string };

// Whoever asked is gone: nobody waits for an answer.
process.once('disconnect', () => process.exit(0));
process.once('message', (options) => void serve(options as ForwardOptions));

async function serve({ execution, size, workDir, edge, batch }: ForwardOptions): Promise<void> {
  const answer = (message: ForwardAnswer) => process.send?.(message);
  const fail = (error: unknown) => answer({ failure: error instanceof Error ? error.message : String(error) });
  try {
    const config = parseUNetConfig(unetConfigOf(size));
    const weights = await randomUNetWeights(config, workDir, 'F16');
    const { float, fused } = execution;
    const graph = buildPassGraph(denoisingUNet(config), { height: edge, width: edge }, plainPass, {
      name: 'unet',
      weights,
      float,
      fused,
    });
    const session = await createSession(graph, sessionOptionsOf(execution));
    const inputs = unetInputs(config, batch, edge);
    const run = () => timed(() => session.run(inputs));
    process.on('message', () => void run().then((seconds) => answer({ seconds }), fail));
    answer({ seconds: await run() });
  } catch (error) {
    fail(error);
  }
}

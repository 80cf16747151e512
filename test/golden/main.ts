// npm run golden -- DIR [DIR ...] [--device cpu] [--only PREFIX]: compares with what the reference implementations computed.
// One line per tensor, last `golden: N passed, M failed`; exit code 1 on any failure, 2 for wrong arguments.

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { deviceChoices } from '../../protocol/devices.ts';
import { chooseDevice } from '../../companion-server/src/engine/device/device.ts';
import { probeIsolated } from '../../companion-server/src/engine/device/isolated-probe.ts';
import { compareFolder } from './compare.ts';
import { GoldenReport } from './report.ts';

const usage = 'Usage: npm run golden -- DIR [DIR ...] [--device cpu|webgpu|cuda|dml|coreml|auto] [--only PREFIX]';

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { device: { type: 'string', default: 'cpu' }, only: { type: 'string' } },
  });
  const device = deviceChoices.find((choice) => choice === values.device);
  const missing = positionals.filter((dir) => !existsSync(dir));
  if (device === undefined || positionals.length === 0 || missing.length > 0) {
    console.error(missing.length > 0 ? `There is no folder ${missing.join(', ')}.` : usage);
    return 2;
  }
  const cacheDir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-golden-'));
  const report = new GoldenReport(console.log);
  try {
    const execution = await chooseDevice(device, (name, purpose) => probeIsolated(name, purpose, cacheDir));
    const form = execution.fused.multiHeadAttention ? 'fused' : 'plain';
    console.log(`device ${execution.provider}, ${execution.float}, ${form} operators`);
    for (const dir of positionals) {
      console.log(dir);
      const only = values.only === undefined ? {} : { only: values.only };
      await compareFolder(path.resolve(dir), { execution, cacheDir, ...only }, report);
    }
  } finally {
    await rm(cacheDir, { recursive: true, force: true });
  }
  if (report.passed === 0) report.record('anything to compare', false, 'nothing was found in the folders');
  report.finish();
  return report.failed === 0 ? 0 : 1;
}

process.exitCode = await main();

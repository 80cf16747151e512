// Every comparison that a folder of golden data offers.

import { openFlowSetting, compareFlows } from './flows.ts';
import { compareBlocks } from './blocks.ts';
import { compareTextEncoders, compareTokenizer } from './clip.ts';
import { compareControlNets, hasControlNets } from './controlnet.ts';
import { compareFewSteps, fewStepName } from './few-step.ts';
import { GoldenFile, holds, type GoldenRun } from './folder.ts';
import { compareLoras, loraCasesName } from './lora.ts';
import { compareUNet, compareVae } from './networks.ts';
import { comparePipeline } from './pipeline.ts';
import { compareStart, startName } from './start.ts';
import { compareTinyDecoder, tinyDecoderName } from './tiny-decoder.ts';
import type { GoldenReport } from './report.ts';

export async function compareFolder(dir: string, run: GoldenRun, report: GoldenReport): Promise<void> {
  const isAll = run.only === undefined;
  if (isAll && holds(dir, 'tokenizer_cases.json')) await compareTokenizer(dir, report);
  if (isAll) await compareTextEncoders(dir, run, report);
  if (isAll && holds(dir, loraCasesName)) await compareLoras(dir, run.cacheDir, report);
  if (isAll && holds(dir, fewStepName)) await compareFewSteps(dir, report);
  if (isAll && holds(dir, tinyDecoderName)) await compareTinyDecoder(dir, run, report);
  if (hasControlNets(dir)) await compareControlNets(dir, run, report);
  if (!holds(dir, 'golden.safetensors')) return;
  const golden = await GoldenFile.open(dir, run.only);
  if (golden.compares('unet.out')) await compareUNet(dir, golden, run, report);
  if (golden.compares('vae.out')) await compareVae(dir, golden, run, report);
  await comparePipeline(dir, golden, run, report);
  if (golden.has('flow.in.latents') && holds(dir, 'scheduler', 'scheduler_config.json')) {
    const setting = await openFlowSetting(dir, golden, run);
    await compareFlows(setting, report);
    await compareBlocks(setting, report);
    if (holds(dir, startName)) await compareStart(dir, setting, report);
  }
}

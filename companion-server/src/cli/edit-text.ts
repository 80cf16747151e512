// The sentences of `edit`. Pure: values in, text out.

import type { ControlChoice } from '../../../protocol/control.ts';
import type { ClientProgress, EditedClip } from '../client/edit-over-socket.ts';

const maxBarCharacters = 30;

/** One line of at most `columns` characters: stage, bar, share, step, time left. */
export function formatBar(progress: ClientProgress, columns: number): string {
  const share = shareOf(progress);
  const barCharacters = Math.max(5, Math.min(maxBarCharacters, columns - 50));
  const filled = Math.round(share * barCharacters);
  const bar = '#'.repeat(filled) + '-'.repeat(barCharacters - filled);
  return `${stageOf(progress).padEnd(8)} [${bar}] ${formatDetails(progress)}`.slice(0, columns - 1);
}

/** The same without a bar, for a file or a pipe. */
export function formatLine(progress: ClientProgress): string {
  return `${stageOf(progress)} ${formatDetails(progress)}`.trimEnd();
}

/** Where the result is, and what it took. */
export function formatResult({ outPath, report, stageSeconds }: EditedClip): string {
  const {
    frames,
    outputSize,
    workingSize,
    frameRate,
    device,
    chosen,
    reconstructionPsnr,
    loras = [],
    vae,
    controls = [],
    notices,
  } = report;
  const found = reconstructionPsnr === null ? '' : `, clip found again to ${reconstructionPsnr.toFixed(0)} dB`;
  const totalSeconds = Object.values(stageSeconds).reduce((sum, seconds) => sum + seconds, 0);
  const rate = Number((frameRate.numerator / frameRate.denominator).toFixed(3));
  const stages = Object.entries(stageSeconds).map(([stage, seconds]) => `${stage} ${seconds.toFixed(1)} s`);
  return [
    outPath,
    `  ${frames} ${frames === 1 ? 'frame' : 'frames'}, ${outputSize.width}x${outputSize.height}, ${rate} fps; worked at ${workingSize.width}x${workingSize.height} on ${device}, ${chosen.steps} steps, guidance ${chosen.guidance}${found}`,
    ...(loras.length === 0 ? [] : [`  LoRA: ${loras.map(({ name, strength }) => `${name} ${strength}`).join(', ')}`]),
    ...(vae === undefined ? [] : [`  VAE: ${vae}`]),
    ...(controls.length === 0 ? [] : [`  ControlNet: ${controls.map(controlText).join(', ')}`]),
    `  ${totalSeconds.toFixed(1)} s: ${stages.join(', ')}`,
    ...notices.map((notice) => `  note: ${notice}`),
    '',
  ].join('\n');
}

function controlText({ kind, net, scale, start, end, guess }: ControlChoice): string {
  const part = start === 0 && end === 1 ? '' : ` from ${start} to ${end}`;
  return `${kind}${net === undefined ? '' : ` (${net})`} ${scale}${part}${guess ? ', guess mode' : ''}`;
}

/** The word for what is going on. */
export function stageOf(progress: ClientProgress): string {
  return progress.phase === 'edit' ? progress.progress.stage : progress.phase;
}

/** How much of the edit, the upload or the download is done, 0..1. */
export function shareOf(progress: ClientProgress): number {
  switch (progress.phase) {
    case 'queue':
      return 0;
    case 'edit':
      return progress.progress.progress;
    case 'upload':
    case 'download':
      return progress.totalBytes === 0 ? 1 : progress.doneBytes / progress.totalBytes;
  }
}

function formatDetails(progress: ClientProgress): string {
  if (progress.phase === 'queue') return '';
  const share = `${Math.floor(shareOf(progress) * 100)} %`.padStart(5);
  if (progress.phase !== 'edit') return share;
  const { stage, step, steps, etaSeconds, reconstructionPsnr } = progress.progress;
  const found =
    stage !== 'invert' || reconstructionPsnr === null ? '' : `  found again to ${reconstructionPsnr.toFixed(0)} dB`;
  const left = etaSeconds === null ? '' : `  ${formatDuration(etaSeconds)} left`;
  return `${share}  step ${step}/${steps}${left}${found}`;
}

/** For example `0:07`, `12:30`, `1:02:05`. */
export function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

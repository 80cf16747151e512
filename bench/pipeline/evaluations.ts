import type { EditReport } from '../../protocol/edit-report.ts';
import { atMost } from '../rows.ts';
import type { BenchRow } from '../table.ts';
import type { Figure } from './figure.ts';
import { runLongEdit } from './long-edit.ts';

/** The count depends on the size only where the calibration asks for more forwards: the smallest is quickest. */
const workingEdge = 64;

export const evaluations: Figure = {
  name: 'evaluations',
  async measure(context) {
    const reports: EditReport[] = [];
    for (const pipeline of ['fast', 'reference'] as const) {
      const inversionsDir = await context.editor.newInversionsDir();
      const { report } = await runLongEdit(context, { pipeline, workingEdge, inversionsDir });
      const { inversion, sampling } = report.unetEvaluations;
      context.log(`${pipeline}: ${inversion} inversion + ${sampling} sampling`);
      reports.push(report);
    }
    const [fast, reference] = reports;
    return fast === undefined || reference === undefined ? [] : [evaluationsRow(fast, reference)];
  },
};

export function evaluationsRow(fast: EditReport, reference: EditReport): BenchRow {
  const [ours, theirs] = [perFrame(fast), perFrame(reference)];
  const unit = (share: number): string => `1 : ${(1 / share).toFixed(1)}`;
  const figure = `UNet evaluations per frame, fast : reference, ${fast.frames} frames`;
  const row = atMost(figure, ours / theirs, 1 / 12, unit);
  return { ...row, value: `${row.value} (${ours.toFixed(1)} : ${theirs.toFixed(1)})` };
}

function perFrame({ unetEvaluations: { inversion, sampling }, frames }: EditReport): number {
  return (inversion + sampling) / frames;
}

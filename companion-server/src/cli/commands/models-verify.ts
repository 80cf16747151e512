// `models verify`.

import { EditError } from '../../errors.ts';
import { findInstalledModels } from '../../models/installed-models.ts';
import { readingOfInstalled } from '../../models/library/parts.ts';
import { verifyModel } from '../../models/verify.ts';
import { report, type ModelsRequest } from './models-request.ts';
import { typed } from '../../typed-command.ts';

/** Throws EditError 'model-damaged' after all models were looked at, when something is wrong with any. */
export async function verify(request: ModelsRequest, id: string | undefined): Promise<void> {
  const installed = findInstalledModels(request.modelsDir);
  if (id !== undefined && !installed.has(id)) {
    throw new EditError('model-missing', `There is no model ${id} on this machine.`, {
      hint: `There are ${[...installed.keys()].join(', ')}.`,
    });
  }
  const damaged: string[] = [];
  for (const [name, dir] of installed) {
    if (id !== undefined && name !== id) continue;
    const { signal } = request.context;
    const known = request.catalog.find((model) => model.id === name);
    const { checkedFiles, faults } = await verifyModel(dir, {
      known,
      reading: () => readingOfInstalled(request.modelsDir, name, dir),
      signal,
      onProgress: (done, total) => show(request, `${name} ${Math.floor((done / total) * 100)} %`),
    });
    show(request, '');
    if (faults.length > 0) damaged.push(name);
    const files = checkedFiles === 1 ? '1 file' : `${checkedFiles} files`;
    const right = checkedFiles === 0 ? 'has the right form; no hashes are known' : `${files} right`;
    const text = faults.length === 0 ? `${name}: ${right}` : [`${name}:`, ...faults].join('\n    ');
    report(request, { type: 'verified', id: name, checkedFiles, faults }, text);
  }
  if (damaged.length === 0) return;
  throw new EditError('model-damaged', `Something is wrong with ${damaged.join(', ')}.`, {
    hint: `For a model that was pulled: ${typed('models remove ID')}, then ${typed('models pull ID')}`,
  });
}

/** On a terminal, a line that the next one takes the place of. */
function show({ context: { stderr }, isJson }: ModelsRequest, text: string): void {
  if (stderr.isTTY && !isJson) stderr.write(`\r\x1b[K${text}`);
}

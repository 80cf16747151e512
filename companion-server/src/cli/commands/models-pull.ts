// `models pull`: which model, its licence, and what is shown meanwhile.

import { CanceledError, EditError } from '../../errors.ts';
import type { CatalogModel } from '../../models/catalog-file.ts';
import { readHub } from '../../models/hub/hub-address.ts';
import { pullModel } from '../../models/pull.ts';
import { report, type ModelsRequest } from './models-request.ts';
import { createPullReporter } from '../pull-reporter.ts';
import { suggest } from '../suggest.ts';
import { typed } from '../../typed-command.ts';

export async function pull(request: ModelsRequest, id: string, isAccepted: boolean): Promise<void> {
  const { context, modelsDir } = request;
  const model = findModel(request.catalog, id);
  const { hub: source } = model;
  if (source === null) {
    report(request, { type: 'pulled', id, isNew: false }, `${id} comes with the program.`);
    return;
  }
  const reporter = createPullReporter(request, model.title);
  try {
    const { dir, isNew } = await pullModel({
      model: { ...model, hub: source },
      hub: readHub(context.env),
      modelsDir,
      signal: context.signal,
      accept: () => acceptLicence(request, model, isAccepted),
      onProgress: (progress) => reporter.progress(progress),
      onRetry: ({ message }, delayMs) => reporter.retry(message, delayMs),
    });
    reporter.end();
    const text = isNew
      ? `${model.title} is in ${dir}. Use it with --model ${id}.`
      : `${model.title} is there already, in ${dir}.`;
    report(request, { type: 'pulled', id, isNew, dir }, text);
  } catch (error) {
    if (!(error instanceof CanceledError)) throw error;
    throw new CanceledError({
      kept: 'What has been downloaded is kept: run the command again to go on from there.',
    });
  } finally {
    reporter.end();
  }
}

function findModel(catalog: readonly CatalogModel[], id: string): CatalogModel {
  const model = catalog.find((known) => known.id === id);
  if (model !== undefined) return model;
  const ids = catalog.map((known) => known.id);
  const suggestion = suggest(id, ids);
  throw new EditError('model-missing', `The catalogue has no model '${id}'.`, {
    hint:
      suggestion === undefined
        ? `It has ${ids.join(', ')}. Another checkpoint: download its folder, then ${typed('models add DIR')}`
        : `Did you mean ${suggestion}?`,
  });
}

async function acceptLicence(
  { context, isJson }: ModelsRequest,
  { id, title, licence }: CatalogModel,
  isAccepted: boolean,
): Promise<void> {
  if (isAccepted) return;
  const terms = `${title} comes under the ${licence.name} licence: ${licence.url}`;
  if (context.ask === undefined || isJson) {
    throw new EditError('licence-not-accepted', `${terms}. It has not been accepted.`, {
      hint: `Read it, then: ${typed(`models pull ${id} --accept-licence`)}`,
    });
  }
  context.stderr.write(`${terms}\n`);
  const answer = await context.ask('Have you read it, and do you accept it? (yes/no) ');
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new EditError('licence-not-accepted', 'The licence has not been accepted.', {
    hint: 'Nothing was downloaded.',
  });
}

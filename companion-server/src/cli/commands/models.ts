// `models`: which checkpoints there are, and how they come and go.

import { isOutcome } from '../../../../protocol/job.ts';
import { cacheDirOf, dataDirOf, machineOf } from '../../app/config.ts';
import { EditError } from '../../errors.ts';
import { readCatalog } from '../../models/catalog.ts';
import { addModel, removeModel } from '../../models/change-models.ts';
import { modelsDirOf } from '../../models/installed-models.ts';
import { requireUnused } from '../../models/model-use.ts';
import { defineCommand, type Command } from '../command.ts';
import { readJobs } from '../listed-jobs.ts';
import { folders } from './models-folders.ts';
import { list } from './models-list.ts';
import { pull } from './models-pull.ts';
import { report, type ModelsRequest } from './models-request.ts';
import { verify } from './models-verify.ts';
import { findServer } from '../background-server.ts';
import { askServer } from '../server-requests.ts';
import type { ModelReading } from '../../models/readings.ts';
import { readingOptions, readReading } from '../reading-options.ts';
import { suggest } from '../suggest.ts';
import { typed } from '../../typed-command.ts';

const actions = ['list', 'pull', 'verify', 'remove', 'add', 'folders'] as const;

/** @param readModels the catalogue */
export const createModelsCommand = (readModels = readCatalog): Command =>
  defineCommand({
    name: 'models',
    usage: '[list | pull ID | verify [ID] | remove ID | add PATH | folders [add DIR | remove DIR]] [options]',
    summary: 'List, find, download, check and remove models.',
    options: {
      'accept-licence': {
        kind: 'flag',
        help: 'With pull: you have read the licence and accept it. Asked for in a terminal otherwise.',
      },
      name: {
        kind: 'text',
        placeholder: 'NAME',
        help: 'With add: what to call the model. Default: the name of the folder, file or repository.',
      },
      ...readingOptions,
      json: { kind: 'flag', help: 'Print one JSON object per line.' },
    },
    notes: [
      'list shows the models that there are, those of the catalogue that can be downloaded, and the models, LoRAs, VAEs and embeddings in the folders of other programs. pull downloads one into the models folder; after a cut, a Ctrl+C or a crash the same command goes on where it was. verify hashes downloaded files again. add makes a checkpoint, a folder or one .safetensors file, known where it lies, and copies nothing; what --parts and --prediction say with it holds for every edit that names the model, in the panel too. remove deletes what was pulled, and only forgets what was added.',
      "Other programs: the cache of Hugging Face's libraries, ComfyUI, AUTOMATIC1111 and Forge, InvokeAI, DiffusionBee, Draw Things, where they are usually installed. folders add names another folder: that of such a program, or any other. Nothing in them is copied or changed. TOKENFLOW_LIBRARY=off looks nowhere.",
      'A server that runs offers a new model as soon as it is there.',
      'HF_ENDPOINT names another hub than https://huggingface.co, HF_TOKEN the token of an account there; it is sent to that hub only. TOKENFLOW_DATA moves the data folder, where the models folder is.',
    ],
    async run({ values, positionals }, context) {
      const [action = 'list', subject, ...more] = positionals;
      const surplus = more[action === 'folders' ? 1 : 0];
      if (surplus !== undefined) throw tooMany(surplus);
      const request: ModelsRequest = {
        context,
        catalog: readModels(),
        modelsDir: modelsDirOf(dataDirOf(context.env)),
        cacheDir: cacheDirOf(context.env),
        machine: machineOf(context.env),
        isJson: values.json,
      };
      switch (action) {
        case 'list':
          if (subject !== undefined) throw tooMany(subject);
          await list(request);
          break;
        case 'pull':
          await pull(request, requireSubject(action, 'ID', subject), values['accept-licence']);
          break;
        case 'verify':
          await verify(request, subject);
          break;
        case 'remove':
          await remove(request, requireSubject(action, 'ID', subject));
          break;
        case 'add':
          await add(request, requireSubject(action, 'PATH', subject), values.name, readReading(values));
          break;
        case 'folders':
          await folders(request, subject, more[0]);
          break;
        default:
          throw unknownAction(action);
      }
    },
  });

export const modelsCommand = createModelsCommand();

async function remove(request: ModelsRequest, id: string): Promise<void> {
  await requireUnusedByServer(request, id);
  const removal = await removeModel(request.modelsDir, id);
  const text = {
    deleted: `${id} is deleted.`,
    reference: `${id} is forgotten; its folder is as it was.`,
    download: `What had been downloaded of ${id} is deleted.`,
  }[removal];
  report(request, { type: 'removed', id, removal }, text);
}

/** A server that runs may be at work with it; without one, no edit is. */
async function requireUnusedByServer({ context: { env } }: ModelsRequest, id: string): Promise<void> {
  const server = await findServer(env);
  if (server === null) return;
  const edits = (await askServer(server.file, '/jobs', 'GET', readJobs)).map(({ job }) => job);
  const unfinished = edits.filter(({ state }) => !isOutcome(state));
  await requireUnused(id, unfinished, server.model);
}

async function add(
  request: ModelsRequest,
  path: string,
  name: string | undefined,
  reading: ModelReading | undefined,
): Promise<void> {
  const id = await addModel(request.modelsDir, path, name, reading);
  report(request, { type: 'added', id }, `${id} is added. Use it with --model ${id}.`);
}

function requireSubject(action: string, what: string, subject: string | undefined): string {
  if (subject !== undefined && subject !== '') return subject;
  throw new EditError(
    'invalid-request',
    `models ${action} needs ${what === 'ID' ? 'the id of a model' : 'a folder or file'}.`,
    {
      hint: `For example: ${typed(`models ${action} ${what === 'ID' ? 'stable-diffusion-1.5' : '/path/to/checkpoint'}`)}`,
    },
  );
}

function tooMany(surplus: string): EditError {
  return new EditError('invalid-request', `models takes one thing at a time, got '${surplus}' as well.`, {
    hint: 'Put quotation marks around a path with spaces.',
  });
}

function unknownAction(action: string): EditError {
  const suggestion = suggest(action, actions);
  return new EditError('invalid-request', `models cannot '${action}'.`, {
    hint: suggestion === undefined ? `It can ${actions.join(', ')}.` : `Did you mean ${suggestion}?`,
  });
}

// The form of models/catalog.json: every field is checked, and a wrong one is named by its path.

import { FieldError, readFields, type FieldReader } from '../../../protocol/fields.ts';
import { EditError } from '../errors.ts';
import { complainAboutFilePath, complainAboutModelName, maxFilePathCharacters } from './file-names.ts';

export interface CatalogModel {
  /** What commands and jobs call it. */
  readonly id: string;
  readonly title: string;
  /** One sentence. */
  readonly goodFor: string;
  readonly licence: Licence;
  /** Memory that the weights take on the CPU, where they are in single precision; 1e9 bytes. */
  readonly memoryGigabytes: number;
  /** Where it is downloaded from; null for a model that comes with the program. */
  readonly hub: HubSource | null;
}

export interface Licence {
  readonly name: string;
  readonly url: string;
}

export interface HubSource {
  /** For example `stable-diffusion-v1-5/stable-diffusion-v1-5`. */
  readonly repository: string;
  /** The commit, so that what is downloaded never changes. */
  readonly revision: string;
  /** All files together, about; 1e9 bytes. */
  readonly downloadGigabytes: number;
  readonly files: readonly CatalogFile[];
}

export interface CatalogFile {
  /** Relative to the checkpoint's folder and to the repository, with forward slashes. */
  readonly path: string;
  /** Null where it is not known beforehand: the hub's own figure is taken, and recorded. */
  readonly sizeBytes: number | null;
  readonly sha256: string | null;
}

const maxModels = 1_000;
const maxFiles = 1_000;
const maxFileBytes = 2 ** 40;

/** Reads the text of a catalogue. Throws EditError 'model-damaged' that names `path` and the field that is wrong. */
export function parseCatalog(text: string, path: string): readonly CatalogModel[] {
  try {
    const catalog = readFields(parseJson(text), 'catalog', ['models']);
    const keys = ['id', 'title', 'goodFor', 'licence', 'memoryGigabytes', 'hub'];
    const models = catalog.objects('models', maxModels, keys).map(readModel);
    requireUnique(
      catalog.path,
      'models',
      'id',
      models.map(({ id }) => id),
    );
    return models;
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    throw new EditError('model-damaged', `${path}: ${error.message}`, { cause: error });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FieldError('catalog', `must be JSON: ${reason}.`);
  }
}

function readModel(model: FieldReader): CatalogModel {
  const licence = model.object('licence', ['name', 'url']);
  return {
    id: readName(model, 'id'),
    title: model.text('title', { min: 1, max: 200 }),
    goodFor: model.text('goodFor', { min: 1, max: 1_000 }),
    licence: {
      name: licence.text('name', { min: 1, max: 200 }),
      url: readMatch(licence, 'url', /^https:\/\/[^\s]+$/, 'must be an https address'),
    },
    memoryGigabytes: model.number('memoryGigabytes', 0, 10_000),
    hub: model.nullable('hub', () => readHub(model)),
  };
}

function readHub(model: FieldReader): HubSource {
  const hub = model.object('hub', ['repository', 'revision', 'downloadGigabytes', 'files']);
  const repositoryRule = 'must be an owner and a name such as owner/name';
  const files = hub.objects('files', maxFiles, ['path', 'sizeBytes', 'sha256']).map(readFile);
  // Compared as Windows and macOS compare names.
  requireUnique(
    hub.path,
    'files',
    'path',
    files.map(({ path }) => path.toLowerCase()),
  );
  return {
    repository: readMatch(hub, 'repository', /^[\w-][\w.-]*\/[\w-][\w.-]*$/, repositoryRule),
    revision: hub.hex('revision', 40),
    downloadGigabytes: hub.number('downloadGigabytes', 0, 10_000),
    files,
  };
}

function readFile(file: FieldReader): CatalogFile {
  const path = file.text('path', { min: 1, max: maxFilePathCharacters });
  const complaint = complainAboutFilePath(path);
  if (complaint !== undefined) throw new FieldError(`${file.path}.path`, `${complaint}, got '${path}'.`);
  return {
    path,
    sizeBytes: file.nullable('sizeBytes', () => file.integer('sizeBytes', 1, maxFileBytes)),
    sha256: file.nullable('sha256', () => file.hex('sha256', 64)),
  };
}

/** A model's name, fit for a folder. */
export function readName(fields: FieldReader, key: string): string {
  const name = fields.text(key, { min: 1, max: 64 });
  const complaint = complainAboutModelName(name);
  if (complaint !== undefined) throw new FieldError(`${fields.path}.${key}`, `${complaint}, got '${name}'.`);
  return name;
}

function readMatch(fields: FieldReader, key: string, pattern: RegExp, rule: string): string {
  const text = fields.text(key, { min: 1, max: 500 });
  if (!pattern.test(text)) throw new FieldError(`${fields.path}.${key}`, `${rule}, got '${text}'.`);
  return text;
}

function requireUnique(path: string, list: string, key: string, values: readonly string[]): void {
  const index = values.findIndex((value, at) => values.indexOf(value) < at);
  if (index === -1) return;
  const first = values.indexOf(values[index] as string);
  throw new FieldError(`${path}.${list}.${index}.${key}`, `is the same as in ${list}.${first}.`);
}

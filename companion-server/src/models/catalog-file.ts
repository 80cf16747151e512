// The form of models/catalog.json: every field is checked, and a wrong one is named by its path.

import {
  FieldError,
  hex,
  integer,
  list,
  nullable,
  number,
  object,
  oneOf,
  parse,
  text,
  where,
  type Complaint,
  type Infer,
  type Schema,
} from '../../../protocol/fields.ts';
import { EditError } from '../errors.ts';
import { complainAboutFilePath, complainAboutModelName, maxFilePathCharacters } from './file-names.ts';

const maxModels = 1_000;
const maxFiles = 1_000;
const maxFileBytes = 2 ** 40;

/** A model's name, fit for a folder. */
const modelName = where(text({ min: 1, max: 64 }), (name) => {
  const complaint = complainAboutModelName(name);
  return complaint === undefined ? undefined : `${complaint}, got '${name}'.`;
});

const filePath = where(text({ min: 1, max: maxFilePathCharacters }), (path) => {
  const complaint = complainAboutFilePath(path);
  return complaint === undefined ? undefined : `${complaint}, got '${path}'.`;
});

const matching = (pattern: RegExp, rule: string): Schema<string> =>
  where(text({ min: 1, max: 500 }), (value) => (pattern.test(value) ? undefined : `${rule}, got '${value}'.`));

const gigabytes = number(0, 10_000);

const licence = object({
  name: text({ min: 1, max: 200 }),
  url: matching(/^https:\/\/[^\s]+$/, 'must be an https address'),
});
export type Licence = Infer<typeof licence>;

const catalogFile = object({
  /** Relative to the checkpoint's folder and to the repository, with forward slashes. */
  path: filePath,
  /** Null where it is not known beforehand: the hub's own figure is taken, and recorded. */
  sizeBytes: nullable(integer(1, maxFileBytes)),
  sha256: nullable(hex(64)),
});
export type CatalogFile = Infer<typeof catalogFile>;

const hubSource = object({
  /** For example `stable-diffusion-v1-5/stable-diffusion-v1-5`. */
  repository: matching(/^[\w-][\w.-]*\/[\w-][\w.-]*$/, 'must be an owner and a name such as owner/name'),
  /** The commit, so that what is downloaded never changes. */
  revision: hex(40),
  /** All files together, about; 1e9 bytes. */
  downloadGigabytes: gigabytes,
  // Compared as Windows and macOS compare names.
  files: where(
    list(catalogFile, maxFiles),
    complainAboutTwins('files', 'path', ({ path }) => path.toLowerCase()),
  ),
});
export type HubSource = Infer<typeof hubSource>;

/** What an entry is. Each kind is used in another way, and kept in a folder of its own. */
export const catalogKinds = ['checkpoint', 'lora', 'vae', 'decoder'] as const;
export type CatalogKind = (typeof catalogKinds)[number];

const catalogModel = object({
  /** What commands and jobs call it. */
  id: modelName,
  title: text({ min: 1, max: 200 }),
  kind: oneOf(catalogKinds),
  /** The family of checkpoints that it is of, or that it is for. */
  family: text({ min: 1, max: 200 }),
  /** One sentence. */
  goodFor: text({ min: 1, max: 1_000 }),
  licence,
  /** Memory that the weights take on the CPU, where they are in single precision; 1e9 bytes. */
  memoryGigabytes: gigabytes,
  /** Where it is downloaded from; null for a model that comes with the program. */
  hub: nullable(hubSource),
});
export type CatalogModel = Infer<typeof catalogModel>;

const catalog = object({
  models: where(
    list(catalogModel, maxModels),
    complainAboutTwins('models', 'id', ({ id }) => id),
  ),
});

/** Reads the text of a catalogue. Throws EditError 'model-damaged' that names `path` and the field that is wrong. */
export function parseCatalog(text: string, path: string): readonly CatalogModel[] {
  try {
    return parse(catalog, parseJson(text), 'catalog').models;
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

/** Complains of two items of the list `name` whose `key` is the same. */
function complainAboutTwins<T>(
  name: string,
  key: string,
  valueOf: (item: T) => string,
): (items: readonly T[]) => Complaint | undefined {
  return (items) => {
    const values = items.map(valueOf);
    const index = values.findIndex((value, at) => values.indexOf(value) < at);
    if (index === -1) return undefined;
    const first = values.indexOf(values[index] as string);
    return { at: [index, key], text: `is the same as in ${name}.${first}.` };
  };
}

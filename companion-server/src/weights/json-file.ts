// The small JSON and text files of a checkpoint.

import { EditError } from '../errors.ts';
import { parsePythonJson } from './python-json.ts';
import { readRange, withFile } from './read-range.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Longest file that is read: tokenizer.json of large vocabularies takes a few MB. */
const maxTextBytes = 64 * 2 ** 20;

/** The text of a file. Throws EditError: 'model-missing', or 'model-damaged' when it is absurdly long. */
export async function readText(path: string): Promise<string> {
  return withFile(path, async (handle) => {
    const { size } = await handle.stat();
    if (size > maxTextBytes) {
      throw new EditError('model-damaged', `${path}: must be at most ${maxTextBytes} bytes of text, has ${size}.`);
    }
    return new TextDecoder().decode(await readRange(handle, path, 0, size));
  });
}

/** The object in a JSON file. Throws EditError: 'model-missing', 'model-damaged'. */
export async function readJsonObject(path: string): Promise<JsonObject> {
  const text = await readText(path);
  let json: unknown;
  try {
    json = parsePythonJson(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EditError('model-damaged', `${path}: must be JSON: ${reason}.`, {
      hint: 'Download the file again.',
      cause: error,
    });
  }
  if (!isJsonObject(json)) {
    throw new EditError('model-damaged', `${path}: must hold a JSON object.`, {
      hint: 'Download the file again.',
    });
  }
  return json;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

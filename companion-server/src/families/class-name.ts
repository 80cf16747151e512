import type { JsonObject } from '../weights/json-file.ts';

/**
 * The class that a file of diffusers names in `_class_name`; undefined where it names none. A class of code beside the
 * checkpoint is a list of two: where the code is, and the class.
 */
export function classNameOf(json: JsonObject): string | undefined {
  const value = json['_class_name'];
  const name: unknown = Array.isArray(value) ? value.at(-1) : value;
  return typeof name === 'string' ? name : undefined;
}

// Reads unknown values into types. Every refusal names the path of the field, the rule and the value
// received, so that the message can be shown as it stands.

import type { ErrorCode } from './error-codes.ts';

/** Longest piece of a received value that is repeated in a message, in characters. */
const maxShownCharacters = 60;

/** A field that breaks its rule. `path` is for example `message.settings.strength`. */
export class FieldError extends Error {
  override readonly name = 'FieldError';
  readonly code: ErrorCode;
  readonly path: string;
  /** The rest of the sentence after the path, with the value received and a full stop. */
  readonly complaint: string;

  constructor(path: string, complaint: string, code: ErrorCode = 'invalid-request') {
    super(`${path} ${complaint}`);
    this.path = path;
    this.complaint = complaint;
    this.code = code;
  }
}

/** Reads the fields of one object. Each method throws FieldError when the field breaks its rule. */
export interface FieldReader {
  readonly path: string;
  /** The field as it is, for a parser of its own. */
  value(key: string): unknown;
  /** A string of `min` (default 0) to `max` characters. */
  text(key: string, limits: { readonly min?: number; readonly max: number }): string;
  /** A finite number, both ends included. */
  number(key: string, min: number, max: number): number;
  /** A whole number, both ends included. */
  integer(key: string, min: number, max: number): number;
  flag(key: string): boolean;
  oneOf<T extends string>(key: string, choices: readonly T[]): T;
  /** A string of exactly `digits` lower-case hexadecimal digits. */
  hex(key: string, digits: number): string;
  object(key: string, keys: readonly string[]): FieldReader;
  /** The items of an array of at most `maxItems` as they are, each with its path, for a parser of their own. */
  items(key: string, maxItems: number): readonly { readonly value: unknown; readonly path: string }[];
  /** A reader for each object of an array of at most `maxItems`. */
  objects(key: string, maxItems: number, keys: readonly string[]): readonly FieldReader[];
  /** The strings of an array of at most `maxItems`. */
  texts(key: string, maxItems: number, maxCharacters: number): readonly string[];
  /** The whole numbers from 0 on in an array of at most `maxItems`. */
  indices(key: string, maxItems: number): readonly number[];
  /** The numbers of a record of at most 100 named values, none below 0. */
  amounts(key: string): Readonly<Record<string, number>>;
  /** `read()`'s value, or null where the field is null. */
  nullable<T>(key: string, read: () => T): T | null;
  /** `read()`'s value, or undefined where the field is absent. */
  optional<T>(key: string, read: () => T): T | undefined;
}

/** Opens `value` for reading. Throws FieldError unless it is an object with no field outside `keys`. */
export function readFields(value: unknown, path: string, keys: readonly string[]): FieldReader {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FieldError(path, `must be an object, got ${show(value)}.`);
  }
  const fields = value as Record<string, unknown>;
  for (const key of Object.keys(fields)) {
    if (!keys.includes(key)) {
      throw new FieldError(`${path}.${clip(key)}`, `is not known; known are ${keys.join(', ')}.`);
    }
  }
  return createReader(fields, path);
}

function createReader(fields: Readonly<Record<string, unknown>>, path: string): FieldReader {
  const at = (key: string): string => `${path}.${key}`;
  const valueOf = (key: string): unknown => (Object.hasOwn(fields, key) ? fields[key] : undefined);
  const refuse = (key: string, rule: string): never => {
    throw new FieldError(at(key), `${rule}, got ${show(valueOf(key))}.`);
  };

  function text(key: string, { min = 0, max }: { readonly min?: number; readonly max: number }) {
    const value = valueOf(key);
    if (typeof value !== 'string') return refuse(key, 'must be a text');
    if (value.length < min || value.length > max) {
      const rule = min === 0 ? `at most ${max}` : `${min} to ${max}`;
      throw new FieldError(at(key), `must have ${rule} characters, got ${value.length}.`);
    }
    return value;
  }

  function number(key: string, min: number, max: number): number {
    const value = valueOf(key);
    if (typeof value !== 'number' || !(value >= min && value <= max)) {
      return refuse(key, `must be between ${min} and ${max}`);
    }
    return value;
  }

  function items(key: string, maxItems: number) {
    const value = valueOf(key);
    if (!Array.isArray(value) || value.length > maxItems) {
      return refuse(key, `must be a list of at most ${maxItems} objects`);
    }
    return value.map((item: unknown, index) => ({ value: item, path: `${at(key)}.${index}` }));
  }

  return {
    path,
    value: valueOf,
    text,
    number,
    integer(key, min, max) {
      const value = valueOf(key);
      if (!Number.isInteger(value)) {
        return refuse(key, `must be a whole number between ${min} and ${max}`);
      }
      return number(key, min, max);
    },
    flag(key) {
      const value = valueOf(key);
      return typeof value === 'boolean' ? value : refuse(key, 'must be true or false');
    },
    oneOf(key, choices) {
      const value = valueOf(key);
      const found = choices.find((choice) => choice === value);
      return found ?? refuse(key, `must be one of ${choices.join(', ')}`);
    },
    hex(key, digits) {
      const value = valueOf(key);
      if (typeof value !== 'string' || value.length !== digits || !/^[0-9a-f]*$/.test(value)) {
        return refuse(key, `must be ${digits} lower-case hexadecimal digits`);
      }
      return value;
    },
    object: (key, keys) => readFields(valueOf(key), at(key), keys),
    items,
    objects: (key, maxItems, keys) => items(key, maxItems).map((item) => readFields(item.value, item.path, keys)),
    indices(key, maxItems) {
      const value = valueOf(key);
      if (!Array.isArray(value) || value.length > maxItems || !value.every(isIndex)) {
        return refuse(key, `must be a list of at most ${maxItems} whole numbers from 0 on`);
      }
      return value;
    },
    texts(key, maxItems, maxCharacters) {
      const value = valueOf(key);
      if (!Array.isArray(value) || value.length > maxItems) {
        return refuse(key, `must be a list of at most ${maxItems} texts`);
      }
      const items = createReader(Object.fromEntries(value.entries()), at(key));
      return value.map((_item, index) => items.text(String(index), { max: maxCharacters }));
    },
    amounts(key) {
      const value = valueOf(key);
      if (typeof value !== 'object' || value === null || Object.keys(value).length > 100) {
        return refuse(key, 'must be an object of at most 100 numbers');
      }
      const entries = createReader(value as Record<string, unknown>, at(key));
      return Object.fromEntries(Object.keys(value).map((name) => [name, entries.number(name, 0, Number.MAX_VALUE)]));
    },
    nullable: (key, read) => (valueOf(key) === null ? null : read()),
    optional: (key, read) => (valueOf(key) === undefined ? undefined : read()),
  };
}

/** The value as it is repeated in a message: short, on one line, with its type where that helps. */
function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number' || value === null) return String(value);
  if (typeof value === 'string') return `'${clip(value)}'`;
  return Array.isArray(value) ? 'a list' : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
}

function clip(value: string): string {
  const line = value.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ');
  return line.length <= maxShownCharacters ? line : `${line.slice(0, maxShownCharacters)}...`;
}

function isIndex(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

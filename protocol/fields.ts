// The kinds of fields in messages and stored files, as schemas of valibot, and the function that reads a value by such a
// schema. Every error names the path of the field, the rule and the value received, so that the message can be shown
// without change. This is the only file that uses valibot.

import * as v from 'valibot';
import { errorCodes, type ErrorCode } from './error-codes.ts';
import { EditError } from './errors.ts';

/** Longest piece of a received value that is repeated in a message, in characters. */
const maxShownCharacters = 60;

/** A field that breaks its rule. `path` is for example `message.settings.strength`. */
export class FieldError extends EditError {
  override readonly name = 'FieldError';
  readonly path: string;
  /** The rest of the sentence after the path, with the value received and a full stop. */
  readonly complaint: string;

  constructor(path: string, complaint: string, code: ErrorCode = 'invalid-request') {
    super(code, `${path} ${complaint}`);
    this.path = path;
    this.complaint = complaint;
  }
}

/** What a value must be; `Infer` is the type of a value that has been read by it. */
export type Schema<T> = v.GenericSchema<unknown, T>;
export type Infer<S extends Schema<unknown>> = v.InferOutput<S>;

/** The fields of an object by their names. */
export type Fields = Readonly<Record<string, Schema<unknown>>>;
type OptionalKey<F extends Fields> = { [K in keyof F]: F[K] extends OptionalSchema<unknown> ? K : never }[keyof F];
type OptionalSchema<T> = Schema<T> & { readonly type: 'exact_optional' };

/** An object with these fields. */
export type ObjectOf<F extends Fields> = Flat<
  { readonly [K in Exclude<keyof F, OptionalKey<F>>]: Infer<F[K]> } & { readonly [K in OptionalKey<F>]?: Infer<F[K]> }
>;
type Flat<T> = { readonly [K in keyof T]: T[K] };

/** Reads `value`, which is called `path` in a refusal. Throws FieldError for the first field that breaks its rule. */
export function parse<T>(schema: Schema<T>, value: unknown, path: string): T {
  const result = v.safeParse(schema, value, { abortPipeEarly: true });
  if (result.success) return result.output;
  // A field whose name is misspelt is refused by that name, not because the right one is missing.
  const issue = result.issues.find(isUnknownField) ?? result.issues[0];
  const keys = issue.path?.map(({ key }) => clip(String(key))) ?? [];
  const code = Object.hasOwn(errorCodes, issue.type) ? (issue.type as ErrorCode) : 'invalid-request';
  throw new FieldError([path, ...keys].join('.'), issue.message, code);
}

/** A string of `min` (default 0) to `max` characters. */
export function text({ min = 0, max }: { readonly min?: number; readonly max: number }): Schema<string> {
  const rule = min === 0 ? `at most ${max}` : `${min} to ${max}`;
  const complain = ({ input }: v.BaseIssue<string>) => `must have ${rule} characters, got ${input.length}.`;
  return v.pipe(v.string(must('be a text')), v.minLength(min, complain), v.maxLength(max, complain));
}

/** A finite number, both ends included. */
export function number(min: number, max: number): Schema<number> {
  const complain = must(`be between ${min} and ${max}`);
  return v.pipe(v.number(complain), v.minValue(min, complain), v.maxValue(max, complain));
}

/** A whole number, both ends included. */
export function integer(min: number, max: number): Schema<number> {
  const complain = must(`be a whole number between ${min} and ${max}`);
  const complainOfRange = must(`be between ${min} and ${max}`);
  return v.pipe(
    v.number(complain),
    v.integer(complain),
    v.minValue(min, complainOfRange),
    v.maxValue(max, complainOfRange),
  );
}

/** A whole number from 0 on. */
export const count = integer(0, Number.MAX_SAFE_INTEGER);

export const flag: Schema<boolean> = v.boolean(must('be true or false'));

export function oneOf<const T extends string>(choices: readonly T[]): Schema<T> {
  return v.picklist(choices, must(`be one of ${choices.join(', ')}`));
}

/** A string of exactly `digits` lower-case hexadecimal digits. */
export function hex(digits: number): Schema<string> {
  const complain = must(`be ${digits} lower-case hexadecimal digits`);
  return v.pipe(v.string(complain), v.length(digits, complain), v.regex(/^[0-9a-f]*$/, complain));
}

/** An object with these fields and no others. */
export function object<const F extends Fields>(fields: F): Schema<ObjectOf<F>> {
  const known = Object.keys(fields).join(', ');
  const complain = (issue: v.StrictObjectIssue): string =>
    isUnknownField(issue) ? `is not known; known are ${known}.` : complainAboutMissing(fields, issue);
  // What valibot infers for fields that are not known here is no type that TypeScript can compare with another.
  return v.pipe(record, v.strictObject(fields, complain)) as Schema<unknown> as Schema<ObjectOf<F>>;
}

/** An object with these fields; others stay as they are, unread. */
export function openObject<const F extends Fields>(fields: F): Schema<ObjectOf<F> & Readonly<Record<string, unknown>>> {
  const complain = (issue: v.LooseObjectIssue): string => complainAboutMissing(fields, issue);
  type Open = Schema<ObjectOf<F> & Readonly<Record<string, unknown>>>;
  return v.pipe(record, v.looseObject(fields, complain)) as Schema<unknown> as Open;
}

/** At most `max` values of one kind by names that are not known beforehand. */
export function recordOf<T>(value: Schema<T>, max: number, plural: string): Schema<Readonly<Record<string, T>>> {
  const isShort = (entries: unknown): boolean => isRecord(entries) && Object.keys(entries).length <= max;
  const complain = must(`be an object of at most ${max} ${plural}`);
  return v.pipe(v.custom<Record<string, unknown>>(isShort, complain), v.record(v.string(), value));
}

/** At most `max` items; `plural` is what they are called in a refusal. */
export function list<T>(item: Schema<T>, max: number, plural = 'objects'): Schema<readonly T[]> {
  const isList = (value: unknown): boolean => Array.isArray(value) && value.length <= max;
  return v.pipe(v.custom<unknown[]>(isList, must(`be a list of at most ${max} ${plural}`)), v.array(item));
}

export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  return v.nullable(schema);
}

/** A field that may be absent. */
export function optional<T>(schema: Schema<T>): OptionalSchema<T> {
  return v.exactOptional(schema);
}

/** A field that has `value` where it is absent. */
export function withDefault<T>(schema: Schema<T>, value: T): Schema<T> {
  return v.optional(schema, () => value) as Schema<unknown> as Schema<T>;
}

/** What is wrong with a value, and in which field of it. */
export interface Complaint {
  readonly at: readonly (string | number)[];
  /** The rest of the sentence after the path, with the value received and a full stop. */
  readonly text: string;
}

/**
 * A value with a further rule: `complain` says how it is broken. It is called only with values that `schema` accepts.
 * `code` is of the refusal.
 */
export function where<T>(
  schema: Schema<T>,
  complain: (value: T) => Complaint | string | undefined,
  code: ErrorCode = 'invalid-request',
): Schema<T> {
  const rule = v.rawCheck<T>(({ dataset, addIssue }) => {
    const complaint = dataset.typed ? complain(dataset.value) : undefined;
    if (complaint === undefined) return;
    const { at, text } = typeof complaint === 'string' ? { at: [], text: complaint } : complaint;
    const [first, ...rest] = at.map((key) => ({
      type: 'unknown' as const,
      origin: 'value' as const,
      input: dataset.value,
      key,
      value: undefined,
    }));
    addIssue({ message: text, ...(first === undefined ? {} : { path: [first, ...rest] }) });
  });
  // The type of an issue is that of the rule: `parse` finds the code in it.
  return v.pipe(schema, { ...rule, type: code });
}

const record = v.custom<Record<string, unknown>>(isRecord, must('be an object'));

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A missing field is refused by its own rule. */
function complainAboutMissing(fields: Fields, { path, input }: v.BaseIssue<unknown>): string {
  const missing = fields[String(path?.[0].key)];
  const issue = missing === undefined ? undefined : v.safeParse(missing, undefined).issues?.[0];
  return issue?.message ?? `must be an object, got ${show(input)}.`;
}

function isUnknownField({ type, expected }: v.BaseIssue<unknown>): boolean {
  return type === 'strict_object' && expected === 'never';
}

function must(rule: string): (issue: v.BaseIssue<unknown>) => string {
  return ({ input }) => `must ${rule}, got ${show(input)}.`;
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
